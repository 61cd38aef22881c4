#!/bin/bash
# As an administrator has it: installed, lines in an fstab, mount and umount; the command
# returns when the mount is there.
limit=60
. "$(dirname "$0")/lib/common.sh" || exit
need_mount_namespace

py tree some "$src" 10 20000 "$seed"
build=$(cd "$THAW_TEST_BIN/.." && pwd)
[ -f "$build/CMakeCache.txt" ] || skip "$build is not a build directory"
cmake --install "$build" --prefix "$work/prefix" >"$work/install.txt" ||
	fail "$(tail -n 5 "$work/install.txt")"
[ -x "$work/prefix/sbin/mount.thawfs" ] && [ -x "$work/prefix/bin/thaw" ] ||
	fail "not installed: $(cat "$work/install.txt")"

mkdir "$work/upper" "$work/workdir" "$mnt/a" "$mnt/b" "$mnt/c"
printf '[archive v]\ntype = posix\npath = %s\n[collection books]\narchive = v\npath = /books\n' \
	"$src" >"$conf"
common=cache_size=100M,x-systemd.automount,_netdev,nofail,defaults
line()	# line NAME SOURCE TYPE OPTIONS
{
	printf '%s %s %s %s,cache=%s,catalog=%s,socket=%s 0 0\n' "$2" "$mnt/$1" "$3" "$common,$4" \
		"$work/cache-$1" "$work/$1.db" "$work/$1.sock"
}
{
	line a "$src" thawfs allow_other
	line b "$src" fuse.thawfs ro,allow_other
	line c "$conf" thawfs noauto,user,high=80%,low=70%
} >"$work/fstab"

# mount(8) looks for its helpers in /sbin only and clears PATH: what was installed is laid over
# that directory, in a mount namespace of our own.
cat >"$work/inside" <<END
set -Eeuo pipefail
trap 'echo "inside: line \$LINENO failed: \$BASH_COMMAND" >&2' ERR
PATH=$work/prefix/bin:$PATH
ln -s "$work/prefix/sbin/mount.thawfs" "$work/prefix/bin/thawfs" "$work/upper"
mount -t overlay -o "lowerdir=/usr/sbin,upperdir=$work/upper,workdir=$work/workdir" none /usr/sbin
refused()	# refused WORD COMMAND...: it fails and says the word
{
	local word=\$1
	shift
	if "\$@" 2>"$work/err"; then
		echo "was allowed: \$*" >&2
		return 1
	fi
	grep -qF -- "\$word" "$work/err"
}

compare() { /usr/bin/python3 -B "$lib/compare.py" "\$@"; }

gone()	# gone PATH: neither mounted nor a process with it
{
	for _ in \$(seq 200); do
		pgrep -f -- "\$1" >/dev/null || return 0
		sleep 0.05
	done
	return 1
}

for name in a b c; do
	below=
	[ \$name != c ] || below=/books
	mount -T "$work/fstab" "$mnt/\$name"
	mountpoint -q "$mnt/\$name"
	compare "$src" "$mnt/\$name\$below"
	[ "\$(findmnt -no FSTYPE "$mnt/\$name")" = fuse.thawfs ]
	[ -n "\$(thaw status --mount "$mnt/\$name")" ]
	thaw state "$mnt/\$name" >/dev/null
done
# The daemons have let go of where they were started and of its terminal.
for pid in \$(pgrep -f -- "$mnt/"); do
	[ "\$(readlink /proc/\$pid/cwd)" = / ]
	[ "\$(readlink /proc/\$pid/fd/0)" = /dev/null ]
done
findmnt -no OPTIONS "$mnt/b" | grep -qw ro
# Mounted again it would be a second daemon of the same cache.
refused "$mnt/a" mount -t thawfs "$src" "$mnt/a" -o "$(options)"
refused "$work/a.db" mount -t thawfs "$src" "$mnt" -o "$(options "catalog=$work/a.db")"
for name in a b c; do
	umount "$mnt/\$name"
	gone "$mnt/\$name"
	[ ! -e "$work/\$name.sock" ]
done

# From the command line, with -v -n -s as mount(8) may pass them, and without an fstab.
mount -v -n -t thawfs "$src" "$mnt/a" -o "$(options)"
compare "$src" "$mnt/a"
umount "$mnt/a"
gone "$mnt/a"
# What cannot be: one line, and mount(8) fails.
refused colour mount -t thawfs "$src" "$mnt/a" -o colour=blue
refused "$work/nowhere" mount -t thawfs "$work/nowhere" "$mnt/a"

# SIGTERM to a daemon in the background unmounts as well.
mount -T "$work/fstab" "$mnt/a"
kill -TERM "\$(pgrep -f -- "$mnt/a")"
gone "$mnt/a"
if mountpoint -q "$mnt/a"; then
	false "SIGTERM left the mount"
fi
END
unshare -m --propagation private bash "$work/inside"
