/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The forms of SOURCE, the mountpoint, and where things go by default.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "scratch.h"

#define NOBODY 65534

START_TEST(a_directory)
{
	int rc = scratch_load("./src", NULL);

	ck_assert_msg(rc == 0, "%s", scratch_err.text);
	ck_assert_str_eq(scratch_conf->source, "./src");
	ck_assert_str_eq(scratch_conf->mountpoint, scratch_path("@/mnt"));
	ck_assert_uint_eq(scratch_conf->archive_count, 1);
	ck_assert_str_eq(scratch_conf->archives[0].name, "source");
	ck_assert_str_eq(scratch_conf->archives[0].type, "posix");
	ck_assert_uint_eq(scratch_conf->archives[0].connections, 16);
	ck_assert_str_eq(thaw_conf_archive_get(&scratch_conf->archives[0], "path"),
			 scratch_path("@/src"));
	ck_assert_uint_eq(scratch_conf->collection_count, 1);
	ck_assert_str_eq(scratch_conf->collections[0].name, "source");
	ck_assert_str_eq(scratch_conf->collections[0].path, "/");
	ck_assert_str_eq(scratch_conf->collections[0].prefix, "");
	ck_assert_str_eq(scratch_conf->collections[0].archives[0], "source");
}
END_TEST

START_TEST(a_directory_that_ends_in_conf)
{
	ck_assert_int_eq(mkdir("thaw.conf", 0755), 0);
	ck_assert_int_eq(scratch_load("@/thaw.conf", NULL), 0);
	ck_assert_str_eq(scratch_conf->archives[0].type, "posix");
}
END_TEST

