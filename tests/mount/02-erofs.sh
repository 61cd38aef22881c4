#!/bin/bash
# Every write to content or names answers EROFS, and the archive stays as it was, down to
# the access times.
limit=30
. "$(dirname "$0")/lib/common.sh" || exit

py tree some "$src" 20 20000 "$seed"
mkdir "$src/dir"
echo inside >"$src/dir/file"
echo offline >"$src/dir/never-read"
echo online >"$src/online"
ln -s online "$src/link"
ln "$src/online" "$src/hard"

# Seen through another mount of it, so that looking leaves no access times. Those of symbolic
# links are left out: no flag keeps readlink(2) from setting them.
mkdir "$work/quiet"
mount --bind "$src" "$work/quiet"
mount -o remount,bind,noatime "$work/quiet"
find "$work/quiet" -exec touch -h -a -d '2001-02-03 04:05:06' {} +
snapshot()	# all that lstat(2) tells of the archive but where it is
{
	find "$work/quiet" -printf '%P %y %i %n %#m %U %G %s %b %A@ %T@ %C@ %l\n' |
		sed -E '/^[^ ]* l /s/ [0-9.]+( [0-9.]+ [0-9.]+ [^ ]*)$/\1/' | sort
}
snapshot >"$work/before"

start_daemon allow_other
cat "$mnt/online" >/dev/null
has_state online "$mnt/online"

note "as root"
py refused "$mnt"
note "as nobody, where modes would allow it"
setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 -B "$lib/refused.py" \
	"$mnt" --any-error
note "through tools"
for command in "touch $mnt/dir/file" "rm -f $mnt/dir/file" "rm -rf $mnt/dir" \
		"cp /etc/hostname $mnt/" "mv $mnt/online $mnt/moved" "truncate -s 0 $mnt/online" "dd if=/dev/zero of=$mnt/online" \
		"sed -i s/a/b/ $mnt/online" "ln $mnt/online $mnt/new" "chmod 777 $mnt/online"; do
	# shellcheck disable=SC2086
	if $command >"$work/output" 2>&1; then
		fail "$command: was allowed"
	fi
	grep -q 'Read-only file system' "$work/output" ||
		fail "$command: $(cat "$work/output")"
done

has_state offline "$mnt/dir/never-read" || fail "refused writes brought content"
cmp "$work/quiet/online" "$mnt/online"
stop_daemon

note "mounted -o ro"
start_daemon allow_other,ro
py refused "$mnt"
stop_daemon

snapshot >"$work/after"
diff "$work/before" "$work/after" || fail "the archive was changed"
