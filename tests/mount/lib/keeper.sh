# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# keeper.sh - the shell that outlives a test, sourced by common.sh only.
#
# Everything a test starts is in the test's session, or is a thawfs that went to the background
# and names the test's directory on its command line: nothing else is ever stopped here.

_members()	# process ids of the session and of daemons left behind
{
	ps -e -ww -o pid=,sid=,stat=,comm=,args= | awk -v sid="$session" -v work="$work/" '
		$3 !~ /^Z/ && ($2 == sid || ($4 == "thawfs" && index($0, work))) { print $1 }'
}

_mounts()	# what is mounted below the test's directory, last first
{
	awk -v under="$work/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | tac
}

_explain_hang()
{
	local pid task
	echo "== after $((limit * slower)) s it is still there:"
	for pid in $(_members); do
		printf '%s %s\n\t' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
		for task in "/proc/$pid"/task/*/wchan; do
			cat "$task" && echo
		done 2>/dev/null | sort | uniq -c | tr -s ' \n' ' '
		echo
	done
	grep -H . "$work"/connections/*/waiting || :
}

_stop_all()
{
	local pid round at
	for round in 1 2 3 4 5; do
		# Without the daemon the kernel answers whoever waits for it.
		for pid in $(_members); do
			kill -KILL "$pid" 2>/dev/null || :
		done
		for at in $(_mounts); do
			umount -l "$at" || :
		done
		[ -n "$(_members)$(_mounts)" ] || return 0
		sleep 0.1
	done
	echo "== cannot get rid of: $(_members) $(_mounts)" >&2
	return 1
}

_put_back()	# switches of the machine that the test turned: lines "FILE VALUE"
{
	local file value
	[ -e "$work/put-back" ] || return 0
	while read -r file value; do
		echo "$value" >"$file"
	done <"$work/put-back"
}

_complaints()	# what a daemon never says in a healthy run
{
	grep -snE 'AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|[Aa]ssertion' \
		"$work"/*.log
}

_show_logs()
{
	local file
	for file in "$work"/*.log; do
		[ -s "$file" ] || continue
		echo "== the end of ${file##*/}" >&2
		tail -n "${THAW_TEST_LOG_LINES:-60}" "$file" >&2
	done
}

keep_test()	# keep_test ARGUMENT...: runs $0 again; does not return
{
	local status timer which='' ended=''
	work=$(mktemp -d "${THAW_TEST_DIR:-/var/tmp}/thaw-$test_name.XXXXXX")
	chmod 755 "$work"
	export THAW_TEST_WORK=$work
	export THAW_TEST_BIN=${THAW_BIN_DIR:-$here/../../build/bin}

	trap 'ended=told' INT TERM HUP
	trap : PIPE	# whoever read the output left; cleaning up goes on
	trap - ERR
	set +eE
	# No job control, so setsid(1) does not fork: the child's id is the session's.
	setsid bash "$0" "$@" &
	session=$!
	sleep "$((limit * slower))" &
	timer=$!
	wait -n -p which "$session" "$timer"
	status=$?
	if [ -z "$ended" ] && [ "${which:-}" = "$timer" ]; then
		ended=late
		_explain_hang >&2
	fi
	kill "$timer" 2>/dev/null
	[ -z "$ended" ] || status=124

	_stop_all || status=1
	_put_back
	if _complaints && { [ $status = 0 ] || [ $status = 77 ]; }; then
		echo "$test_name: the daemon complained, see above" >&2
		status=1
	fi
	if [ $status != 0 ] && [ $status != 77 ]; then
		_show_logs
		echo "== $test_name: FAILED ($status)" >&2
	fi
	if [ -n "${THAW_TEST_KEEP:-}" ]; then
		echo "$test_name: left in $work"
	else
		rm -rf --one-file-system "$work"
	fi
	exit $status
}
