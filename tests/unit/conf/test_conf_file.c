/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that are right, and what they come to.
 */
#include <syslog.h>

#include "scratch.h"

#define LEAST "[archive a]\ntype = mem\n[collection c]\narchive = a\n"

static void load(const char *content)
{
	int rc = scratch_load_file(content, NULL);

	ck_assert_msg(rc == 0, "%s", scratch_err.text);
}

START_TEST(the_least_there_can_be)
{
	const struct thaw_conf_collection *collection;

	load(LEAST);
	ck_assert_uint_eq(scratch_conf->archive_count, 1);
	ck_assert_str_eq(scratch_conf->archives[0].name, "a");
	ck_assert_str_eq(scratch_conf->archives[0].type, "mem");
	ck_assert_uint_eq(scratch_conf->archives[0].connections, 16);
	ck_assert_uint_eq(scratch_conf->archives[0].line, 1);
	ck_assert_uint_eq(scratch_conf->collection_count, 1);
	collection = &scratch_conf->collections[0];
	ck_assert_str_eq(collection->name, "c");
	ck_assert_str_eq(collection->archives[0], "a");
	ck_assert_uint_eq(collection->archive_count, 1);
	ck_assert_str_eq(collection->path, "/c");
	ck_assert_str_eq(collection->prefix, "");
	ck_assert_str_eq(collection->fixity, "none");
	ck_assert_int_eq(collection->on_offline, THAW_OFFLINE_BLOCK);
	ck_assert_uint_eq(collection->quota, 0);
	ck_assert(collection->uid == -1 && collection->gid == -1 && collection->mode == -1);
	ck_assert_uint_eq(collection->line, 3);
}
END_TEST

START_TEST(defaults)
{
	load(LEAST);
	ck_assert_ptr_null(scratch_conf->metrics);
	ck_assert_uint_eq(scratch_conf->workers, 8);
	ck_assert_uint_eq(scratch_conf->import_workers, 8);
	ck_assert_int_eq(scratch_conf->log_level, LOG_INFO);
	ck_assert_uint_eq(scratch_conf->cache_size, UINT64_C(10) << 30);
	ck_assert_uint_eq(scratch_conf->high, 95);
	ck_assert_uint_eq(scratch_conf->low, 90);
	ck_assert_int_eq(scratch_conf->policy, THAW_EVICT_LRU);
	ck_assert_uint_eq(scratch_conf->stream_min, 256 << 20);
	ck_assert_uint_eq(scratch_conf->chunk, 8 << 20);
	ck_assert_int_eq(scratch_conf->space_wait, 60);
	ck_assert(!scratch_conf->ro && !scratch_conf->allow_other && !scratch_conf->foreground);
	ck_assert_int_eq(scratch_conf->io_uring, THAW_AUTO);
	ck_assert_int_eq(scratch_conf->passthrough, THAW_AUTO);
	ck_assert_str_eq(scratch_conf->fuse_options, "");
}
END_TEST

START_TEST(daemon_and_cache)
{
	load("[daemon]\n"
	     "catalog = @/c.db\n"
	     "socket=@/s.sock\n"
	     "metrics = [::1]:9469\n"
	     "workers = 3\n"
	     "import_workers = 4\n"
	     "log_level = debug\n"
	     "[cache]\n"
	     "path = @/cache\n"
	     "size = 1.5T\n"
	     "high = 80%\n"
	     "low = 70\n"
	     "policy = order\n"
	     "stream_min = 1G\n"
	     "chunk = 64K\n"
	     "space_wait = 2m\n" LEAST);
	ck_assert_str_eq(scratch_conf->catalog, scratch_path("@/c.db"));
	ck_assert_str_eq(scratch_conf->socket, scratch_path("@/s.sock"));
	ck_assert_str_eq(scratch_conf->metrics, "[::1]:9469");
	ck_assert_uint_eq(scratch_conf->workers, 3);
	ck_assert_uint_eq(scratch_conf->import_workers, 4);
	ck_assert_int_eq(scratch_conf->log_level, LOG_DEBUG);
	ck_assert_str_eq(scratch_conf->cache_path, scratch_path("@/cache"));
	ck_assert_uint_eq(scratch_conf->cache_size, UINT64_C(3) << 39);
	ck_assert_uint_eq(scratch_conf->high, 80);
	ck_assert_uint_eq(scratch_conf->low, 70);
	ck_assert_int_eq(scratch_conf->policy, THAW_EVICT_ORDER);
	ck_assert_uint_eq(scratch_conf->stream_min, 1 << 30);
	ck_assert_uint_eq(scratch_conf->chunk, 65536);
	ck_assert_int_eq(scratch_conf->space_wait, 120);
}
END_TEST

