/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/place.h"
#include "../suite.h"

static struct thaw_place place;
static char top[64];

/* A directory with "news" in it, which the table says is a mount, and "bind",
 * which shows the directory /a/b of the same. */
static void set_up(void)
{
	char lines[512];
	FILE *file;

	snprintf(top, sizeof(top), "/tmp/thaw-place-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_eq(chdir(top), 0);
	ck_assert_int_eq(mkdir("news", 0755) | mkdir("news/dir", 0755) | mkdir("bind", 0755), 0);
	ck_assert_int_eq(symlink("news/dir", "link"), 0);
	ck_assert_int_eq(symlink("/nowhere", "news/dangling"), 0);
	snprintf(lines, sizeof(lines),
		 "1 0 8:1 / / rw - ext4 x rw\n"
		 "2 1 0:9 / %s/news rw - fuse.thawfs x rw\n"
		 "3 1 0:9 /a/b %s/bind rw - fuse.thawfs x rw\n"
		 "4 1 0:10 / %s/other rw - fuse.thawfs x rw\n",
		 top, top, top);
	file = fmemopen(lines, strlen(lines), "r");
	ck_assert_int_eq(thaw_mounts_read(file, &place.mounts), 0);
	fclose(file);
	place.major = 0;
	place.minor = 9;
	ck_assert_int_gt(asprintf(&place.point, "%s/news", top), 0);
	place.root = strdup("/");
}

static void tear_down(void)
{
	thaw_place_release(&place);
	unlink("link");
	unlink("news/dangling");
	rmdir("news/dir");
	rmdir("news");
	rmdir("bind");
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(top), 0);
}

static void expect_inside(const char *word, const char *expected)
{
	struct thaw_err err = {""};
	char *inside;

	ck_assert_msg(thaw_place_inside(&place, word, &inside, &err) == 0, "%s: %s", word,
		      err.text);
	ck_assert_str_eq(inside, expected);
	free(inside);
}

START_TEST(words_become_paths_of_the_file_system)
{
	expect_inside("news", "/");
	expect_inside("news/", "/");
	expect_inside("news/a", "/a");
	expect_inside("./news//dir/../dir/x y", "/dir/x y");
	expect_inside("news/none/deep/er", "/none/deep/er");
	ck_assert_int_eq(chdir("news/dir"), 0);
	expect_inside(".", "/dir");
	expect_inside("..", "/");
	expect_inside("../x", "/x");
	expect_inside("x", "/dir/x");
	ck_assert_int_eq(chdir(top), 0);
}
END_TEST

START_TEST(links_are_followed_except_the_last)
{
	expect_inside("link/x", "/dir/x");
	expect_inside("link/", "/dir");
	expect_inside("news/dangling", "/dangling");
}
END_TEST

START_TEST(a_bind_mount_shows_a_part)
{
	expect_inside("bind", "/a/b");
	expect_inside("bind/c", "/a/b/c");
}
END_TEST

static void expect_refusal(const char *word)
{
	struct thaw_err err = {""};
	char *inside;

	ck_assert_int_eq(thaw_place_inside(&place, word, &inside, &err), -EXDEV);
	ck_assert_ptr_nonnull(strstr(err.text, "/news"));
}

START_TEST(elsewhere_is_refused)
{
	expect_refusal("/");
	expect_refusal("link");    /* itself lies outside */
	expect_refusal("other/x"); /* another daemon's */
	expect_refusal("newspapers");
}
END_TEST

static void expect_outside(const char *inside, const char *below_top)
{
	char *path, *expected;
	size_t len;

	ck_assert_int_eq(thaw_place_outside(&place, inside, strlen(inside), &path, &len), 0);
	ck_assert_int_ge(asprintf(&expected, "%s%s", top, below_top), 0);
	ck_assert_str_eq(path, expected);
	ck_assert_uint_eq(len, strlen(expected));
	free(path);
	free(expected);
}

START_TEST(paths_of_answers_are_shown_as_seen_from_here)
{
	char *path;
	size_t len;

	expect_outside("/", "/news");
	expect_outside("/a", "/news/a");
	free(place.point);
	free(place.root);
	ck_assert_int_gt(asprintf(&place.point, "%s/bind", top), 0);
	place.root = strdup("/a/b");
	expect_outside("/a/b", "/bind");
	expect_outside("/a/b/c", "/bind/c");
	ck_assert_int_eq(thaw_place_outside(&place, "/a/bc", 5, &path, &len), 0);
	ck_assert_str_eq(path, "/a/bc"); /* not to be seen from here */
	free(path);
}
END_TEST

START_TEST(the_daemon_may_say_where_it_is_mounted)
{
	thaw_mounts_release(&place.mounts);
	free(place.point);
	free(place.root);
	place = (struct thaw_place){0};
	ck_assert_int_eq(thaw_place_set_point(&place, "/some/where"), 0);
	expect_inside("/some/where", "/");
	expect_inside("/some/where/a", "/a");
}
END_TEST

START_TEST(no_mount_no_daemon)
{
	struct thaw_args args = {0};
	struct thaw_place found;
	struct thaw_err err = {""};

	ck_assert_int_eq(thaw_place_find(&args, "/proc/self", &found, &err), -EXDEV);
	ck_assert_str_eq(err.text, "/proc/self: is not in a thawfs mount");
	args.socket = "/x.sock";
	ck_assert_int_eq(thaw_place_find(&args, "/proc/self", &found, &err), 0);
	ck_assert_str_eq(found.socket, "/x.sock");
	thaw_place_release(&found);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, words_become_paths_of_the_file_system);
	tcase_add_test(tcase, links_are_followed_except_the_last);
	tcase_add_test(tcase, a_bind_mount_shows_a_part);
	tcase_add_test(tcase, elsewhere_is_refused);
	tcase_add_test(tcase, paths_of_answers_are_shown_as_seen_from_here);
	tcase_add_test(tcase, the_daemon_may_say_where_it_is_mounted);
	tcase_add_test(tcase, no_mount_no_daemon);
}

int main(void)
{
	return run_suite("place", add);
}
