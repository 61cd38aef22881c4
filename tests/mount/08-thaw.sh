#!/bin/bash
# The tool: every command, its exit status (0 done, 1 failed, 2 usage, 3 partly), what it
# prints for people and as JSON, how it finds its daemon, and who may do what.
limit=100
. "$(dirname "$0")/lib/common.sh" || exit

py tree some "$src/set" 10 20000 "$seed"
py tree some "$src/bad" 2 20000 "$seed"
py tree odd "$src/odd"
mkdir -m 700 "$src/closed"
echo secret >"$src/closed/unseen"
echo secret >"$src/closed-file"
echo open >"$src/open-file"
ln -s open-file "$src/link"
chmod 600 "$src/closed-file"
py tree big "$src/large.bin" 20
write_conf
faults "fail_keys = bad/f0001:EIO"
cache_size=64M
start_daemon allow_other
cd "$work"

run()	# run STATUS COMMAND...: keeps $work/out and $work/err
{
	local want=$1 status=0
	shift
	timeout -k 2 40 "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	[ $status = "$want" ] || fail "$*: exit $status, should be $want
$(cat "$work/out" "$work/err")"
	# What went wrong is said, and where it is looked for.
	[ $status = 0 ] || [ -s "$work/err" ] || fail "$*: says nothing on stderr"
}

says()	# says out|err TEXT...
{
	local file=$work/$1 text
	shift
	for text; do
		grep -qF -- "$text" "$file" || fail "no \"$text\" in: $(cat "$file")"
	done
}

json()	# json WHAT [ARGUMENT...]: looks at $work/out
{
	py thaw "$@" <"$work/out"
}

nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)

note "usage"
for words in "" "frob" "stage" "state" "pin" "evict" "cancel" "unpin" "cancel a b" "pins x" \
		"stage $mnt --frob" "stage --from x $mnt" "stage -0 $mnt" "stage $mnt --min-fraction 2" \
		"stage $mnt --min-fraction 0" "pin $mnt --for soon" "pin $mnt --for 1d --forever" \
		"pin $mnt --until never" "status --mount" "requests --limit x --mount $mnt" \
		"import --wait --no-wait"; do
	# shellcheck disable=SC2086
	run 2 "$thaw" $words
done
run 0 "$thaw" --help
run 0 "$thaw" --version
says out thaw
for command in import state stage requests cancel pin unpin pins evict status; do
	run 0 "$thaw" $command --help
	says out "$command"
	run 0 "$thaw" help $command
done

note "finding the daemon"
run 1 "$thaw" state /etc
run 1 "$thaw" state "$mnt/nowhere"
says err "$mnt/nowhere"
run 1 "$thaw" status --socket "$work/none.sock"
says err "$work/none.sock"
run 1 "$thaw" status --mount /etc
run 0 "$thaw" status --mount "$mnt/set"
run 0 "$thaw" --mount "$mnt" status
run 0 "$thaw" status --socket "$socket" --json
json keys size used resident_bytes files importing archives
(cd "$mnt/set" && run 0 "$thaw" status && run 0 "$thaw" state f0000 && says out f0000)
(cd "$mnt/set" && run 0 "$thaw" state ../set/./f0000 ..)
ln -s "$mnt/set" "$work/way-in"
run 0 "$thaw" state "$work/way-in/f0000"
says out "$work/way-in/f0000"
mkdir "$work/bound"
mount --bind "$mnt/set" "$work/bound"
run 0 "$thaw" state "$work/bound/f0001"
run 0 "$thaw" stage --wait "$work/bound/f0001"
has_state online "$mnt/set/f0001" || fail "staging through a bind mount reached something else"
run 0 "$thaw" state "$work/bound" --json
json files_are "$work/bound" 11
umount "$work/bound"

note "state"
run 0 "$thaw" state "$mnt/set"
[ "$(grep -c "offline" "$work/out")" = 9 ] || fail "$(cat "$work/out")"
[ "$(grep -c "online" "$work/out")" = 1 ]
[ "$(grep -c "partial .*$mnt/set/$" "$work/out")" = 1 ] || fail "$(cat "$work/out")"
run 0 "$thaw" state -d "$mnt/set"
[ "$(grep -c "$mnt" "$work/out")" = 1 ]
run 0 "$thaw" state -r "$mnt" --json
json tree "$src"
run 3 "$thaw" state "$mnt/open-file" "$mnt/none" --json
json errors "$mnt/none"
py thaw terminal "$thaw" state -r "$mnt/odd/names"

