/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cache, catalog, archives and mountpoint must keep out of each other's way,
 * and symbolic links must not hide that they do not.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

#define FREE "cache=@/cache,catalog=@/c.db,socket=@/s.sock"

static void make_links(void)
{
	ck_assert_int_eq(mkdir("mnt/in", 0755) | mkdir("src/in", 0755), 0);
	ck_assert_int_eq(symlink("../mnt/in", "cache/to_mnt") | symlink("src/in", "to_src"), 0);
}

static const struct {
	const char *source, *mountpoint, *options, *message;
} wrong[] = {
	{"@/src", "@/mnt", FREE ",cache=@/mnt", "-o cache: "},
	{"@/src", "@/mnt", FREE ",cache=@/mnt/in", "lies inside the mountpoint"},
	{"@/src", "@/mnt", FREE ",cache=@/mnt/new/deep", "lies inside the mountpoint"},
	{"@/src", "@/mnt", FREE ",cache=@/cache/to_mnt/x", "put the cache elsewhere"},
	{"@/src", "@/mnt", FREE ",cache=@/cache/../mnt", "lies inside the mountpoint"},
	{"@/src", "@/mnt", FREE ",catalog=@/mnt/c.db", "-o catalog: "},
	{"@/src", "@/mnt", FREE ",socket=@/mnt/s.sock", "-o socket: "},
	{"@/src", "@/mnt", FREE ",cache=@/src/cache", "where nothing is ever written"},
	{"@/src", "@/mnt", FREE ",cache=@/src", "put the cache elsewhere"},
	{"@/src", "@/mnt", FREE ",cache=@/to_src/x", "lies inside the archive"},
	{"@/src", "@/mnt", FREE ",catalog=@/src/c.db", "put the catalog elsewhere"},
	{"@/src", "@/mnt", FREE ",socket=@/src/s.sock", "put the socket elsewhere"},
	{"@/src", "@/src", FREE, "is the archive itself; mount somewhere else"},
	{"@/src", "@/src/in", FREE, "lies inside the archive"},
	{"@/src", "@/to_src", FREE, "lies inside the archive"},
	{"@", "@/mnt", FREE, "mount somewhere else"},
	{"/", "@/mnt", FREE, "lies inside the archive /"},
	{"@/mnt/in", "@/mnt", FREE, "path @/mnt/in lies inside the mountpoint"},
	{"@/cache/to_mnt", "@/mnt", FREE, "lies inside the mountpoint"},
	{"s3://b", "@/mnt", FREE ",ca_file=@/mnt/ca.pem",
	 "ca_file @/mnt/ca.pem lies inside the mountpoint"},
	{"s3://b", "@/mnt", FREE ",credentials=@/mnt/key", "credentials @/mnt/key lies inside"},
};

static int load(const char *source, const char *mountpoint, const char *options)
{
	char *list[] = {strdup(scratch_path(options)), NULL};
	char *from = strdup(scratch_path(source));
	int rc;

	scratch_conf = thaw_conf_free(scratch_conf);
	rc = thaw_conf_load(from, scratch_path(mountpoint), (const char *const *)list,
			    &scratch_conf, &scratch_err);
	free(list[0]);
	free(from);
	return rc;
}

START_TEST(wrong_places)
{
	int rc;

	make_links();
	scratch_touch("@/mnt/key", 0600);
	rc = load(wrong[_i].source, wrong[_i].mountpoint, wrong[_i].options);
	ck_assert_msg(rc == -EINVAL, "row %d: code %d, %s", _i, rc, scratch_err.text);
	ck_assert_msg(strstr(scratch_err.text, scratch_path(wrong[_i].message)), "row %d: %s", _i,
		      scratch_err.text);
}
END_TEST

START_TEST(neighbours_are_fine)
{
	ck_assert_int_eq(mkdir("src2", 0755) | mkdir("mnt2", 0755), 0);
	ck_assert_int_eq(load("@/src", "@/mnt", FREE ",cache=@/src2/x,catalog=@/mnt2/c.db"), 0);
}
END_TEST

START_TEST(paths_come_out_resolved)
{
	make_links();
	ck_assert_int_eq(
		load("s3://b", "@/mnt", "cache=@/to_src/../x,catalog=@/to_src/c.db,socket=@/s"), 0);
	ck_assert_str_eq(scratch_conf->cache_path, scratch_path("@/src/x"));
	ck_assert_str_eq(scratch_conf->catalog, scratch_path("@/src/in/c.db"));
}
END_TEST

START_TEST(in_a_file_the_line_is_named)
{
	int rc = scratch_load_file("[cache]\npath = @/src/cache\n[archive a]\ntype = posix\n"
				   "path = @/src\n[collection c]\narchive = a\n",
				   NULL);

	ck_assert_int_eq(rc, -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(scratch_err.text, scratch_path("@/t.conf:2: path: @/src/cache")));
	rc = scratch_load_file("[archive a]\ntype = posix\npath = @\n[collection c]\narchive = a\n",
			       FREE);
	ck_assert_int_eq(rc, -EINVAL);
	ck_assert_ptr_nonnull(strstr(scratch_err.text, scratch_path("@/t.conf:1: the mountpoint")));
}
END_TEST

START_TEST(an_archive_behind_fault_is_one)
{
	int rc = scratch_load_file("[archive a]\ntype = fault\ninner = posix\npath = @/src\n"
				   "[collection c]\narchive = a\n",
				   "cache=@/src/cache,catalog=@/c.db,socket=@/s.sock");

	ck_assert_int_eq(rc, -EINVAL);
	ck_assert_ptr_nonnull(strstr(scratch_err.text, "where nothing is ever written"));
}
END_TEST

START_TEST(a_socket_has_a_short_name)
{
	char longer[160];

	(void)snprintf(longer, sizeof(longer), "socket=/%0120d.sock", 0);
	ck_assert_int_eq(load("@/src", "@/mnt", longer), -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(scratch_err.text, "is longer than a socket's name may be (107 bytes)"));
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_loop_test(tcase, wrong_places, 0, COUNT(wrong));
	tcase_add_test(tcase, neighbours_are_fine);
	tcase_add_test(tcase, paths_come_out_resolved);
	tcase_add_test(tcase, in_a_file_the_line_is_named);
	tcase_add_test(tcase, an_archive_behind_fault_is_one);
	tcase_add_test(tcase, a_socket_has_a_short_name);
}

int main(void)
{
	return scratch_run("conf_places", add);
}
