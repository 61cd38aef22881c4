# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# common.sh - what every mount test begins with:
#
#	limit=60                        # seconds it may take
#	. "$(dirname "$0")/lib/common.sh" || exit
#
# The first time it is sourced the shell stays behind as keeper.sh: it makes a private
# directory, runs the script again in a session of its own, and whatever happens to that
# one, stops what is left of it, unmounts, and shows the log of a failure. The shell of the
# test mounts and says what comes after what; checks are made by small programs in lib/.
#
# Set by the environment: THAW_BIN_DIR (the build's bin), THAW_TEST_DIR (where to work; a
# filesystem that passthrough can use), THAW_TEST_SEED, THAW_TEST_KEEP=1 (leave the files),
# THAW_TEST_OPTIONS (options of every mount; io_uring=off, whatever the machine is set to).

set -Eeuo pipefail
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
lib=$here/lib
test_name=$(basename "$0" .sh)
# Sanitized programs are slower; ctest says how much.
slower=${CK_TIMEOUT_MULTIPLIER:-1}

if [ -z "${THAW_TEST_WORK:-}" ]; then
	# shellcheck source=tests/mount/lib/keeper.sh
	. "$lib/keeper.sh"
	keep_test "$@"
	exit
fi

work=$THAW_TEST_WORK
# Copies, so that other users can run them wherever the checkout lies (root's home, say).
if [ ! -d "$work/tools" ]; then
	mkdir -p "$work/tools/bin"
	cp "$THAW_TEST_BIN/thaw" "$THAW_TEST_BIN/thawfs" "$work/tools/bin/"
	cp -r "$lib" "$work/tools/lib"
	chmod -R go+rX "$work/tools"
fi
bin=$work/tools/bin
lib=$work/tools/lib
thawfs=$bin/thawfs
thaw=$bin/thaw
mnt=$work/mnt
src=$work/src
cache=$work/cache
log=$work/daemon.log
control=$work/control
socket=$work/thawfs.sock
catalog=$work/catalog.db
source=$src          # what is mounted: $src, or $conf once write_conf was called
conf=$work/thawfs.conf
cache_size=1G
daemon=
seed=${THAW_TEST_SEED:-$RANDOM$RANDOM}

trap 'echo "$test_name: line $LINENO failed: $BASH_COMMAND" >&2' ERR

fail()
{
	echo "$test_name: $*" >&2
	exit 1
}

need_mount_namespace()
{
	unshare -m --propagation private true 2>/dev/null ||
		skip "no mount namespace of its own can be had here (in a chroot?)"
}

skip()
{
	echo "$test_name: skipped: $*"
	exit 77
}

note()
{
	printf '%s %s: %s\n' "$(date +%T.%3N)" "$test_name" "$*"
}

py()	# py NAME ARGUMENT...: a program of lib/
{
	local name=$1
	shift
	/usr/bin/python3 -B "$lib/$name.py" "$@"
}

py_start()	# the same in the background; $started is its process
{
	local name=$1
	shift
	/usr/bin/python3 -B "$lib/$name.py" "$@" &
	started=$!
}
started=

now_us()
{
	echo "${EPOCHREALTIME/./}"
}

wait_until()	# wait_until SECONDS COMMAND...
{
	local end
	end=$(($(now_us) + $1 * slower * 1000000))
	shift
	until "$@"; do
		[ "$(now_us)" -lt "$end" ] || fail "waited in vain for: $*"
		sleep 0.02
	done
}

not()
{
	! "$@"
}

# --- the daemon ------------------------------------------------------------------------------

mount_ids()	# of what is mounted at $mnt, dead or alive, lowest first
{
	awk -v at="$mnt" '$5 == at { print $1 }' /proc/self/mountinfo
}