START_TEST(collections_and_copies)
{
	const struct thaw_conf_collection *collection;

	load("[archive one]\ntype=mem\n[archive two]\ntype=mem\nconnections=64\n"
	     "[collection a]\n"
	     "archive = two , one\n"
	     "prefix = newspapers/1900\n"
	     "path = /papers/old/\n"
	     "fixity = manifest:sums/all.sha256\n"
	     "on_offline = queue\n"
	     "quota = 500G\n"
	     "uid = 4294967294\ngid = 7\nmode = 0444\n"
	     "[collection b]\narchive=one\npath=/papers/new\n");
	collection = &scratch_conf->collections[0];
	ck_assert_uint_eq(collection->archive_count, 2);
	ck_assert_str_eq(collection->archives[0], "two");
	ck_assert_str_eq(collection->archives[1], "one");
	ck_assert_str_eq(collection->prefix, "newspapers/1900/");
	ck_assert_str_eq(collection->path, "/papers/old");
	ck_assert_str_eq(collection->fixity, "manifest:sums/all.sha256");
	ck_assert_int_eq(collection->on_offline, THAW_OFFLINE_QUEUE);
	ck_assert_uint_eq(collection->quota, UINT64_C(500) << 30);
	ck_assert_int_eq(collection->uid, 4294967294);
	ck_assert_int_eq(collection->gid, 7);
	ck_assert_int_eq(collection->mode, 0444);
	ck_assert_str_eq(scratch_conf->collections[1].path, "/papers/new");
	ck_assert_uint_eq(thaw_conf_archive_named(scratch_conf, "two")->connections, 64);
	ck_assert_ptr_null(thaw_conf_archive_named(scratch_conf, "three"));
}
END_TEST

START_TEST(pairs_are_kept_for_the_backend)
{
	const struct thaw_conf_archive *archive;

	scratch_touch("@/key", 0600);
	load("[archive a]\n"
	     "endpoint = https://gw.example.org ; the gateway\n"
	     "credentials = @/key\n"
	     "type = s3\n"
	     "bucket = b\n"
	     "[collection c]\narchive = a\n");
	archive = &scratch_conf->archives[0];
	ck_assert_str_eq(thaw_conf_archive_get(archive, "endpoint"), "https://gw.example.org");
	ck_assert_str_eq(thaw_conf_archive_get(archive, "bucket"), "b");
	ck_assert_ptr_null(thaw_conf_archive_get(archive, "region"));
	ck_assert_ptr_null(thaw_conf_archive_get(archive, "type"));
	ck_assert_uint_eq(archive->pair_count, 3);
	ck_assert_uint_eq(archive->pairs[1].line, 3);
}
END_TEST

START_TEST(backends_for_tests_take_any_key)
{
	load("[archive f]\ntype = fault\ninner = posix\npath = @/src\nerror_rate = 10\n"
	     "[collection c]\narchive = f\n");
	ck_assert_str_eq(thaw_conf_archive_get(&scratch_conf->archives[0], "error_rate"), "10");
}
END_TEST

START_TEST(layout_of_lines_does_not_matter)
{
	load("\xEF\xBB\xBF; comment\r\n"
	     "\n"
	     "   # another = one\n"
	     "\t[ cache ]   ; here\n"
	     "\tsize=20G\t; as written\r\n" LEAST);
	ck_assert_uint_eq(scratch_conf->cache_size, UINT64_C(20) << 30);
}
END_TEST

START_TEST(a_comment_needs_a_blank_before_it)
{
	load("[cache]\npath = @/cache;a#b ;c\n" LEAST);
	ck_assert_str_eq(scratch_conf->cache_path, scratch_path("@/cache;a#b"));
	load("[cache]\npath = @/cache # a\n" LEAST);
	ck_assert_str_eq(scratch_conf->cache_path, scratch_path("@/cache"));
}
END_TEST