START_TEST(buckets)
{
	static const char *const rows[][3] = {
		{"s3://b", "b", ""},
		{"s3://b/", "b", ""},
		{"s3://news.nb-1/a/b", "news.nb-1", "a/b/"},
		{"s3://b/a/", "b", "a/"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int rc = scratch_load(rows[i][0], NULL);

		ck_assert_msg(rc == 0, "%s: %s", rows[i][0], scratch_err.text);
		ck_assert_str_eq(scratch_conf->archives[0].type, "s3");
		ck_assert_str_eq(thaw_conf_archive_get(&scratch_conf->archives[0], "bucket"),
				 rows[i][1]);
		ck_assert_str_eq(scratch_conf->collections[0].prefix, rows[i][2]);
		ck_assert_str_eq(scratch_conf->collections[0].path, "/");
	}
}
END_TEST

static const struct {
	const char *source;
	int rc;
	const char *message;
} wrong[] = {
	{"s3://", -EINVAL, "s3://: no bucket; write s3://bucket"},
	{"s3:///x", -EINVAL, "no bucket"},
	{"s3://b c", -EINVAL, "no bucket"},
	{"s3://b//x", -EINVAL, "s3://b//x: the prefix: must not begin with '/'"},
	{"s3://b/../x", -EINVAL, "the prefix: must not"},
	{"@/gone", -ENOENT,
	 "SOURCE is a directory, s3://bucket[/prefix] or a file that ends in .conf"},
	{"@/gone.conf", -ENOENT, "gone.conf: No such file or directory"},
	{"", -ENOENT, "SOURCE is a directory"},
	{"gs://b", -ENOENT, "gs://b: No such file or directory; SOURCE is"},
	{"@/file", -EINVAL, "file: neither a directory nor a file that ends in .conf"},
	{"/dev/null", -EINVAL, "neither a directory nor"},
};

START_TEST(wrong_sources)
{
	int rc;

	scratch_touch("@/file", 0600);
	rc = scratch_load(wrong[_i].source, NULL);
	ck_assert_msg(rc == wrong[_i].rc, "%s: code %d, %s", wrong[_i].source, rc,
		      scratch_err.text);
	ck_assert_msg(strstr(scratch_err.text, wrong[_i].message), "%s", scratch_err.text);
}
END_TEST

static int load_at(const char *mountpoint)
{
	scratch_conf = thaw_conf_free(scratch_conf);
	return thaw_conf_load(scratch_path("@/src"), scratch_path(mountpoint), NULL, &scratch_conf,
			      &scratch_err);
}

START_TEST(mountpoints)
{
	scratch_touch("@/file", 0600);
	ck_assert_int_eq(load_at("@/gone"), -ENOENT);
	ck_assert_ptr_nonnull(strstr(scratch_err.text, "the mountpoint does not exist"));
	ck_assert_int_eq(load_at("@/file"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(scratch_err.text, "the mountpoint is not a directory"));
	ck_assert_int_eq(load_at("@/file/x"), -ENOTDIR);
	ck_assert_int_eq(symlink("mnt", "link"), 0);
	ck_assert_int_eq(load_at("link"), 0);
	ck_assert_str_eq(scratch_conf->mountpoint, scratch_path("@/mnt"));
}
END_TEST

/* Root's places are the system's; the tests of the others need to be others. */
static void as_a_user(void)
{
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(NOBODY), 0);
}

static void as_before(void)
{
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}

static char *mount_name(void)
{
	return thaw_path_mount_name(scratch_path("@/mnt"));
}

START_TEST(places_of_root)
{
	_cleanup_free_ char *name = mount_name();
	char expected[256];

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(scratch_load("@/src", NULL), 0);
	ck_assert_str_eq(scratch_conf->name, name);
	(void)snprintf(expected, sizeof(expected), "/var/cache/thawfs/%s", name);
	ck_assert_str_eq(scratch_conf->cache_path, expected);
	(void)snprintf(expected, sizeof(expected), "/var/lib/thawfs/%s.db", name);
	ck_assert_str_eq(scratch_conf->catalog, expected);
	(void)snprintf(expected, sizeof(expected), "/run/thawfs/%s.sock", name);
	ck_assert_str_eq(scratch_conf->socket, expected);
}
END_TEST

START_TEST(places_of_a_user)
{
	_cleanup_free_ char *name = mount_name();
	char expected[256];
	int rc;

	(void)setenv("XDG_CACHE_HOME", "relative/is/ignored", 1);
	(void)setenv("XDG_STATE_HOME", scratch_path("@/state"), 1);
	(void)setenv("XDG_RUNTIME_DIR", scratch_path("@/run"), 1);
	as_a_user();
	rc = scratch_load("@/src", NULL);
	as_before();
	ck_assert_msg(rc == 0, "%s", scratch_err.text);
	(void)snprintf(expected, sizeof(expected), "%s/.cache/thawfs/%s", scratch_dir, name);
	ck_assert_str_eq(scratch_conf->cache_path, expected);
	(void)snprintf(expected, sizeof(expected), "%s/state/thawfs/%s.db", scratch_dir, name);
	ck_assert_str_eq(scratch_conf->catalog, expected);
	(void)snprintf(expected, sizeof(expected), "%s/run/thawfs/%s.sock", scratch_dir, name);
	ck_assert_str_eq(scratch_conf->socket, expected);
}
END_TEST

START_TEST(a_user_without_a_home)
{
	int rc;

	(void)unsetenv("HOME");
	as_a_user();
	rc = scratch_load("@/src", NULL);
	as_before();
	ck_assert_int_eq(rc, -EINVAL);
	ck_assert_ptr_nonnull(strstr(scratch_err.text, "set HOME or give -o cache=PATH"));
	as_a_user();
	rc = scratch_load("@/src", "cache=@/cache,catalog=@/c.db"); /* a socket has a place */
	as_before();
	ck_assert_msg(rc == 0, "%s", scratch_err.text);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, a_directory);
	tcase_add_test(tcase, a_directory_that_ends_in_conf);
	tcase_add_test(tcase, buckets);
	tcase_add_loop_test(tcase, wrong_sources, 0, COUNT(wrong));
	tcase_add_test(tcase, mountpoints);
	tcase_add_test(tcase, places_of_root);
	tcase_add_test(tcase, places_of_a_user);
	tcase_add_test(tcase, a_user_without_a_home);
}

int main(void)
{
	return scratch_run("conf_source", add);
}
