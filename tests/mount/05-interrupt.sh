#!/bin/bash
# Readers of a recall that never ends: Ctrl-C and SIGKILL get them out within a second, the
# recall goes on without them, and 200 of them hold nobody else up.
limit=60
. "$(dirname "$0")/lib/common.sh" || exit

py tree some "$src" 20 30000 "$seed"
py tree some "$src/many" 200 1000 "$seed"
py tree big "$src/big.bin" 4
write_conf
faults
start_daemon stream_min=1M
cat "$mnt/f0000" >/dev/null
faults "endless = yes"

note "signals"
py interrupt signals "$mnt/f0001"
has_state offline "$mnt/f0001" && fail "the recall ended with its readers"
note "a streaming reader, in read(2) and in a page fault"
py interrupt stream "$mnt/big.bin"

note "the recall goes on"
faults
wait_until 10 has_state online "$mnt/f0001"
cmp "$src/f0001" "$mnt/f0001"
wait_until 10 has_state online "$mnt/big.bin"
cmp "$src/big.bin" "$mnt/big.bin"

note "200 blocked readers and the others"
faults "endless = yes"
py interrupt crowd "$mnt" "$src"
faults
wait_until 20 has_state online "$mnt/many"
py compare "$src" "$mnt"
wait_until 5 nothing_waits

note "blocked readers when the mount goes: an error, and no process left"
"$thaw" evict "$mnt" >/dev/null
faults "endless = yes"
py interrupt shutdown "$mnt/f0005" "$daemon"
wait_until 10 not alive "$daemon"
[ -z "$(mount_ids)" ] || fail "SIGTERM did not unmount"
wait_daemon
