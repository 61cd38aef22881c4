#!/bin/bash
# The archive changes. The mount shows it after `thaw import` and not before: no stale name,
# attribute, page or link; what vanished stays listed as lost; an open file stays what it
# was; no reader ever gets a mixture of two versions.
limit=90
. "$(dirname "$0")/lib/common.sh" || exit

write_conf
faults
py refresh make "$src"
start_daemon

note "one of each kind of change, with everything in the kernel's caches"
py refresh changes "$src" "$mnt" "$thaw"

note "random changes under readers, seed $seed"
py refresh random "$src" "$mnt" "$thaw" "$seed"

note "changes during a slow transfer"
py refresh during "$src" "$mnt" "$thaw" "$control"

note "an archive whose root is empty is not believed"
mkdir "$work/emptied"
names=$(find "$mnt" | sort | sha256sum)
mv "$src"/* "$work/emptied/"
status=0
"$thaw" import "$mnt" >"$work/out" 2>"$work/err" || status=$?
[ $status = 1 ] || fail "import of an emptied archive: exit $status: $(cat "$work/out" "$work/err")"
[ -s "$work/err" ] || fail "import of an emptied archive says nothing"
[ "$(find "$mnt" | sort | sha256sum)" = "$names" ] || fail "the names went"
[ -z "$(find "$mnt" -type f -newermt now)" ]
has_state lost "$mnt/stays" && fail "files became lost"
mv "$work/emptied"/* "$src/"
"$thaw" import "$mnt" >/dev/null
py refresh same "$src" "$mnt"
stop_daemon

note "and after a restart"
start_daemon
py refresh same "$src" "$mnt"
stop_daemon
