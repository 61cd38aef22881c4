#!/bin/bash
# Everything at once, in random order, against a model of what must come out: reads, stages,
# evictions, pins, changes of the archive, faults; with restarts and crashes between.
limit=100
. "$(dirname "$0")/lib/common.sh" || exit
RANDOM=$((seed % 32768))
note "seed $seed"

seconds=${THAW_MODEL_SECONDS:-25}
write_conf
faults
cache_size=64M
py model make "$work/model.json" "$src" "$seed"
start_daemon stream_min=600K,chunk=128K
end=$(($(now_us) + seconds * 1000000))
rounds=0
while [ "$(now_us)" -lt "$end" ]; do
	rounds=$((rounds + 1))
	py model play "$work/model.json" "$src" "$mnt" "$thaw" "$control" "$seed-$rounds"
	wait_until 10 at_rest
	py account "$cache" "$catalog" "$thaw" "$socket" >/dev/null
	if [ $((RANDOM % 3)) = 0 ]; then
		kill_daemon
		start_daemon stream_min=600K,chunk=128K,passthrough=off
	else
		stop_daemon
		start_daemon stream_min=600K,chunk=128K
	fi
	py model check "$work/model.json" "$src" "$mnt" "$thaw"
done
stop_daemon
note "$rounds rounds"