START_TEST(indented_lines_are_lines_of_their_own)
{
	load("    [cache]\n    size = 20G\n    chunk = 1M\n" LEAST);
	ck_assert_uint_eq(scratch_conf->cache_size, UINT64_C(20) << 30);
	ck_assert_uint_eq(scratch_conf->chunk, 1 << 20);
}
END_TEST

START_TEST(short_keys_may_share_a_line)
{
	const struct thaw_conf_collection *collection;

	load(LEAST "uid = 1  gid = 2\t mode = 0440  ; all three\n");
	collection = &scratch_conf->collections[0];
	ck_assert(collection->uid == 1 && collection->gid == 2 && collection->mode == 0440);
}
END_TEST

START_TEST(sections_may_come_in_any_order_and_parts)
{
	load("[collection c]\narchive = a\n[cache]\nsize = 20G\n[archive a]\ntype = mem\n"
	     "[cache]\nchunk = 1M\n");
	ck_assert_uint_eq(scratch_conf->cache_size, UINT64_C(20) << 30);
	ck_assert_uint_eq(scratch_conf->chunk, 1 << 20);
}
END_TEST

START_TEST(a_last_line_needs_no_newline)
{
	load("[archive a]\ntype = mem\n[collection c]\narchive = a");
}
END_TEST

START_TEST(options_win_over_the_file)
{
	int rc = scratch_load_file("[cache]\nsize = 20G\nlow = 10%\n" LEAST,
				   "cache_size=30G,high=50%,on_offline=eagain");

	ck_assert_msg(rc == 0, "%s", scratch_err.text);
	ck_assert_uint_eq(scratch_conf->cache_size, UINT64_C(30) << 30);
	ck_assert_uint_eq(scratch_conf->high, 50);
	ck_assert_uint_eq(scratch_conf->low, 10);
	ck_assert_int_eq(scratch_conf->collections[0].on_offline, THAW_OFFLINE_EAGAIN);
}
END_TEST

START_TEST(a_collection_wins_over_the_mount)
{
	ck_assert_int_eq(scratch_load_file(LEAST "on_offline = queue\n", "on_offline=eagain"), 0);
	ck_assert_int_eq(scratch_conf->collections[0].on_offline, THAW_OFFLINE_QUEUE);
	ck_assert_int_eq(scratch_conf->on_offline, THAW_OFFLINE_EAGAIN);
}
END_TEST

START_TEST(nobody_needs_the_text)
{
	struct thaw_conf *conf = NULL;

	scratch_write("[cache]\nsize = 1\n");
	ck_assert_int_ne(
		thaw_conf_load(scratch_path("@/t.conf"), scratch_path("@/mnt"), NULL, &conf, NULL),
		0);
	scratch_write(LEAST);
	ck_assert_int_eq(
		thaw_conf_load(scratch_path("@/t.conf"), scratch_path("@/mnt"), NULL, &conf, NULL),
		0);
	ck_assert_ptr_null(thaw_conf_free(conf));
	ck_assert_ptr_null(thaw_conf_free(NULL));
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, the_least_there_can_be);
	tcase_add_test(tcase, defaults);
	tcase_add_test(tcase, daemon_and_cache);
	tcase_add_test(tcase, collections_and_copies);
	tcase_add_test(tcase, pairs_are_kept_for_the_backend);
	tcase_add_test(tcase, backends_for_tests_take_any_key);
	tcase_add_test(tcase, layout_of_lines_does_not_matter);
	tcase_add_test(tcase, a_comment_needs_a_blank_before_it);
	tcase_add_test(tcase, indented_lines_are_lines_of_their_own);
	tcase_add_test(tcase, short_keys_may_share_a_line);
	tcase_add_test(tcase, sections_may_come_in_any_order_and_parts);
	tcase_add_test(tcase, a_last_line_needs_no_newline);
	tcase_add_test(tcase, options_win_over_the_file);
	tcase_add_test(tcase, a_collection_wins_over_the_mount);
	tcase_add_test(tcase, nobody_needs_the_text);
}

int main(void)
{
	return scratch_run("conf_file", add);
}
