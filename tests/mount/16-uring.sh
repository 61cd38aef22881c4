#!/bin/bash
# The kernel's io_uring transport: the same bytes, readers that can be interrupted, and many
# blocked opens that leave room for the others.
limit=80
. "$(dirname "$0")/lib/common.sh" || exit

switch=/sys/module/fuse/parameters/enable_uring
[ -w $switch ] || skip "this kernel has no FUSE over io_uring"
echo "$switch $(cat $switch)" >"$work/put-back"
echo Y >$switch 2>/dev/null || skip "it cannot be switched on"

export LSAN_OPTIONS=suppressions=$lib/lsan-uring.supp:print_suppressions=0

py tree real "$src" 300
py tree some "$src" 20 30000 "$seed"
py tree some "$src/many" 200 1000 "$seed"
py tree big "$src/big.bin" 12
write_conf
faults
start_daemon io_uring=on,stream_min=4M
find "/proc/$daemon/fd" -lname 'anon_inode:\[io_uring\]' | grep -q . ||
	skip "this build does not use it"

note "bytes"
py compare "$src" "$mnt" --names
py readers "$src" "$mnt" --threads 32 --share --how mixed --seed "$seed"
py compare "$src" "$mnt" --how mmap
wait_until 10 nothing_waits

note "signals"
"$thaw" evict "$mnt" >/dev/null
cat "$mnt/f0000" >/dev/null
faults "endless = yes"
py interrupt signals "$mnt/f0001"
py interrupt stream "$mnt/big.bin"

note "blocked opens and the others"
py interrupt crowd "$mnt" "$src"
faults
"$thaw" stage --wait "$mnt" >/dev/null
py compare "$src" "$mnt"
stop_daemon