note "stage"
run 0 "$thaw" stage "$mnt/set"
id=$(cat "$work/out")
[[ $id =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]] || fail "an id: $id"
wait_until 10 has_state online "$mnt/set"
run 0 "$thaw" requests "$id" --mount "$mnt"
says out "$id" COMPLETED "$mnt/set/f0009"
run 0 "$thaw" requests "$id" --mount "$mnt" --json
json request 10 COMPLETED
run 0 "$thaw" requests --mount "$mnt" --json
json requests "$id"
run 1 "$thaw" requests 00000000-0000-0000-0000-000000000000 --mount "$mnt"
run 3 "$thaw" stage "$mnt/open-file" "$mnt/none"
says err "$mnt/none"
run 1 "$thaw" stage "$mnt/none" "$mnt/nor-this"
says err "$mnt/none" "$mnt/nor-this"
run 1 "$thaw" stage /etc/hostname
run 3 "$thaw" stage --wait "$mnt/bad"
says err "$mnt/bad/f0001"
run 1 "$thaw" stage --wait "$mnt/bad/f0001" --json
json request 1 FAILED
run 3 "$thaw" stage --wait "$mnt/set" "$mnt/none" --json
json request 11 COMPLETED "$mnt/none"
run 0 "$thaw" stage --min-fraction 50% "$mnt/bad"
has_state failed "$mnt/bad/f0001" || fail "a failed file is $(state "$mnt/bad/f0001")"
[ -n "$(xattr error "$mnt/bad/f0001")" ] || fail "its error has no words"

note "stage --from"
run 0 "$thaw" evict "$mnt"
(cd "$mnt" && find odd/names -type f -print0) >"$work/list0"
(cd "$mnt" && run 0 "$thaw" stage --wait -0 --from "$work/list0")
has_state online "$mnt/odd/names"
run 0 "$thaw" evict "$mnt"
find "$mnt/set" -type f >"$work/list"
"$thaw" stage --wait --from - <"$work/list" >"$work/out" || fail "--from -: exit $?"
has_state online "$mnt/set"
echo "$mnt/none" >>"$work/list"
run 3 "$thaw" stage --from "$work/list"
run 1 "$thaw" stage --from "$work/no-list"
: >"$work/empty-list"
run 1 "$thaw" stage --from "$work/empty-list"

note "waiting, interrupted, cancelled"
run 0 "$thaw" evict "$mnt"
faults "endless = yes"
py thaw interrupted "$thaw" "$mnt/set"
wait_until 5 not has_state offline "$mnt/set/f0000"
id=$(thaw_json requests.0.requestId requests --mount "$mnt")
run 0 "$thaw" requests "$id" --mount "$mnt"
says out "$mnt/set/f0003"
run 0 "$thaw" cancel "$id" --mount "$mnt"
run 0 "$thaw" requests "$id" --mount "$mnt" --json
json request 10 CANCELLED
run 0 "$thaw" cancel "$id" --mount "$mnt"
run 1 "$thaw" cancel nonsense --mount "$mnt"
faults
wait_until 10 at_rest

note "pin, pins, unpin, evict"
run 0 "$thaw" pin --wait --for 7d --label "run 12" "$mnt/set"
has_state online "$mnt/set"
run 0 "$thaw" pins --mount "$mnt"
says out "$mnt/set" "run 12" root
run 0 "$thaw" pins --mount "$mnt" --json
json pins "$mnt/set" "run 12"
run 0 "$thaw" stage --wait "$mnt/odd/kinds"
run 3 "$thaw" evict "$mnt"
says err pinned
has_state online "$mnt/set" || fail "pinned files were evicted"
has_state offline "$mnt/odd/kinds"
run 1 "$thaw" evict "$mnt/set" --json
json errors "$mnt/set"
run 0 "$thaw" pin --until 2099-01-01 "$mnt/set"
[ "$(xattr pin "$mnt/set")" = 2099-01-01T00:00:00Z ]
run 1 "$thaw" pin --until 2001-01-01 "$mnt/open-file"
run 0 "$thaw" unpin "$mnt/set"
run 1 "$thaw" unpin "$mnt/set"
run 0 "$thaw" evict "$mnt/set"
says out "evicted 10 files"
run 0 "$thaw" evict "$mnt/set"
run 0 "$thaw" pin --wait "$mnt/open-file"
run 0 "$thaw" evict --force "$mnt/open-file"
[ "$(xattr pin "$mnt/open-file")" = forever ] || fail "--force took the pin away"
run 0 "$thaw" unpin "$mnt/open-file"
exec 7<"$mnt/large.bin"
wait_until 10 has_state online "$mnt/large.bin"
run 1 "$thaw" evict "$mnt/large.bin"
says err "in use"
exec 7<&-
wait_until 5 "$thaw" evict "$mnt/large.bin"

