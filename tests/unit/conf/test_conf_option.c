/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What -o takes, hands on, drops and refuses.
 */
#include <errno.h>
#include <stdio.h>
#include <syslog.h>

#include "scratch.h"

static void load(const char *options)
{
	int rc = scratch_load("@/src", options);

	ck_assert_msg(rc == 0, "%s", scratch_err.text);
}

START_TEST(every_key_of_daemon_and_cache)
{
	load("catalog=@/c.db,socket=@/s.sock,metrics=localhost:1,workers=3,import_workers=4,"
	     "log_level=error,cache=@/cache,cache_size=500G,high=80%,low=70%,policy=fifo,"
	     "stream_min=0,chunk=1M,space_wait=0");
	ck_assert_str_eq(scratch_conf->catalog, scratch_path("@/c.db"));
	ck_assert_str_eq(scratch_conf->socket, scratch_path("@/s.sock"));
	ck_assert_str_eq(scratch_conf->metrics, "localhost:1");
	ck_assert_uint_eq(scratch_conf->workers, 3);
	ck_assert_uint_eq(scratch_conf->import_workers, 4);
	ck_assert_int_eq(scratch_conf->log_level, LOG_ERR);
	ck_assert_str_eq(scratch_conf->cache_path, scratch_path("@/cache"));
	ck_assert_uint_eq(scratch_conf->cache_size, UINT64_C(500) << 30);
	ck_assert_uint_eq(scratch_conf->high, 80);
	ck_assert_uint_eq(scratch_conf->low, 70);
	ck_assert_int_eq(scratch_conf->policy, THAW_EVICT_FIFO);
	ck_assert_uint_eq(scratch_conf->stream_min, 0);
	ck_assert_uint_eq(scratch_conf->chunk, 1 << 20);
	ck_assert_int_eq(scratch_conf->space_wait, 0);
}
END_TEST

START_TEST(words_of_the_mount)
{
	load("ro,allow_other,on_offline=queue,io_uring=on,passthrough=off");
	ck_assert(scratch_conf->ro && scratch_conf->allow_other);
	ck_assert_int_eq(scratch_conf->on_offline, THAW_OFFLINE_QUEUE);
	ck_assert_int_eq(scratch_conf->collections[0].on_offline, THAW_OFFLINE_QUEUE);
	ck_assert_int_eq(scratch_conf->io_uring, THAW_ON);
	ck_assert_int_eq(scratch_conf->passthrough, THAW_OFF);
	load("ro,rw");
	ck_assert(!scratch_conf->ro);
}
END_TEST

START_TEST(keys_of_the_one_collection)
{
	const struct thaw_conf_collection *collection;

	load("fixity=bagit,quota=1G,uid=5,gid=6,mode=0440,connections=9,version=mtime");
	collection = &scratch_conf->collections[0];
	ck_assert_str_eq(collection->fixity, "bagit");
	ck_assert_uint_eq(collection->quota, 1 << 30);
	ck_assert(collection->uid == 5 && collection->gid == 6 && collection->mode == 0440);
	ck_assert_uint_eq(scratch_conf->archives[0].connections, 9);
	ck_assert_str_eq(thaw_conf_archive_get(&scratch_conf->archives[0], "version"), "mtime");
}
END_TEST

START_TEST(s3_words)
{
	const struct thaw_conf_archive *archive;
	int rc;

	scratch_touch("@/key", 0600);
	rc = scratch_load("s3://b/p/q",
			  "endpoint=http://x:9000,region=eu-north-1,credentials=@/key,"
			  "endpoint=http://y,signature=v2");
	ck_assert_msg(rc == 0, "%s", scratch_err.text);
	archive = &scratch_conf->archives[0];
	ck_assert_str_eq(thaw_conf_archive_get(archive, "endpoint"),
			 "http://y"); /* the later one */
	ck_assert_str_eq(thaw_conf_archive_get(archive, "region"), "eu-north-1");
	ck_assert_str_eq(thaw_conf_archive_get(archive, "credentials"), scratch_path("@/key"));
	ck_assert_str_eq(thaw_conf_archive_get(archive, "signature"), "v2");
	ck_assert_str_eq(thaw_conf_archive_get(archive, "bucket"), "b");
	ck_assert_uint_eq(archive->pair_count, 5);
}
END_TEST

START_TEST(several_strings_and_the_last_wins)
{
	const char *const options[] = {"workers=1,chunk=1M", "", ",,workers=2,", NULL};
	struct thaw_conf *conf = NULL;

	ck_assert_int_eq(thaw_conf_load(scratch_path("@/src"), scratch_path("@/mnt"), options,
					&conf, &scratch_err),
			 0);
	ck_assert_uint_eq(conf->workers, 2);
	ck_assert_uint_eq(conf->chunk, 1 << 20);
	thaw_conf_free(conf);
}
END_TEST

