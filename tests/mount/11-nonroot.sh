#!/bin/bash
# An ordinary user mounts, through fusermount3 and without passthrough: the same bytes, and
# everything of it below the user's own directories.
limit=60
. "$(dirname "$0")/lib/common.sh" || exit
need_mount_namespace

command -v fusermount3 >/dev/null || skip "there is no fusermount3"
py tree real "$src" 300
py tree some "$src/some" 20 100000 "$seed"
py tree big "$src/big.bin" 12
home=$work/home
install -d -o 65534 -g 65534 -m 700 "$home" "$home/run"
install -d -o 65534 -g 65534 "$home/mnt"
mknod -m 666 "$work/fuse" c 10 229

# In a mount namespace of its own: /dev/fuse is open to all on a Debian, not in every machine.
cat >"$work/inside" <<END
set -Eeuo pipefail
trap 'echo "inside: line \$LINENO failed: \$BASH_COMMAND" >&2' ERR
mount --bind "$work/fuse" /dev/fuse
as_user()
{
	env -i PATH="$PATH" HOME="$home" XDG_RUNTIME_DIR="$home/run" THAW_TEST_BIN="$bin" \\
		setpriv --reuid 65534 --regid 65534 --clear-groups "\$@"
}
as_user "$thawfs" "$src" "$home/mnt" -o cache_size=300M,stream_min=4M
as_user /usr/bin/python3 -B "$lib/compare.py" "$src" "$home/mnt" --names
as_user /usr/bin/python3 -B "$lib/readers.py" "$src" "$home/mnt" --threads 16 --share
as_user /usr/bin/python3 -B "$lib/compare.py" "$src" "$home/mnt" --how mmap
as_user "$thaw" state "$home/mnt/big.bin"
as_user "$thaw" evict "$home/mnt"
as_user "$thaw" stage --wait "$home/mnt/some"
as_user "$thaw" state -d "$home/mnt/some" | grep -q ^online
# Root has no business in another user's mount.
if cat "$home/mnt/big.bin" >/dev/null 2>&1; then
	false "root reads another user's mount"
fi
[ -d "$home/.cache/thawfs" ]
[ -n "\$(ls "$home/.local/state/thawfs")" ]
[ -z "\$(find "$home" -path "$home/mnt" -prune -o -perm /077 -type f -print)" ]
as_user fusermount3 -u "$home/mnt"
END
chmod 755 "$work"
unshare -m --propagation private bash "$work/inside"
wait_until 10 not pgrep -f -- "$home/mnt"