alive()	# alive PID
{
	local state
	state=$(sed -n 's/^State:\s*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 1
	[ -n "$state" ] && [ "$state" != Z ]
}

# It listens once it has mounted. A socket file alone may be a dead daemon's.
_serves()
{
	grep -qE " $socket\$" /proc/net/unix
}

_serves_or_dead()
{
	_serves || ! alive "$daemon"
}

# The daemon's options: places first, so that a test can replace them.
options()	# options [OPTION...]
{
	local text="cache=$cache,cache_size=$cache_size,catalog=$catalog,socket=$socket" option
	for option in "${THAW_TEST_OPTIONS-io_uring=off}" "$@"; do
		[ -n "$option" ] || continue
		text+=,$option
	done
	echo "$text"
}

# Returns when it is mounted. Names may still be on their way; who looks waits for them.
start_daemon()	# start_daemon [OPTION...]
{
	echo "--- $(date +%T.%3N) $(options "$@")" >>"$log"
	"${daemon_wrap[@]}" "$thawfs" "$source" "$mnt" -f -o "$(options "$@")" \
		>>"$log" 2>&1 </dev/null &
	daemon=$!
	wait_until 30 _serves_or_dead
	_serves && [ -n "$(mount_ids)" ] || fail "the daemon did not mount"
}
daemon_wrap=()

# Status 0 is asked of a daemon that was told to end.
wait_daemon()
{
	local status=0
	wait_until 30 not alive "$daemon"
	wait "$daemon" || status=$?
	daemon=
	[ $status = 0 ] || fail "the daemon ended with status $status"
}

stop_daemon()
{
	umount "$mnt"
	wait_daemon
}

kill_daemon()	# as a crash would; the dead mount stays
{
	kill -KILL "$daemon"
	wait "$daemon" 2>/dev/null || :
	daemon=
}

# With the fault backend around $src, which does as $control says.
write_conf()	# write_conf [LINE OF THE ARCHIVE...]
{
	{
		printf '[archive source]\ntype = fault\ninner = posix\npath = %s\ncontrol = %s\n' \
			"$src" "$control"
		printf '%s\n' "$@"
		printf '[collection all]\narchive = source\npath = /\n'
	} >"$conf"
	source=$conf
}

faults()	# faults [LINE...]: from now on, and no others
{
	printf '%s\n' "$@" >"$control.new"
	mv "$control.new" "$control"
}

# --- asking ----------------------------------------------------------------------------------

xattr()	# xattr NAME PATH
{
	getfattr --absolute-names --only-values -n "user.thaw.$1" -- "$2"
}

state()	# state PATH
{
	xattr state "$1"
}

has_state()	# has_state WORD PATH
{
	[ "$(state "$2")" = "$1" ]
}

thaw_json()	# thaw_json KEY[.KEY...] COMMAND ARGUMENT...: one value of the answer
{
	local key=$1
	shift
	"$thaw" "$@" --json | py value "$key"
}

status_of()	# status_of KEY
{
	thaw_json "$1" status --socket "$socket"
}

import_done()
{
	[ "$(status_of importing)" = false ]
}

at_rest()	# nothing is on its way
{
	[ "$(status_of flights)" = 0 ]
}

# The number of the kernel's connection, as /sys/fs/fuse/connections has it.
connection()
{
	/usr/bin/python3 -c 'import os, sys; print(os.minor(os.stat(sys.argv[1]).st_dev))' "$mnt"
}

waiting()	# requests the kernel has not got an answer to
{
	cat "$work/connections/$(connection)/waiting"
}

nothing_waits()
{
	[ "$(waiting)" = 0 ]
}

drop_caches()
{
	echo 3 >/proc/sys/vm/drop_caches
}

# --- what it needs ---------------------------------------------------------------------------

[ -e /dev/fuse ] || skip "there is no /dev/fuse"
[ "$(id -u)" = 0 ] || skip "run me as root"
[ -x "$thawfs" ] && [ -x "$thaw" ] || fail "$bin has no thawfs and thaw"
mkdir "$mnt" "$src" "$work/connections"
mount -t fusectl none "$work/connections"