START_TEST(commas_and_backslashes_can_be_written)
{
	load("cache=@/a\\,b\\\\c\\d,workers=2");
	ck_assert_str_eq(scratch_conf->cache_path, scratch_path("@/a,b\\c\\d"));
	ck_assert_uint_eq(scratch_conf->workers, 2);
}
END_TEST

START_TEST(relative_paths_are_meant_from_here)
{
	load("cache=./cache,catalog=c.db,socket=s.sock");
	ck_assert_str_eq(scratch_conf->cache_path, scratch_path("@/cache"));
	ck_assert_str_eq(scratch_conf->catalog, scratch_path("@/c.db"));
	ck_assert_str_eq(scratch_conf->socket, scratch_path("@/s.sock"));
}
END_TEST

START_TEST(words_for_others_are_dropped)
{
	load("defaults,_netdev,nofail,noauto,auto,user,nouser,users,x-systemd.automount,"
	     "x-systemd.requires=network.target,comment=hi,relatime");
	ck_assert_str_eq(scratch_conf->fuse_options, "");
}
END_TEST

START_TEST(words_for_libfuse_are_handed_on)
{
	load("nodev,workers=2,nosuid,fsname=a\\,b,subtype=thaw,max_threads=8,default_permissions,"
	     "noexec,noatime");
	ck_assert_str_eq(scratch_conf->fuse_options,
			 "nodev,nosuid,fsname=a\\,b,subtype=thaw,max_threads=8,default_permissions,"
			 "noexec,noatime");
}
END_TEST

static const struct {
	const char *source, *options, *message;
} wrong[] = {
	{"@/src", "cach=/x", "-o cach: no such option; did you mean cache?"},
	{"@/src", "cachesize=1G", "-o cachesize: no such option; did you mean cache_size?"},
	{"@/src", "noatme", "did you mean noatime?"},
	{"@/src", "allow-other", "did you mean allow_other?"},
	{"@/src", "uringio", "-o uringio: no such option; thawfs(8) lists them"},
	{"@/src", "size=1G", "-o size: no such option"},
	{"@/src", "\033=1", "-o \\033: no such option"},
	{"@/src", "allow_root", "-o allow_root: no such option"},
	{"@/src", "max_threads", "-o max_threads: no such option; did you mean max_threads=?"},
	{"@/src", "cache", "-o cache: needs a value, cache=path"},
	{"@/src", "cache=", "-o cache=: has no value"},
	{"@/src", "cache_size=lots", "-o cache_size=lots: is not a size; write 500G"},
	{"@/src", "cache_size=1M", "-o cache_size=1M: must be between 16M and 1024P"},
	{"@/src", "ro=perhaps", "-o ro=perhaps: must be one of: yes no"},
	{"@/src", "on_offline=wait", "must be one of: block eagain queue eacces"},
	{"@/src", "io_uring=1", "must be one of: auto on off"},
	{"@/src", "low=99%,high=99%", "-o low: 99% is not below high (99%)"},
	{"@/src", "high=90%", "low (default): 90% is not below high (90%)"},
	{"@/src", "endpoint=http://x", "-o endpoint: is for a SOURCE like s3://bucket"},
	{"s3://b", "version=ctime", "has no key \"version\""},
	{"@/t.conf", "endpoint=http://x", "-o endpoint: is for a SOURCE like s3://bucket"},
	{"@/t.conf", "fixity=bagit", "-o fixity: set it in"},
	{"@/t.conf", "connections=1", "-o connections: set it in"},
};

START_TEST(wrong_options)
{
	int rc;

	scratch_write("[archive a]\ntype = mem\n[collection c]\narchive = a\n");
	rc = scratch_load(wrong[_i].source, wrong[_i].options);
	ck_assert_msg(rc == -EINVAL, "%s: code %d, %s", wrong[_i].options, rc, scratch_err.text);
	ck_assert_msg(strstr(scratch_err.text, wrong[_i].message), "%s: %s", wrong[_i].options,
		      scratch_err.text);
}
END_TEST

START_TEST(the_message_is_one_line)
{
	ck_assert_int_eq(scratch_load("@/src", "cache=@/mnt/a\nforged\033[2J"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(scratch_err.text, "a?forged?[2J lies inside the mountpoint"));
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, every_key_of_daemon_and_cache);
	tcase_add_test(tcase, words_of_the_mount);
	tcase_add_test(tcase, keys_of_the_one_collection);
	tcase_add_test(tcase, s3_words);
	tcase_add_test(tcase, several_strings_and_the_last_wins);
	tcase_add_test(tcase, commas_and_backslashes_can_be_written);
	tcase_add_test(tcase, relative_paths_are_meant_from_here);
	tcase_add_test(tcase, words_for_others_are_dropped);
	tcase_add_test(tcase, words_for_libfuse_are_handed_on);
	tcase_add_test(tcase, the_message_is_one_line);
	tcase_add_loop_test(tcase, wrong_options, 0, COUNT(wrong));
}

int main(void)
{
	return scratch_run("conf_option", add);
}
