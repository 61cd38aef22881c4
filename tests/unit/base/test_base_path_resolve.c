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

static char *dir; /* has no links in it itself */

/* dir/real/sub, dir/link -> real, dir/abs -> dir/real, dir/dangling -> gone/x,
 * dir/loop -> loop, dir/up -> real/sub/.., dir/file */
static void make_tree(void)
{
	char template[] = "/tmp/thaw-resolve-XXXXXX", target[256];
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(template));
	dir = realpath(template, NULL);
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(mkdir("real", 0700) | mkdir("real/sub", 0700), 0);
	(void)snprintf(target, sizeof(target), "%s/real", dir);
	ck_assert_int_eq(symlink("real", "link") | symlink(target, "abs"), 0);
	ck_assert_int_eq(symlink("gone/x", "dangling") | symlink("loop", "loop"), 0);
	ck_assert_int_eq(symlink("real/sub/..", "up"), 0);
	fd = open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
}

static void remove_tree(void)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(system(command), 0);
	free(dir);
}

static const char *const rows[][2] = {
	{".", ""},
	{"real", "/real"},
	{"./real//sub/", "/real/sub"},
	{"link/sub", "/real/sub"},
	{"link/../real", "/real"},
	{"abs/sub/..", "/real"},
	{"up", "/real"},
	{"up/sub/../../file", "/file"},
	{"new", "/new"},
	{"new/./a/../b", "/new/b"},
	{"new/../link/sub", "/real/sub"}, /* back among what exists: links count again */
	{"link/new/deep", "/real/new/deep"},
	{"dangling", "/gone/x"},
	{"dangling/y", "/gone/x/y"},
};

START_TEST(relative_and_absolute)
{
	_cleanup_free_ char *relative = NULL, *absolute = NULL;
	char expected[512], given[512];

	(void)snprintf(expected, sizeof(expected), "%s%s", dir, rows[_i][1]);
	(void)snprintf(given, sizeof(given), "%s/%s", dir, rows[_i][0]);
	ck_assert_int_eq(thaw_path_resolve(rows[_i][0], &relative), 0);
	ck_assert_str_eq(relative, expected);
	ck_assert_int_eq(thaw_path_resolve(given, &absolute), 0);
	ck_assert_str_eq(absolute, expected);
}
END_TEST

START_TEST(the_root)
{
	static const char *const roots[] = {"/", "//", "/.", "/..", "/../../"};

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		_cleanup_free_ char *path = NULL;

		ck_assert_int_eq(thaw_path_resolve(roots[i], &path), 0);
		ck_assert_str_eq(path, "/");
	}
}
END_TEST

START_TEST(errors_set_nothing)
{
	char *path = NULL;
	char longer[5000];

	ck_assert_int_eq(thaw_path_resolve("", &path), -ENOENT);
	ck_assert_int_eq(thaw_path_resolve("loop", &path), -ELOOP);
	ck_assert_int_eq(thaw_path_resolve("file/x", &path), -ENOTDIR);
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(thaw_path_resolve(longer, &path), -ENAMETOOLONG);
	ck_assert_ptr_null(path);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, make_tree, remove_tree);
	tcase_add_loop_test(tcase, relative_and_absolute, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, the_root);
	tcase_add_test(tcase, errors_set_nothing);
}

int main(void)
{
	return run_suite("path_resolve", add);
}
