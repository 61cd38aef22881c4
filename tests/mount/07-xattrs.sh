#!/bin/bash
# The attributes user.thaw.*: what each says, what can be set, and the errors of the rest.
limit=40
. "$(dirname "$0")/lib/common.sh" || exit

py tree some "$src" 3 50000 "$seed"
py tree some "$src/dir" 5 20000 "$seed"
mkdir "$src/dir/empty" "$src/empty"
: >"$src/dir/nothing"
ln -s f0000 "$src/link"
ln "$src/f0001" "$src/hard"
chmod 600 "$src/f0002"
write_conf
faults
start_daemon allow_other

py xattrs "$mnt" "$src" "$socket" "$control"

note "as a user who may read only"
setpriv --reuid 65534 --regid 65534 --clear-groups \
	/usr/bin/python3 -B "$lib/xattrs.py" --as-reader "$mnt"

note "through setfattr and getfattr"
setfattr -n user.thaw.pin -v 7d "$mnt/dir"
getfattr --absolute-names -n user.thaw.pin "$mnt/dir/f0000" | grep -qE '"20[0-9-]+T[0-9:]+Z"'
setfattr -x user.thaw.pin "$mnt/dir"
[ "$(xattr pin "$mnt/dir")" = none ]
getfattr --absolute-names -R -d "$mnt" >"$work/all" 2>"$work/errors"
[ ! -s "$work/errors" ] || fail "getfattr -d: $(head -n 3 "$work/errors")"
[ "$(grep -c '^user.thaw.state=' "$work/all")" = 15 ] || fail "getfattr -d: $(cat "$work/all")"

note "kept over a restart"
setfattr -n user.thaw.pin -v forever "$mnt/f0000"
wait_until 10 has_state online "$mnt/f0000"
sum=$(xattr sha256 "$mnt/f0000")
stop_daemon
start_daemon
[ "$(xattr pin "$mnt/f0000")" = forever ] || fail "the pin was lost"
[ "$(xattr sha256 "$mnt/f0000")" = "$sum" ] || fail "the digest was lost"
has_state online "$mnt/f0000"
stop_daemon
