#!/bin/bash
# A large file is opened at once and read while it arrives: wanted ranges first, by read, by
# mapping and by many; then its digest is on record and its opens need the daemon no more.
limit=60
. "$(dirname "$0")/lib/common.sh" || exit

py tree big "$src/big.bin" 48 "$seed"
py tree big "$src/more.bin" 16 2
py tree big "$src/medium.bin" 3 5
py tree big "$src/fast.bin" 40 3
py tree big "$src/broken.bin" 8 4
write_conf
faults "rate = 3M"
start_daemon stream_min=4M,chunk=1M,workers=4

note "random offsets before it is all here"
py stream arriving "$src/big.bin" "$mnt/big.bin"
wait_until 20 has_state online "$mnt/big.bin"
[ "$(xattr sha256 "$mnt/big.bin")" = "$(sha256sum <"$src/big.bin" | cut -d' ' -f1)" ] ||
	fail "the digest on record is wrong"
note "then without the daemon"
py stream passthrough "$src/big.bin" "$mnt/big.bin" "$daemon"

note "O_NONBLOCK starts it and does not wait"
py stream nonblock "$mnt/medium.bin"
py stream nonblock "$mnt/more.bin" --may-stream
for file in medium.bin more.bin; do
	wait_until 20 has_state online "$mnt/$file"
	cmp "$src/$file" "$mnt/$file"
done

note "readers of all kinds at once"
faults "rate = 20M"
py stream crowd "$src/fast.bin" "$mnt/fast.bin"
wait_until 20 has_state online "$mnt/fast.bin"

note "an archive that breaks in the middle: an error, never a wrong byte"
faults "rate = 20M" "stall_after = 400K"
py stream broken "$src/broken.bin" "$mnt/broken.bin" "$control"

note "wrong bytes: found out at the end, and nothing of them is kept"
for mode in auto off; do
	stop_daemon
	faults
	start_daemon passthrough=$mode,stream_min=4M,chunk=1M
	"$thaw" stage --wait "$mnt/broken.bin" >/dev/null 2>&1
	wait_until 5 "$thaw" evict "$mnt/broken.bin" >/dev/null
	drop_caches
	faults "flip_rate = 100" "rate = 20M"
	if cmp -s "$src/broken.bin" "$mnt/broken.bin"; then
		fail "no bit was flipped: this tests nothing"
	fi
	wait_until 10 has_state failed "$mnt/broken.bin"
	faults
	if cat "$mnt/broken.bin" >/dev/null 2>&1; then
		fail "a file that failed its digest opens"
	fi
	"$thaw" stage --wait "$mnt/broken.bin" >/dev/null 2>&1
	cmp "$src/broken.bin" "$mnt/broken.bin" || fail "passthrough=$mode: wrong bytes stayed"
done

note "transfers that fail now and then, and are short or delayed"
"$thaw" evict "$mnt" >/dev/null
faults "eagain_rate = 20" "delay = 5"
py readers "$src" "$mnt" --threads 4 --share --how mixed --seed "$seed" --deadline 40
wait_until 20 has_state online "$mnt"
stop_daemon
