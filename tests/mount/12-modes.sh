#!/bin/bash
# The ways a file may be opened, changing under its readers: staging, evicting, streaming and
# staged, with passthrough and without. Every read is right and none is ever EIO.
limit=80
. "$(dirname "$0")/lib/common.sh" || exit

py tree some "$src" 3 200000 "$seed"
py tree big "$src/large.bin" 5
write_conf

evictor()	# until it is killed
{
	while :; do
		"$thaw" evict "$mnt" >/dev/null 2>&1 || :
	done
}

for mode in passthrough=auto passthrough=on passthrough=off; do
	faults "rate = 40M"
	start_daemon $mode,stream_min=2M,chunk=512K
	note "$mode: cold, warm"
	py compare "$src" "$mnt"
	py compare "$src" "$mnt" --how mmap

	note "$mode: 16 readers of 4 files while they are evicted"
	evictor &
	busy=$!
	py readers "$src" "$mnt" --threads 16 --seconds 5 --how mixed --seed "$seed"
	kill "$busy"
	wait "$busy" 2>/dev/null || :

	note "$mode: opens of one inode that come and go, held, streamed and evicted"
	py modes "$src" "$mnt" "$thaw" "$seed"
	wait_until 10 nothing_waits
	[ "$(status_of failures)" = 0 ] || fail "$(status_of failures) transfers failed"
	"$thaw" evict "$mnt" >/dev/null
	py account "$cache" "$catalog" "$thaw" "$socket"
	stop_daemon
done
