#!/bin/bash
# Metrics over HTTP and from thaw: the numbers of thaw status, one endpoint to a port.
limit=50
. "$(dirname "$0")/lib/common.sh" || exit

py tree many "$src" 200
py tree big "$src/large.bin" 3

free_port()
{
	/usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

address=127.0.0.1:$(free_port)

status_json()
{
	"$thaw" status --socket "$socket" --json
}

listens()	# the daemon has a TCP socket that listens
{
	awk '$4 == "0A" { print "socket:[" $10 "]" }' /proc/net/tcp /proc/net/tcp6 >"$work/listening"
	readlink "/proc/$daemon"/fd/* | grep -xF -f "$work/listening" >"$work/out"
}

agrees()	# what HTTP and thaw metrics say is what thaw status says
{
	status_json >"$work/status"
	"$thaw" metrics --socket "$socket" >"$work/metrics"
	py metrics "http://$address" "$work/status" "$work/metrics"
}

note "off unless asked for"
start_daemon
"$thaw" metrics --mount "$mnt" >"$work/metrics"
grep -q '^thawfs_cache_size_bytes 1073741824$' "$work/metrics" || fail "no metrics without HTTP"
not listens || fail "it listens although nobody asked for it"
stop_daemon

note "on, at $address"
start_daemon "metrics=$address"
listens || fail "listens() does not see it"
agrees
"$thaw" stage --wait "$mnt" >/dev/null 2>&1
cat "$mnt/large.bin" >/dev/null
wait_until 10 at_rest
agrees
[ "$(status_of staged_bytes)" -ge 3145728 ] || fail "nothing was staged: this tests nothing"

note "after an eviction and with a pin"
"$thaw" evict "$mnt/large.bin" >/dev/null
"$thaw" pin --wait "$mnt/d0000" >/dev/null 2>&1
wait_until 10 at_rest
agrees
[ "$(status_of evicted_bytes)" -gt 0 ] || fail "nothing was evicted: this tests nothing"

note "the port is in use"
mkdir "$work/mnt2"
status=0
"$thawfs" "$src" "$work/mnt2" -o \
	"cache=$work/cache2,cache_size=1G,catalog=$work/c2.db,socket=$work/s2,metrics=$address" \
	>"$work/out" 2>&1 || status=$?
[ $status = 1 ] || fail "exit status $status: $(cat "$work/out")"
[ "$(wc -l <"$work/out")" = 1 ] || fail "not one line: $(cat "$work/out")"
grep -q "metrics = $address: .*in use; choose another port" "$work/out" ||
	fail "not a clear line: $(cat "$work/out")"
if grep -q " $work/mnt2 " /proc/self/mountinfo; then fail "it is mounted nevertheless"; fi
agrees
stop_daemon

note "the port is free again at once"
start_daemon "metrics=$address"
agrees
stop_daemon
