#!/bin/bash
# The daemon dies at each named place of its source, not at random moments: as 04-kill9, with
# the rest of its promises kept.
limit=150
. "$(dirname "$0")/lib/common.sh" || exit

py tree some "$src" 24 30000 "$seed"
py tree some "$src/large" 2 1500000 "$seed"
write_conf
echo '[]' >"$work/nothing-online"

points=$(grep -rhoP 'thaw_crash_point\("\K[^"]+' "${THAW_SOURCE_DIR:-$here/../..}/src" | sort -u)
[ -n "$points" ] || fail "no crash points in the source"

daemon_is_gone()
{
	not alive "$daemon"
}

# Everything a cache file can live through. Commands fail when the daemon dies under them.
live()
{
	faults
	timeout 20 py_readers --share --threads 4
	daemon_is_gone && return
	timeout 20 "$thaw" pin --for 1h "$mnt/f0000"
	timeout 20 "$thaw" evict "$mnt"
	timeout 20 "$thaw" stage --wait "$mnt/large" "$mnt/f0001"
	daemon_is_gone && return
	# A digest is on record: other bytes are not served, but set aside.
	timeout 20 "$thaw" evict "$mnt"
	faults "flip_rate = 100"
	if timeout 20 cat "$mnt/f0002" >"$work/got" 2>/dev/null; then
		fail "$point: a flipped bit was not noticed"
	fi
	daemon_is_gone && return
	faults "error_rate = 100"
	timeout 20 cat "$mnt/f0003"
	faults
	timeout 20 cat "$mnt"/f000[4-9]
	daemon_is_gone && return
	umount "$mnt"
}

timeout()	# of functions too
{
	local seconds=$1
	shift
	if [ "$(type -t "$1")" = function ]; then
		"$@"
	else
		command timeout -k 1 "$seconds" "$@"
	fi
}

py_readers()
{
	py readers "$src" "$mnt" --how whole "$@"
}

reached=0 missed=
for point in $points; do
	for pass in 1 2; do
		rm -rf "$cache" "$catalog"*
		faults
		# A cache that is nobody's any more comes to a new catalog, too.
		if [[ $point == claim.* || $point == recover.* ]]; then
			start_daemon
			py_readers --share >/dev/null
			stop_daemon
			[[ $point != claim.* ]] || rm -f "$catalog"*
		fi
		THAW_CRASH_AT=$point:$pass "$thawfs" "$source" "$mnt" -f -o "$(options stream_min=1M)" \
			>>"$log" 2>&1 </dev/null &
		daemon=$!
		wait_until 30 _serves_or_dead
		if alive "$daemon"; then
			live >"$work/lived.log" 2>&1 || :
		fi
		wait_until 30 daemon_is_gone
		status=0
		wait "$daemon" || status=$?
		if [ $status = 0 ]; then
			[ $pass != 1 ] || missed+=" $point"
			break
		fi
		[ $status = 137 ] || fail "$point:$pass: the daemon ended with $status"
		reached=$((reached + 1))
		umount -l "$mnt" 2>/dev/null || :

		faults "endless = yes"
		start_daemon stream_min=1M
		py kill9 check "$src" "$mnt" "$work/nothing-online" >/dev/null
		faults
		# What failed its digest is asked of the archive again when somebody says so.
		"$thaw" stage --wait "$mnt" >/dev/null 2>&1 || fail "$point:$pass: not all came again"
		py_readers --share >/dev/null
		wait_until 10 at_rest
		py account "$cache" "$catalog" "$thaw" "$socket" >"$work/accounted" ||
			fail "$point:$pass: $(cat "$work/accounted")"
		stop_daemon
	done
done
note "$reached deaths at $(wc -w <<<"$points") places"
if [ "$reached" = 0 ]; then
	skip "this build has no crash points"
fi
# Its cause is a file that changed in the last moment; unit tests have it.
missed=${missed/ abort.unpublished/}
[ -z "$missed" ] || fail "never came by:$missed"
