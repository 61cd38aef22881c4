#!/bin/bash
# The daemon is killed. Readers that hold staged files and mappings go on; a new daemon takes
# the same mountpoint without anybody's umount, and nothing that was staged is missing.
limit=60
. "$(dirname "$0")/lib/common.sh" || exit

py tree some "$src" 20 100000 "$seed"
py tree big "$src/big.bin" 10
start_daemon
cat "$mnt"/f* "$mnt/big.bin" >/dev/null

note "open files and mappings outlive the daemon"
py_start survivors "$src" "$mnt" "$daemon" "$work/go-on"
wait_until 10 test -e "$work/go-on.ready"
kill_daemon
touch "$work/go-on"
wait "$started" || fail "readers did not survive"
if ls "$mnt" 2>/dev/null; then
	fail "a dead mount lists names"
fi

note "a restart on the dead mount"
start_daemon
[ "$(mount_ids | wc -l)" = 1 ] || fail "mounts are stacked: $(mount_ids)"
py compare "$src" "$mnt"
[ "$(status_of misses)" = 0 ] || fail "staged files were fetched again"
"$thaw" status --mount "$mnt" >/dev/null || fail "its socket is gone"

note "with a process that stands in it"
(cd "$mnt" && exec sleep 100) &
stands=$!
kill_daemon
start_daemon
py compare "$src" "$mnt"
kill "$stands"

note "killed in the background, restarted in the background"
stop_daemon
"$thawfs" "$src" "$mnt" -o "$(options)"
py compare "$src" "$mnt"
kill -KILL "$(pgrep -f -- "$mnt -o")"
wait_until 10 not ls "$mnt"
"$thawfs" "$src" "$mnt" -o "$(options)"
py compare "$src" "$mnt"
umount "$mnt"
wait_until 10 not pgrep -f -- "$mnt -o"

note "ten crashes in a row, and a SIGTERM, a SIGINT and a SIGHUP"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	start_daemon
	cmp "$src/f0003" "$mnt/f0003"
	kill_daemon
done
for signal in TERM INT HUP; do
	start_daemon
	cmp "$src/f0003" "$mnt/f0003"
	kill -$signal "$daemon"
	wait_daemon
	[ -z "$(mount_ids)" ] || fail "SIG$signal left the mount"
	[ ! -e "$socket" ] || fail "SIG$signal left the socket"
done
