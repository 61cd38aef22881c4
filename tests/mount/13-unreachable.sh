#!/bin/bash
# The archive goes away under the mount, in several ways. Names and staged files stay; what is
# offline waits or is an error, never absent and never empty; then it all comes back.
limit=80
. "$(dirname "$0")/lib/common.sh" || exit

py tree some "$src" 6 40000 "$seed"
py tree some "$src/dir" 6 40000 "$seed"
start_daemon
cat "$mnt"/f0000 "$mnt"/f0001 "$mnt"/dir/f0000 >/dev/null
names=$(cd "$mnt" && find . -printf '%p %s %T@ %m\n' | sort)

away()	# away HOW: while the archive is not what it was
{
	note "$1"
	drop_caches
	[ "$(cd "$mnt" && find . -printf '%p %s %T@ %m\n' | sort)" = "$names" ] ||
		fail "$1: names or attributes changed"
	cmp "$src.away/f0000" "$mnt/f0000"
	cmp "$src.away/dir/f0000" "$mnt/dir/f0000"
	py unreachable "$mnt/f0003" "$mnt/dir/f0004"
	[ "$(stat -c %s "$mnt/f0003")" = "$(stat -c %s "$src.away/f0003")" ]
	case $(state "$mnt/f0003") in
	lost) fail "$1: an offline file became lost" ;;
	esac
	if timeout 20 "$thaw" import "$mnt" >"$work/out" 2>&1; then
		fail "$1: an import says that all is well: $(cat "$work/out")"
	fi
	[ "$(cd "$mnt" && find . -printf '%p %s %T@ %m\n' | sort)" = "$names" ] ||
		fail "$1: an import took names away"
}

back()
{
	wait_until 20 py readable "$src" "$mnt"
	py compare "$src" "$mnt"
	"$thaw" import "$mnt" >/dev/null
	py compare "$src" "$mnt"
	"$thaw" evict "$mnt/f0003" "$mnt/dir/f0004" >/dev/null
}

mv "$src" "$src.away"
away "renamed away"
mv "$src.away" "$src"
back

mv "$src" "$src.away"
mkdir "$src"
away "an empty directory in its place, as of a disk that is not mounted"
rmdir "$src"
mv "$src.away" "$src"
back

cp -a "$src" "$src.away"
mount -t tmpfs none "$src"
away "an empty filesystem mounted over it"
umount "$src"
rm -rf "$src.away"
back

note "it goes while readers wait; they get their bytes when it is back"
mv "$src" "$src.away"
cat "$mnt/f0003" >"$work/got" 2>"$work/err" &
reader=$!
sleep 0.5
mv "$src.away" "$src"
if wait "$reader"; then
	cmp "$src/f0003" "$work/got"
else
	grep -q 'Input/output error\|Resource temporarily' "$work/err" || fail "$(cat "$work/err")"
fi
back
stop_daemon

note "a mount of an archive that is away shows what was known"
mv "$src" "$src.away"
status=0
timeout 20 "$thawfs" "$src" "$mnt" -o "$(options)" 2>"$work/err" || status=$?
[ $status = 1 ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -qF "$src" "$work/err" ||
	fail "exit $status: $(cat "$work/err")"
