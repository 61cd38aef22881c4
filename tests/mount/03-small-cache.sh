#!/bin/bash
# A cache of a third of the tree, and readers that want all of it, again and again: every
# byte right, nobody stuck, and never a byte more on disk than the cache's size.
limit=90
. "$(dirname "$0")/lib/common.sh" || exit

py tree some "$src" 220 500000 "$seed"
py tree some "$src/small" 200 3000 "$seed"
mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$work/disk" 256M
mkdir "$work/flash"
mount -o loop "$work/disk" "$work/flash" || skip "no loop devices"
cache=$work/flash/cache
baseline=$(/usr/bin/python3 -c 'import os, sys
st = os.statvfs(sys.argv[1])
print((st.f_blocks - st.f_bfree) * st.f_frsize)' "$work/flash")
mkdir "$cache"
cache_size=$(($(du -s -B1 "$src" | cut -f1) / 3))
note "cache of $cache_size bytes for $(du -s -B1 "$src" | cut -f1); seed $seed"

start_daemon
py_start watch "$cache" "$cache_size" --disk "$baseline" >"$work/watched"
watcher=$started
py readers "$src" "$mnt" --threads 8 --passes 3 --how mixed --seed "$seed" --deadline 30
note "and 32 readers for a while"
py readers "$src" "$mnt" --threads 32 --seconds 5 --how whole --seed "$seed" --deadline 30
kill -TERM "$watcher"
wait "$watcher" || fail "the cache grew past its size: $(cat "$work/watched")"
cat "$work/watched"

wait_until 10 nothing_waits
[ "$(status_of evicted_files)" -gt 200 ] || fail "hardly anything was evicted"
[ "$(status_of used)" -le "$cache_size" ] || fail "the daemon counts more than there may be"
py account "$cache" "$catalog" "$thaw" "$socket"
stop_daemon
