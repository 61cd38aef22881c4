#!/bin/bash
# The first mount of a large tree: whoever looks right after it sees everything. Names wait
# for the import; none is missing, and none is made up.
limit=80
. "$(dirname "$0")/lib/common.sh" || exit

count=${THAW_FILES:-20000}
py tree many "$src" "$count"
py tree some "$src/deep/a/b/c/d/e/f/g" 3 1000 "$seed"
want=$(cd "$src" && find . | sort | sha256sum)
last=d$(printf '%04d' $(((count - 1) / 100)))/f$(printf '%06d' $((count - 1)))

listed()
{
	(cd "$mnt" && find . | sort | sha256sum)
}

fresh()	# forget what is known
{
	rm -rf "$cache" "$catalog"*
}

note "$count files, at once"
start_daemon
[ "$(listed)" = "$want" ] || fail "find right after the mount did not see everything"
cmp "$mnt/$last" "$src/$last"
stop_daemon

write_conf
for what in lookup find diff; do
	note "a slow archive, and first of all a $what"
	fresh
	faults "list_delay = 20"
	start_daemon import_workers=2
	case $what in
	lookup)
		[ "$(cat "$mnt/$last")" = "$((count - 1))" ]
		import_done && fail "the import was over already: this tests nothing"
		[ ! -e "$mnt/deep/a/b/c/d/e/f/g/none" ] || fail "a name was made up"
		[ -e "$mnt/deep/a/b/c/d/e/f/g/f0002" ] || fail "a name is missing"
		[ ! -e "$mnt/no-such-dir/x" ]
		;;
	find)	[ "$(listed)" = "$want" ] || fail "find did not see everything" ;;
	diff)	faults
		py compare "$src" "$mnt" --names ;;
	esac
	[ "$(listed)" = "$want" ] || fail "not all names are there after the $what"
	stop_daemon
done

note "killed in the middle of the first import; the second start goes on with it"
fresh
faults "list_delay = 20"
start_daemon import_workers=2
[ -e "$mnt/deep/a" ]
kill_daemon
umount -l "$mnt"
start_daemon import_workers=2
faults
[ "$(listed)" = "$want" ] || fail "names are missing after a kill"
wait_until 20 import_done

note "a restart reads nothing again"
stop_daemon
faults "down = yes"
start_daemon
[ "$(listed)" = "$want" ] || fail "names are missing after a restart"
import_done || fail "a restart imports again"
stop_daemon

note "a directory that cannot be listed is an error, not an empty one"
fresh
faults "fail_keys = deep/a/b:EIO"
start_daemon
[ -e "$mnt/deep/a" ]
if ls "$mnt/deep/a/b" >"$work/out" 2>"$work/err"; then
	fail "it was listed as: $(cat "$work/out")"
fi
grep -q 'Input/output error' "$work/err" || fail "$(cat "$work/err")"
cat "$mnt/$last" >/dev/null
faults
"$thaw" import "$mnt" >/dev/null
[ "$(listed)" = "$want" ] || fail "names are missing after a failed listing was made good"
stop_daemon
