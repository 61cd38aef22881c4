/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys that are hard to reach, and keys that must not reach out.  Every test
 * runs with openat2 and component by component.
 */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "archive/posix.h"
#include "base/thread.h"

static struct thaw_err err;
static const struct thaw_call call = {.err = &err};

/* loop index 1: as on a kernel without openat2 */
static struct thaw_archive *open_tree_at(const char *path, int without)
{
	struct thaw_archive *ar = open_archive("posix", "path", path, NULL);

	if (without)
		((struct thaw_posix *)ar)->openat2 = false;
	return ar;
}

static void expect_text(struct thaw_archive *ar, const char *key, const char *text)
{
	struct taken taken = {0};
	int rc = get_all(ar, key, &taken, &err);

	ck_assert_msg(rc == 0, "%d %s", rc, err.text);
	ck_assert_uint_eq(taken.len, strlen(text));
	ck_assert_mem_eq(taken.data, text, taken.len);
	taken_release(&taken);
}

static int get_code(struct thaw_archive *ar, const char *key)
{
	static const struct thaw_tag tag = {.len = 1};
	struct taken taken = {0};
	int rc = thaw_archive_get(ar, thaw_key_of(key), &tag, 0, 1, take, &taken, &call);

	ck_assert_uint_eq(taken.len, 0);
	return rc;
}

START_TEST(this_kernel_has_openat2)
{
	struct thaw_archive *ar = open_scratch();

	if (!((struct thaw_posix *)ar)->openat2)
		printf("no openat2 here: half of these tests ran twice the same way\n");
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- hard to reach --------------------------------------------------------------------- */

START_TEST(odd_names)
{
	char longest[256];
	const char *const names[] = {
		"new\nline", "\xff\xfe\x80 not utf-8", "-rf",  "back\\slash", " ",   "*",    "~",
		"...",       "tab\tquote\"'",          "\x01", longest,       "a;b", "%s%n",
	};
	struct thaw_archive *ar = open_tree_at(scratch, _i);
	struct listed *listed;

	memset(longest, 'x', 255);
	longest[255] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char key[600];

		put_dir(names[i]);
		(void)snprintf(key, sizeof(key), "%s/%s", names[i], names[i]);
		put_text(key, names[i]);
		expect_text(ar, key, names[i]);
		listed = list_dir(ar, names[i]);
		ck_assert_uint_eq(listed->n, 1);
		ck_assert_str_eq(listed->items[0].name, names[i]);
		(void)listed_free(listed);
	}
	listed = list_dir(ar, "");
	ck_assert_uint_eq(listed->n, sizeof(names) / sizeof(names[0]));
	(void)listed_free(listed);
	(void)thaw_archive_close(ar);
}
END_TEST

/* Makes `depth` directories of `len` bytes inside each other and "file" in the
 * last; returns the file's key. */
