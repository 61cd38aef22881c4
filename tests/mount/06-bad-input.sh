#!/bin/bash
# What cannot be: one clear line that names the thing, exit 2 for how it was called or
# configured and 1 for the rest, nothing mounted and nothing left behind.
limit=80
. "$(dirname "$0")/lib/common.sh" || exit

py tree some "$src" 5 1000 "$seed"
wrong=0

bad()	# bad STATUS 'WORD WORD...' ARGUMENT...: thawfs says one line on stderr with these words
{
	local want=$1 words=$2 status=0 word before
	shift 2
	before=$(mount_ids)
	timeout -k 2 20 "$thawfs" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	[ "$status" = "$want" ] || complain "$*: exit $status, should be $want"
	[ "$(wc -l <"$work/err")" = 1 ] || complain "$*: $(wc -l <"$work/err") lines on stderr"
	[ ! -s "$work/out" ] || complain "$*: it spoke on stdout"
	for word in $words; do
		grep -qiF -- "$word" "$work/err" || complain "$*: does not say \"$word\""
	done
	[ "$(mount_ids)" = "$before" ] || complain "$*: mounted something"
	printf '%s  ' "$status"
	cat "$work/err"
}

complain()
{
	wrong=$((wrong + 1))
	echo "$test_name: $1" >&2
	sed 's/^/	/' "$work/err" >&2
}

untouched()	# neither cache nor catalog nor socket were made
{
	local path
	for path in "$cache" "$catalog" "$socket"; do
		[ ! -e "$path" ] || complain "$path was left behind"
		rm -rf "$path"
	done
}

config()	# config LINE...: $conf with these lines in place of good ones
{
	printf '%s\n' "$@" >"$conf"
}
good_archive=$(printf '[archive a]\ntype = posix\npath = %s' "$src")
good_collection=$'[collection c]\narchive = a\npath = /'

note "the command line"
bad 2 "colour" "$src" "$mnt" -o "$(options colour=blue)"
bad 2 "cache_siz cache_size" "$src" "$mnt" -o cache_siz=1G
bad 2 "cache_size lots" "$src" "$mnt" -o "$(options cache_size=lots)"
bad 2 "cache_size" "$src" "$mnt" -o "$(options cache_size=1K)"
bad 2 "high" "$src" "$mnt" -o "$(options high=110%)"
bad 2 "low" "$src" "$mnt" -o "$(options high=50%,low=60%)"
bad 2 "on_offline" "$src" "$mnt" -o "$(options on_offline=perhaps)"
bad 2 "endpoint" "$src" "$mnt" -o "$(options endpoint=http://x)"
bad 2 "MOUNTPOINT --help" "$src"
bad 2 "SOURCE --help"
bad 2 "third --help" "$src" "$mnt" "$work/third"
bad 2 "--frobnicate" "$src" "$mnt" --frobnicate
untouched

note "the configuration"
config "$good_archive" "colour = blue" "$good_collection"
bad 2 "$conf:4 colour" "$conf" "$mnt" -o "$(options)"
config "$good_archive" "$good_collection" "fixitty = none"
bad 2 "$conf:7 fixitty fixity" "$conf" "$mnt" -o "$(options)"
config "$good_archive" "$good_collection" "[cashe]"
bad 2 "$conf:7 cashe cache" "$conf" "$mnt" -o "$(options)"
config "$good_archive" "[collection c]" "archive = b"
bad 2 "$conf:4 b" "$conf" "$mnt" -o "$(options)"
config "[cache]" "size = many" "$good_archive" "$good_collection"
bad 2 "$conf:2 many" "$conf" "$mnt" -o "cache=$cache,catalog=$catalog,socket=$socket"
config "[archive a]" "type = drum" "path = $src" "$good_collection"
bad 2 "$conf:2 drum" "$conf" "$mnt" -o "$(options)"
config "[archive a]" "type = posix" "$good_collection"
bad 2 "$conf:1 path" "$conf" "$mnt" -o "$(options)"
config "$good_archive" "$good_collection" "fixity = bagit"
bad 2 "fixity bagit version none" "$conf" "$mnt" -o "$(options)"
config "$good_archive" "$good_collection" "quota = 5G"
bad 2 "quota version" "$conf" "$mnt" -o "$(options)"
bad 2 "order version lru" "$src" "$mnt" -o "$(options policy=order)"
config "$good_archive" "this is no line" "$good_collection"
bad 2 "$conf:4" "$conf" "$mnt" -o "$(options)"
echo >"$conf"
bad 2 "$conf collection" "$conf" "$mnt" -o "$(options)"
config "[archive a]" "type = s3" "bucket = b" "credentials = $work/secret" "$good_collection"
touch "$work/secret"
chmod 644 "$work/secret"
bad 2 "$work/secret chmod" "$conf" "$mnt" -o "$(options)"
rm -f "$conf"
bad 1 "$conf" "$conf" "$mnt" -o "$(options)"
untouched

