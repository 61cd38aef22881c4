#!/bin/bash
# Every way of reading gives the archive's names, attributes and bytes: cold, warm, by many
# at once, and after a restart from the cache alone.
limit=100
. "$(dirname "$0")/lib/common.sh" || exit

py tree real "$src"
py tree odd "$src/odd"
py tree big "$src/big.bin" 300
(cd "$src" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$work/sha256"
files=$(find "$src" -type f | wc -l)
note "an archive of $files files, $(du -sh --apparent-size "$src" | cut -f1)"
write_conf
faults

start_daemon
note "names and attributes, cold"
py compare "$src" "$mnt" --names
top() { stat -c '%A %u %g %y' "$1"; }
[ "$(top "$src")" = "$(top "$mnt")" ] || fail "the top: $(top "$src"), not $(top "$mnt")"
has_state offline "$mnt" || fail "names or attributes brought content: $(state "$mnt")"
[ "$(status_of staged_files)" = 0 ] || fail "files were staged by looking"

note "64 readers at once, cold"
py readers "$src" "$mnt" --threads 64 --share --how mixed --seed "$seed"
wait_until 10 has_state online "$mnt"

note "the usual tools, warm"
diff -r --no-dereference "$src" "$mnt" --exclude=not-shown
(cd "$mnt" && sha256sum --quiet -c "$work/sha256")
cmp <(cd "$src" && tar --exclude=not-shown --sort=name -cf - -- *) \
	<(cd "$mnt" && tar --exclude=not-shown --sort=name -cf - -- *) || fail "tar archives differ"
[ "$(grep -r --binary-files=without-match -c GNU "$mnt" | sort | sha256sum)" = \
	"$(cd "$work" && grep -r --binary-files=without-match -c GNU "$src" |
		sed "s|^$src|$mnt|" | sort | sha256sum)" ] || fail "grep found other lines"
mkdir "$work/copy"
cp -a "$mnt/odd" "$mnt/usr-share-doc" "$work/copy"
py compare "$src/odd" "$work/copy/odd" --copy
rm -rf "$work/copy"

note "mappings, random and odd reads, warm"
py compare "$src" "$mnt" --how mmap
py compare "$src/odd" "$mnt/odd" --how odd
py compare "$src/odd" "$mnt/odd" --how random

note "after a restart, the archive away: warm, from the cache alone"
stop_daemon
faults "down = yes"
mv "$src" "$src.away"
mkdir "$src"
start_daemon
drop_caches
has_state online "$mnt" || fail "after a restart the mount is $(state "$mnt")"
py compare "$src.away" "$mnt"
py readers "$src.away" "$mnt" --threads 16 --share --how mmap --seed "$seed"
[ "$(status_of misses)" = 0 ] || fail "warm files were asked of the archive again"
stop_daemon

note "names without a cache or an archive: unknown is not absent"
rm -rf "$cache"
start_daemon
py compare "$src.away" "$mnt" --names
has_state offline "$mnt" || fail "an empty cache, but the mount is $(state "$mnt")"
stop_daemon
