/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "../suite.h"

START_TEST(under)
{
	ck_assert(thaw_path_is_under("/a/b", "/a"));
	ck_assert(thaw_path_is_under("/a", "/a"));
	ck_assert(thaw_path_is_under("/a", "/"));
	ck_assert(thaw_path_is_under("/", "/"));
	ck_assert(!thaw_path_is_under("/ab", "/a"));
	ck_assert(!thaw_path_is_under("/a", "/a/b"));
	ck_assert(!thaw_path_is_under("/", "/a"));
}
END_TEST

START_TEST(mount_names)
{
	static const char *const rows[][2] = {
		{"/mnt/news papers", "mnt-news_papers"},
		{"/", "root"},
		{"///", "root"},
		{"/mnt/", "mnt"},
		{"/a-b/c.d", "a-b-c.d"},
		{"/\xc3\xa5", "__"},
		{"/a\nb", "a_b"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_free_ char *name = thaw_path_mount_name(rows[i][0]);

		ck_assert_str_eq(name, rows[i][1]);
	}
}
END_TEST

START_TEST(quote_hides_what_could_draw)
{
	char out[32];

	ck_assert_str_eq(thaw_path_quote(out, sizeof(out), "a b", 3), "a b");
	ck_assert_str_eq(thaw_path_quote(out, sizeof(out), "\033[2J", 4), "\\033[2J");
	ck_assert_str_eq(thaw_path_quote(out, sizeof(out), "a\\b", 3), "a\\134b");
	ck_assert_str_eq(thaw_path_quote(out, sizeof(out), "\0\xff\x7f", 3), "\\000\\377\\177");
	ck_assert_str_eq(thaw_path_quote(out, sizeof(out), "", 0), "");
}
END_TEST

START_TEST(quote_cuts_between_not_inside)
{
	char out[6];

	ck_assert_str_eq(thaw_path_quote(out, sizeof(out), "abcdefgh", 8), "abcde");
	ck_assert_str_eq(thaw_path_quote(out, sizeof(out), "\n\n", 2), "\\012");
	ck_assert_str_eq(thaw_path_quote(out, 1, "abc", 3), "");
}
END_TEST

static char dir[64];

static void enter_scratch(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/thaw-path-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

static void leave_scratch(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(system(command), 0);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

START_TEST(make_makes_all_of_it)
{
	(void)umask(0);
	ck_assert_int_eq(thaw_path_make("a/b//c", 0700), 0);
	ck_assert_uint_eq(mode_of("a/b/c"), 0700);
	ck_assert_uint_eq(mode_of("a"), 0700);
	ck_assert_int_eq(thaw_path_make("a/b/c/", 0755), 0); /* there already: left alone */
	ck_assert_uint_eq(mode_of("a/b/c"), 0700);
	ck_assert_int_eq(thaw_path_make("/", 0755), 0);
}
END_TEST

START_TEST(make_does_not_pass_through_a_file)
{
	int fd = open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(thaw_path_make("file", 0700), -ENOTDIR);
	ck_assert_int_eq(thaw_path_make("file/x", 0700), -ENOTDIR);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, enter_scratch, leave_scratch);
	tcase_add_test(tcase, under);
	tcase_add_test(tcase, mount_names);
	tcase_add_test(tcase, quote_hides_what_could_draw);
	tcase_add_test(tcase, quote_cuts_between_not_inside);
	tcase_add_test(tcase, make_makes_all_of_it);
	tcase_add_test(tcase, make_does_not_pass_through_a_file);
}

int main(void)
{
	return run_suite("path", add);
}