note "source and mountpoint"
bad 1 "$work/nowhere" "$work/nowhere" "$mnt" -o "$(options)"
touch "$work/file"
bad 2 "$work/file" "$work/file" "$mnt" -o "$(options)"
bad 1 "$work/no-mnt" "$src" "$work/no-mnt" -o "$(options)"
bad 1 "$work/file" "$src" "$work/file" -o "$(options)"
bad 2 "$src" "$src" "$src" -o "$(options)"
mkdir "$src/inside"
bad 2 "$src/inside" "$src" "$src/inside" -o "$(options)"
rmdir "$src/inside"
untouched

note "places inside each other"
bad 2 "$mnt/cache" "$src" "$mnt" -o "$(options "cache=$mnt/cache")"
bad 2 "$mnt/db" "$src" "$mnt" -o "$(options "catalog=$mnt/db")"
bad 2 "$mnt/sock" "$src" "$mnt" -o "$(options "socket=$mnt/sock")"
bad 2 "$src/cache" "$src" "$mnt" -o "$(options "cache=$src/cache")"
bad 2 "$src/db" "$src" "$mnt" -o "$(options "catalog=$src/db")"
ln -s "$src" "$work/also-src"
bad 2 "$src" "$src" "$mnt" -o "$(options "cache=$work/also-src/cache")"
[ "$(find "$src" | wc -l)" = 6 ] || complain "something was put into the archive"
[ "$(find "$mnt" | wc -l)" = 1 ] || complain "something was put into the mountpoint"
untouched

note "a source that cannot be read"
# Root reads all; so the daemon runs without the capabilities that let it.
mkdir -m 0000 "$work/locked"
chown 1:1 "$work/locked"
status=0
timeout 20 setpriv --bounding-set -dac_override,-dac_read_search \
	--inh-caps -dac_override,-dac_read_search \
	"$thawfs" "$work/locked" "$mnt" -o "$(options)" >"$work/out" 2>"$work/err" || status=$?
cat "$work/err"
[ $status = 1 ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -qF "$work/locked" "$work/err" ||
	complain "an unreadable source: exit $status"
[ -z "$(mount_ids)" ] || complain "an unreadable source was mounted"

note "the cache"
touch "$work/file"
bad 1 "$work/file" "$src" "$mnt" -o "$(options "cache=$work/file")"
mkdir "$work/used"
touch "$work/used/thesis.txt"
bad 1 "$work/used" "$src" "$mnt" -o "$(options "cache=$work/used")"
[ -e "$work/used/thesis.txt" ] || fail "a stranger's file was removed"
mkdir "$work/full"
mount -t tmpfs -o size=64k none "$work/full"
dd if=/dev/zero of="$work/full/ballast" bs=64k count=1 status=none 2>/dev/null || :
mkdir "$work/full/cache"
bad 1 "$work/full/cache" "$src" "$mnt" -o "$(options "cache=$work/full/cache")"
umount "$work/full"
printf 'thawfs-cache 99\nuuid \ncatalog \n' >"$work/used/thawfs.cache"
rm "$work/used/thesis.txt"
bad 1 "$work/used newer" "$src" "$mnt" -o "$(options "cache=$work/used")"
rm -f "$catalog"

note "the catalog"
start_daemon
cat "$mnt"/f* >/dev/null
stop_daemon
cp "$catalog" "$work/good.db"
damaged()	# damaged STATUS WORDS: with the catalog as it is now; it must not be thrown away
{
	local before
	before=$(sha256sum <"$catalog")
	bad "$1" "$2" "$src" "$mnt" -o "$(options)"
	[ "$(sha256sum <"$catalog")" = "$before" ] || complain "the catalog was changed"
	rm -f "$catalog"*
	cp "$work/good.db" "$catalog"
}
sqlite3 "$catalog" 'PRAGMA user_version = 9999'
damaged 1 "$catalog 9999"
head -c 100000 /dev/urandom >"$catalog"
damaged 1 "$catalog"
head -c 65536 /dev/zero >"$catalog"
damaged 1 "$catalog"
truncate -s 10000 "$catalog"
damaged 1 "$catalog"
dd if=/dev/urandom of="$catalog" bs=4096 seek=2 count=6 conv=notrunc status=none
damaged 1 "$catalog"
echo "I am a text" >"$catalog"
damaged 1 "$catalog"
rm -f "$catalog"
mkdir "$catalog"
bad 1 "$catalog" "$src" "$mnt" -o "$(options)"
rmdir "$catalog"
cp "$work/good.db" "$catalog"

note "a second daemon"
start_daemon
mkdir "$work/mnt2"
bad 1 "$catalog" "$src" "$work/mnt2" \
	-o "$(options "cache=$work/cache2,socket=$work/sock2")"
bad 1 "$cache" "$src" "$work/mnt2" \
	-o "$(options "catalog=$work/catalog2.db,socket=$work/sock2")"
bad 1 "$socket" "$src" "$work/mnt2" \
	-o "$(options "cache=$work/cache2,catalog=$work/catalog2.db")"
py compare "$src" "$mnt"
"$thaw" status --socket "$socket" >/dev/null || fail "the first daemon lost its socket"
stop_daemon

[ "$(pgrep -c -f -- "$work/mnt")" = 0 ] || fail "daemons are left: $(pgrep -a -f -- "$work/mnt")"
[ $wrong = 0 ] || fail "$wrong complaints"
