#!/bin/bash
# kill -9 of the daemon in the middle of staging, again and again. What was staged before is
# staged after it, without the archive; what was half there is not served; bytes on disk, in
# the catalog and in the quota agree; pins and requests are kept.
#
# THAW_KILLS: how often (12; the full run takes 50). THAW_TEST_SEED: at which moments.
kills=${THAW_KILLS:-12}
limit=$((40 + kills * 5))
. "$(dirname "$0")/lib/common.sh" || exit
RANDOM=$((seed % 32768))
note "$kills kills, seed $seed"

py tree some "$src/small" 120 40000 "$seed"
py tree some "$src/large" 12 3000000 "$seed"
py tree some "$src/pinned" 10 100000 "$seed"
write_conf
faults
start_daemon stream_min=2M
"$thaw" pin --forever "$mnt/pinned" >/dev/null
wait_until 20 has_state online "$mnt/pinned"

no_requests()
{
	[ "$(status_of requests_open)" = 0 ]
}

work_on_it()	# staging in the two ways there are, until the daemon is gone
{
	if [ $((round % 2)) = 0 ]; then
		"$thaw" stage "$mnt" >/dev/null 2>&1 || :
	fi
	py kill9 read "$mnt" "$RANDOM" >/dev/null 2>&1 || :
}

for ((round = 1; round <= kills; round++)); do
	faults "rate = $((200 + RANDOM % 2000))K" "delay = $((RANDOM % 20))"
	work_on_it &
	worker=$!
	moment=$((RANDOM % 700))
	sleep "$(printf '0.%03d' $moment)"
	# What is online is read while the kill may come; only what was right counts.
	py kill9 record "$src" "$mnt" "$work/online"
	kill_daemon
	wait "$worker" || :
	umount -l "$mnt"

	# Nothing must come from the archive now. A request that goes on waits for it.
	faults "endless = yes"
	start_daemon stream_min=2M
	py kill9 check "$src" "$mnt" "$work/online"
	[ "$(xattr pin "$mnt/pinned")" = forever ] || fail "round $round: the pin was lost"
	[ "$(state "$mnt/pinned")" = online ] || fail "round $round: pinned files went"
	if [ "$(status_of requests_open)" = 0 ]; then
		py account "$cache" "$catalog" "$thaw" "$socket"
	fi

	faults
	wait_until 30 no_requests
	note "round $round: killed after $moment ms; all of it"
	py readers "$src" "$mnt" --threads 4 --share --how whole --seed "$round" >/dev/null
	wait_until 10 nothing_waits
	py account "$cache" "$catalog" "$thaw" "$socket"
	py kill9 evict-some "$mnt" "$thaw" "$RANDOM"
done
umount "$mnt"
wait_daemon