static char *make_deep(size_t len, size_t depth)
{
	char *key = malloc((len + 1) * depth + sizeof("file"));
	char *end = key;
	char name[256];
	int dir = dup(scratch_fd);
	int fd;

	memset(name, 'd', len);
	name[len] = '\0';
	for (size_t i = 0; i < depth; i++) {
		int next;

		ck_assert_int_eq(mkdirat(dir, name, 0755), 0);
		next = openat(dir, name, O_RDONLY | O_DIRECTORY);
		ck_assert_int_ge(next, 0);
		(void)close(dir);
		dir = next;
		end = mempcpy(end, name, len);
		*end++ = '/';
	}
	memcpy(end, "file", sizeof("file"));
	fd = openat(dir, "file", O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(write(fd, "deep", 4), 4);
	(void)close(fd);
	(void)close(dir);
	return key;
}

START_TEST(paths_longer_than_path_max)
{
	struct thaw_archive *ar = open_tree_at(scratch, _i);
	char *key = make_deep(200, 60);
	struct listed *listed;

	ck_assert_uint_gt(strlen(key), 2 * PATH_MAX);
	expect_text(ar, key, "deep");
	*strrchr(key, '/') = '\0';
	listed = list_dir(ar, key);
	ck_assert_uint_eq(listed->n, 1);
	ck_assert_str_eq(listed->items[0].name, "file");
	(void)listed_free(listed);
	free(key);
	(void)thaw_archive_close(ar);
}
END_TEST

/* Stats the directories of a deep key whose own keys are about PATH_MAX long. */
static void stat_about_path_max(struct thaw_archive *ar, const char *key, bool *seen)
{
	for (size_t cut = PATH_MAX - 8; cut < PATH_MAX + 8; cut++) {
		struct thaw_entry e;
		int rc;

		if (key[cut] != '/')
			continue;
		rc = thaw_archive_stat(ar, (struct thaw_key){key, cut}, &e, &call);
		ck_assert_msg(rc == 0, "%zu: %s", cut, err.text);
		seen[cut - (PATH_MAX - 8)] = true;
	}
}

/* Every length, so that a step ends at a '/' or just does not. */
START_TEST(paths_as_long_as_path_max)
{
	struct thaw_archive *ar = open_tree_at(scratch, _i);
	char *key = make_deep(1, PATH_MAX / 2 + 8);
	bool seen[16] = {false};

	stat_about_path_max(ar, key, seen);
	free(key);
	ck_assert_int_eq(renameat(scratch_fd, "d", scratch_fd, "dd"), 0);
	key = make_deep(1, 1);
	ck_assert_int_eq(renameat(scratch_fd, "dd/d", scratch_fd, "ee"), 0);
	key = realloc(key, PATH_MAX + 64);
	key[0] = key[1] = 'e';
	for (size_t i = 2; i < PATH_MAX + 8; i += 2) {
		key[i] = '/';
		key[i + 1] = 'd';
	}
	stat_about_path_max(ar, key, seen);
	free(key);
	for (size_t i = 0; i < 16; i++)
		ck_assert_msg(seen[i], "%zu", i);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(names_too_long_are_not_there)
{
	struct thaw_archive *ar = open_tree_at(scratch, _i);
	char *key = malloc(3 * PATH_MAX);
	struct thaw_entry e;

	memset(key, 'x', 3 * PATH_MAX);
	key[2] = '/';
	ck_assert_int_eq(thaw_archive_stat(ar, (struct thaw_key){key, 300}, &e, &call), -ENOENT);
	ck_assert_int_eq(thaw_archive_stat(ar, (struct thaw_key){key, 3 * PATH_MAX}, &e, &call),
			 -ENOENT);
	free(key);
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- must not reach out ---------------------------------------------------------------- */

/* "tree" is the archive; "outside" and "secret" are beside it. */
static struct thaw_archive *make_prison(int without)
{
	put_dir("tree");
	put_dir("tree/d");
	put_text("tree/d/file", "inside");
	put_dir("outside");
	put_text("outside/file", "secret");
	put_text("secret", "secret");
	ck_assert_int_eq(symlinkat("../secret", scratch_fd, "tree/file"), 0);
	ck_assert_int_eq(symlinkat("../outside", scratch_fd, "tree/up"), 0);
	ck_assert_int_eq(symlinkat(in_scratch("outside"), scratch_fd, "tree/absolute"), 0);
	ck_assert_int_eq(symlinkat("d", scratch_fd, "tree/inner"), 0);
	ck_assert_int_eq(symlinkat("/proc/self/root", scratch_fd, "tree/magic"), 0);
	ck_assert_int_eq(symlinkat("loop", scratch_fd, "tree/loop"), 0);
	return open_tree_at(in_scratch("tree"), without);
}

START_TEST(dots_do_not_climb)
{
	static const char *const keys[] = {"..",          "../secret",      "d/../../secret",
					   "d/../d/file", "./d/file",       "d//file",
					   "d/..",        "../tree/d/file", "d/./file"};
	struct thaw_archive *ar = make_prison(_i);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		ck_assert_int_eq(get_code(ar, keys[i]), -ENOENT);
		ck_assert_int_eq(list_code(ar, keys[i], &err), -ENOENT);
	}
	expect_text(ar, "d/file", "inside");
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(links_are_not_followed)
{
	static const char *const ways[] = {"up/file", "absolute/file", "inner/file", "loop/file",
					   "magic/etc/passwd"};
	static const char *const ends[] = {"up", "absolute", "inner", "loop", "magic", "file"};
	struct thaw_archive *ar = make_prison(_i);
	struct thaw_entry e;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		ck_assert_int_eq(get_code(ar, ways[i]), -ESTALE);
		ck_assert_ptr_nonnull(strstr(err.text, "symbolic link"));
		ck_assert_int_eq(list_code(ar, ways[i], &err), -ENOTDIR);
		ck_assert_int_eq(thaw_archive_stat(ar, thaw_key_of(ways[i]), &e, &call), -ENOENT);
	}
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		ck_assert_int_eq(get_code(ar, ends[i]), -ESTALE);
		ck_assert_int_eq(list_code(ar, ends[i], &err), -ENOTDIR);
		ck_assert_int_eq(stat_key(ar, ends[i]).type, THAW_TYPE_SYMLINK);
	}
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(a_link_at_the_end_of_a_long_step)
{
	struct thaw_archive *ar = open_tree_at(scratch, _i);
	char *key = make_deep(200, 40);
	struct thaw_entry e;
	char *at = key;
	int dir = dup(scratch_fd);

	/* each directory in turn is put behind a link of its own name */
	for (int i = 0; i < 40; i++, at += 201) {
		char name[201];
		int next;

		(void)snprintf(name, sizeof(name), "%.200s", at);
		ck_assert_int_eq(renameat(dir, name, dir, "real"), 0);
		ck_assert_int_eq(symlinkat("real", dir, name), 0);
		ck_assert_int_eq(get_code(ar, key), -ESTALE);
		ck_assert_int_eq(thaw_archive_stat(ar, thaw_key_of(key), &e, &call), -ENOENT);
		ck_assert_int_eq(unlinkat(dir, name, 0), 0);
		ck_assert_int_eq(renameat(dir, "real", dir, name), 0);
		next = openat(dir, name, O_RDONLY | O_DIRECTORY);
		(void)close(dir);
		dir = next;
	}
	expect_text(ar, key, "deep");
	(void)close(dir);
	free(key);
	(void)thaw_archive_close(ar);
}
END_TEST

struct swapper {
	atomic_bool stop;
	atomic_uint swaps;
	int dir;
};

static void *swap_all_the_time(void *arg)
{
	struct swapper *sw = arg;

	while (!atomic_load(&sw->stop)) {
		if (renameat2(sw->dir, "d", sw->dir, "up", RENAME_EXCHANGE) == 0)
			atomic_fetch_add(&sw->swaps, 1);
	}
	return NULL;
}

struct seen {
	unsigned inside, refused;
};

static void look_once(struct thaw_archive *ar, struct seen *seen)
{
	struct taken taken = {0};
	int rc = get_all(ar, "d/file", &taken, &err);

	if (rc == 0) {
		ck_assert_uint_eq(taken.len, 6);
		ck_assert_mem_eq(taken.data, "inside", 6);
		seen->inside++;
	} else {
		ck_assert_msg(rc == -ENOENT || rc == -ESTALE, "%d %s", rc, err.text);
		ck_assert_uint_eq(taken.len, 0);
		seen->refused++;
	}
	taken_release(&taken);
	rc = list_code(ar, "d", &err);
	ck_assert_msg(rc == 0 || rc == -ENOTDIR, "%d %s", rc, err.text);
}

/* A directory and a link to another one change places while they are walked. */
START_TEST(swapping_a_directory_for_a_link)
{
	struct thaw_archive *ar = make_prison(_i);
	struct seen seen = {0};
	struct swapper sw = {0};
	pthread_t thread;

	sw.dir = openat(scratch_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(thaw_thread_start(&thread, "swap", swap_all_the_time, &sw), 0);
	for (int i = 0; i < 20000 && (i < 200 || !seen.inside || !seen.refused); i++)
		look_once(ar, &seen);
	atomic_store(&sw.stop, true);
	(void)pthread_join(thread, NULL);
	ck_assert_uint_gt(atomic_load(&sw.swaps), 0);
	ck_assert_uint_gt(seen.inside, 0);
	ck_assert_uint_gt(seen.refused, 0);
	(void)close(sw.dir);
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- the root -------------------------------------------------------------------------- */

static void expect_unknown(struct thaw_archive *ar)
{
	struct thaw_entry e;

	ck_assert_int_eq(list_code(ar, "", &err), -EAGAIN);
	ck_assert_str_ne(err.text, "");
	ck_assert_int_eq(list_code(ar, "d", &err), -EAGAIN);
	ck_assert_int_eq(thaw_archive_stat(ar, thaw_key_of(""), &e, &call), -EAGAIN);
	ck_assert_int_eq(thaw_archive_stat(ar, thaw_key_of("d/file"), &e, &call), -EAGAIN);
	ck_assert_int_eq(thaw_archive_stat(ar, thaw_key_of("never"), &e, &call), -EAGAIN);
	ck_assert_int_eq(get_code(ar, "d/file"), -EAGAIN);
}

START_TEST(a_root_that_went_away_says_nothing)
{
	struct thaw_archive *ar = make_prison(_i);

	ck_assert_int_eq(renameat(scratch_fd, "tree", scratch_fd, "gone"), 0);
	expect_unknown(ar);
	ck_assert_ptr_nonnull(strstr(err.text, "cannot be reached"));
	ck_assert_int_eq(renameat(scratch_fd, "gone", scratch_fd, "tree"), 0);
	expect_text(ar, "d/file", "inside");
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(another_directory_is_not_the_archive)
{
	struct thaw_archive *ar = make_prison(_i);

	ck_assert_int_eq(renameat(scratch_fd, "tree", scratch_fd, "gone"), 0);
	put_dir("tree");
	expect_unknown(ar);
	ck_assert_ptr_nonnull(strstr(err.text, "not the directory that was opened"));
	ck_assert_int_eq(unlinkat(scratch_fd, "tree", AT_REMOVEDIR), 0);
	ck_assert_int_eq(symlinkat("gone", scratch_fd, "tree"), 0);
	expect_text(ar, "d/file", "inside"); /* the same one by another way */
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(a_removed_root_says_nothing)
{
	struct thaw_archive *ar;

	put_dir("tree");
	ar = open_tree_at(in_scratch("tree"), _i);
	ck_assert_int_eq(list_code(ar, "", &err), 0);
	ck_assert_int_eq(unlinkat(scratch_fd, "tree", AT_REMOVEDIR), 0);
	expect_unknown(ar);
	put_text("tree", "a file now");
	expect_unknown(ar);
	(void)thaw_archive_close(ar);
}
END_TEST

/* What an unmounted file system leaves behind: an empty directory. */
START_TEST(a_mount_point_without_its_mount_says_nothing)
{
	struct thaw_archive *ar;
	const char *point;

	put_dir("tree");
	point = in_scratch("tree");
	if (!private_mounts() || mount("none", point, "tmpfs", 0, "size=64k") < 0)
		return; /* not root, or a container */
	put_dir("tree/d");
	put_text("tree/d/file", "inside");
	ar = open_tree_at(point, _i);
	expect_text(ar, "d/file", "inside");
	ck_assert_int_eq(umount2(point, MNT_DETACH), 0);
	expect_unknown(ar);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(mounts_inside_are_part_of_it)
{
	struct thaw_archive *ar = make_prison(_i);
	const char *point = in_scratch("tree/d");
	struct listed *listed;

	if (!private_mounts() || mount("none", point, "tmpfs", 0, "size=64k") < 0) {
		(void)thaw_archive_close(ar);
		return; /* not root, or a container */
	}
	put_text("tree/d/other", "mounted");
	ck_assert_int_eq(linkat(scratch_fd, "tree/d/other", scratch_fd, "tree/d/same", 0), 0);
	expect_text(ar, "d/other", "mounted");
	listed = list_dir(ar, "d");
	ck_assert_uint_eq(listed->n, 2);
	ck_assert_uint_ne(listed->items[0].entry.link_id, 0);
	ck_assert_uint_eq(listed->items[0].entry.link_id, listed->items[1].entry.link_id);
	(void)listed_free(listed);
	ck_assert_int_eq(umount2(point, MNT_DETACH), 0);
	(void)thaw_archive_close(ar);
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		odd_names,
		paths_longer_than_path_max,
		paths_as_long_as_path_max,
		names_too_long_are_not_there,
		dots_do_not_climb,
		links_are_not_followed,
		a_link_at_the_end_of_a_long_step,
		swapping_a_directory_for_a_link,
		a_root_that_went_away_says_nothing,
		another_directory_is_not_the_archive,
		a_removed_root_says_nothing,
		a_mount_point_without_its_mount_says_nothing,
		mounts_inside_are_part_of_it,
	};
	const TTest *once[] = {this_kernel_has_openat2};
	Suite *suite = suite_of("archive", "openat2", TESTS_OF(once));
	TCase *tc = tcase_create("both ways");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_loop_test(tc, tests[i], 0, 2);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