note "a pin that does not fit"
py tree big "$src/huge.bin" 80
run 0 "$thaw" import "$mnt"
run 1 "$thaw" pin "$mnt/huge.bin"
says err "$mnt/huge.bin"
[ "$(xattr pin "$mnt/huge.bin")" = none ]
run 1 "$thaw" stage --wait "$mnt/huge.bin"
rm "$src/huge.bin"

note "import"
echo new >"$src/set/new"
[ ! -e "$mnt/set/new" ]
run 0 "$thaw" import "$mnt/set" --json
json imported 1
[ "$(cat "$mnt/set/new")" = new ]
run 0 "$thaw" import all --mount "$mnt"
run 1 "$thaw" import nonesuch --mount "$mnt"
says err nonesuch
run 1 "$thaw" import "$mnt/none"
run 0 "$thaw" import --no-wait --mount "$mnt"
(cd "$mnt/set" && run 0 "$thaw" import)

note "as nobody"
run 0 "${nobody[@]}" "$thaw" state "$mnt/open-file"
run 0 "${nobody[@]}" "$thaw" stage --wait "$mnt/open-file" "$mnt/set"
run 1 "${nobody[@]}" "$thaw" stage "$mnt/closed-file"
says err "$mnt/closed-file"
run 1 "${nobody[@]}" "$thaw" stage "$mnt/closed"
run 1 "${nobody[@]}" "$thaw" stage "$mnt/closed/unseen"
run 1 "${nobody[@]}" "$thaw" pin "$mnt/closed-file"
run 3 "${nobody[@]}" "$thaw" stage "$mnt/open-file" "$mnt/closed-file"
has_state offline "$mnt/closed-file" || fail "nobody staged a file that only root may read"
run 3 "${nobody[@]}" "$thaw" state -r "$mnt"
if grep -q unseen "$work/out"; then fail "nobody saw into a closed directory"; fi
run 1 "${nobody[@]}" "$thaw" evict "$mnt/open-file"
run 1 "${nobody[@]}" "$thaw" import "$mnt"
run 0 "${nobody[@]}" "$thaw" status --mount "$mnt"
run 0 "$thaw" pin "$mnt/set"
run 1 "${nobody[@]}" "$thaw" unpin "$mnt/set"
[ "$(xattr pin "$mnt/set")" = forever ]
run 0 "${nobody[@]}" "$thaw" pin "$mnt/open-file" --for 1h
run 0 "${nobody[@]}" "$thaw" pins --mount "$mnt"
says out "$mnt/open-file" nobody
run 0 "${nobody[@]}" "$thaw" unpin "$mnt/open-file"
run 0 "$thaw" stage "$mnt/closed-file"
id=$(cat "$work/out")
run 1 "${nobody[@]}" "$thaw" cancel "$id" --mount "$mnt"
run 1 "${nobody[@]}" "$thaw" requests "$id" --mount "$mnt"
run 0 "${nobody[@]}" "$thaw" requests --mount "$mnt"
if grep -q "$id" "$work/out"; then fail "nobody sees the requests of root"; fi
run 0 "${nobody[@]}" "$thaw" stage "$mnt/odd"
run 0 "$thaw" requests --mount "$mnt"
says out nobody
stop_daemon
run 1 "$thaw" status --socket "$socket"

note "a mount that is not shared"
start_daemon
run 1 "${nobody[@]}" "$thaw" state "$mnt/open-file" --socket "$socket"
run 1 "${nobody[@]}" "$thaw" stage "$mnt/open-file" --socket "$socket"
run 0 "$thaw" unpin "$mnt/set"
kill_daemon
run 1 "$thaw" status --mount "$mnt"
run 1 "$thaw" state "$mnt/open-file"
umount -l "$mnt"
