/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening and claiming the store; what it refuses and how it says so. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cache/store_int.h"
#include "scratch.h"

#define SIZE (UINT64_C(64) << 20)

static const char *top, *dir;

static void setup(void)
{
	top = scratch_begin();
	dir = strdup(scratch_path(top, "deep/er/cache"));
}

static void teardown(void)
{
	free((void *)(uintptr_t)dir);
	scratch_end();
}

/* The error is one line that names the directory and has `word` in it. */
static void refused(const char *path, int code, const char *word)
{
	struct thaw_err err = {""};
	struct thaw_store *store = NULL;
	struct thaw_space space;

	thaw_space_init(&space, SIZE);
	ck_assert_int_eq(thaw_store_open(path, &space, &store, &err), code);
	ck_assert_ptr_null(store);
	ck_assert_msg(strstr(err.text, path) && strstr(err.text, word) && !strchr(err.text, '\n'),
		      "%s", err.text);
	thaw_space_destroy(&space);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(makes_opens_and_remembers)
{
	struct thaw_err err = {""};
	struct scratch_store s;
	char uuid[THAW_STORE_UUID_TEXT];
	struct stat st;

	scratch_store_open(&s, dir, SIZE);
	ck_assert_int_eq(stat(dir, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_str_eq(thaw_store_uuid(s.store), "");
	ck_assert_str_eq(thaw_store_catalog(s.store), "");
	ck_assert_int_eq(thaw_store_claim(s.store, "/odd\nname \377", &err), 0);
	ck_assert_uint_eq(strlen(thaw_store_uuid(s.store)), THAW_STORE_UUID_TEXT - 1);
	memcpy(uuid, thaw_store_uuid(s.store), sizeof(uuid));
	scratch_check_books(&s, dir);
	scratch_store_close(&s);

	scratch_store_open(&s, dir, SIZE);
	ck_assert_str_eq(thaw_store_uuid(s.store), uuid);
	ck_assert_str_eq(thaw_store_catalog(s.store), "/odd\nname \377");
	ck_assert_int_eq(thaw_store_claim(s.store, "/other", &err), 0);
	ck_assert_str_ne(thaw_store_uuid(s.store), uuid);
	scratch_store_close(&s);
}
END_TEST

START_TEST(claim_empties)
{
	struct scratch_store s;

	scratch_store_open(&s, dir, SIZE);
	scratch_stage(&s, 0x101, 5000);
	scratch_stage(&s, 0x202, 0);
	ck_assert_ptr_null(thaw_part_quarantine(scratch_fill(&s, 7, 9000), &(uint64_t){0}));
	put(scratch_path(dir, "incoming/99"), "left by a crash");
	thaw_space_set_resident(&s.space, 0);
	ck_assert_int_eq(thaw_store_claim(s.store, "/c", NULL), 0);
	ck_assert_uint_eq(scratch_count(scratch_path(dir, "objects")), 0);
	ck_assert_uint_eq(scratch_count(scratch_path(dir, "incoming")), 0);
	ck_assert_uint_eq(scratch_count(scratch_path(dir, "quarantine")), 0);
	scratch_check_books(&s, dir);
	scratch_stage(&s, 0x101, 5000); /* its shard is made again */
	scratch_check_books(&s, dir);
	scratch_store_close(&s);
}
END_TEST

START_TEST(foreign_directory_is_left_alone)
{
	struct scratch_store s;

	ck_assert_int_eq(mkdir(scratch_path(top, "full"), 0755), 0);
	put(scratch_path(top, "full/thesis\033.tex"), "years of work");
	refused(scratch_path(top, "full"), -ENOTEMPTY, "thesis\\033.tex");
	ck_assert_uint_eq(scratch_count(scratch_path(top, "full")), 1);

	/* The root of a fresh filesystem is empty enough. */
	ck_assert_int_eq(mkdir(scratch_path(top, "root"), 0755), 0);
	ck_assert_int_eq(mkdir(scratch_path(top, "root/lost+found"), 0700), 0);
	scratch_store_open(&s, scratch_path(top, "root"), SIZE);
	scratch_check_books(&s, scratch_path(top, "root"));
	scratch_store_close(&s);
}
END_TEST

START_TEST(in_use)
{
	struct scratch_store s;

	scratch_store_open(&s, dir, SIZE);
	refused(dir, -EBUSY, "in use");
	scratch_store_close(&s);
	scratch_store_open(&s, dir, SIZE);
	scratch_store_close(&s);
}
END_TEST

START_TEST(newer_and_damaged)
{
	static const char *const damaged[] = {
		"",
		"rubbish",
		"thawfs-cache 1\n",
		"thawfs-cache 0\nuuid \ncatalog \n",
		"thawfs-cache one\nuuid \ncatalog \n",
		"thawfs-cache 1\nuuid 1234\ncatalog \n",
		"thawfs-cache 1\nuuid \ncatalog /cut",
		"thawfs-cache 1\nuuid \nrubbish\n",
	};

	ck_assert_int_eq(mkdir(scratch_path(top, "c"), 0700), 0);
	put(scratch_path(top, "c/thawfs.cache"), "thawfs-cache 2\nanything\n");
	refused(scratch_path(top, "c"), -EPROTO, "newer");
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		put(scratch_path(top, "c/thawfs.cache"), damaged[i]);
		refused(scratch_path(top, "c"), -EBADMSG, "damaged");
	}
	ck_assert_uint_eq(scratch_count(scratch_path(top, "c")), 1);
}
END_TEST

START_TEST(others_may_not_write)
{
	struct scratch_store s;
	struct stat st;

	scratch_store_open(&s, dir, SIZE);
	scratch_store_close(&s);
	ck_assert_int_eq(chmod(dir, 0770), 0);
	refused(dir, -EACCES, "chmod go-w");
	ck_assert_int_eq(chmod(dir, 0755), 0); /* reading the top is harmless */
	scratch_store_open(&s, dir, SIZE);
	scratch_store_close(&s);

	ck_assert_int_eq(mkdir(scratch_path(top, "open"), 0700), 0);
	ck_assert_int_eq(chmod(scratch_path(top, "open"), 01777), 0);
	scratch_store_open(&s, scratch_path(top, "open"), SIZE);
	ck_assert_int_eq(stat(scratch_path(top, "open"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	scratch_store_close(&s);
}
END_TEST

START_TEST(belongs_to_another)
{
	if (geteuid())
		return;
	ck_assert_int_eq(mkdir(scratch_path(top, "theirs"), 0700), 0);
	ck_assert_int_eq(chown(scratch_path(top, "theirs"), 12345, 12345), 0);
	refused(scratch_path(top, "theirs"), -EACCES, "12345");
}
END_TEST

START_TEST(not_a_directory)
{
	put(scratch_path(top, "file"), "x");
	refused(scratch_path(top, "file"), -ENOTDIR, "not a directory");
}
END_TEST

START_TEST(full_disk)
{
	const char *mnt = scratch_tmpfs(64 << 10);
	char block[4096] = "x";
	int fd;

	if (!mnt)
		return;
	fd = open(scratch_path(mnt, "ballast"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	ck_assert_int_eq(errno, ENOSPC);
	(void)close(fd);
	refused(scratch_path(mnt, "cache"), -ENOSPC, "free of 64K");
}
END_TEST

START_TEST(names)
{
	static const char *const bad[] = {"",   "0f", "00", "G", "A", "12345678901234567",
					  "1 ", "-1", "1."};
	char name[THAW_STORE_NAME];
	uint64_t object;

	for (uint64_t id = 1; id; id *= 16) {
		thaw_store_name(name, id - 1);
		ck_assert_int_eq(thaw_store_parse_name(name, '\0', &object), 0);
		ck_assert_uint_eq(object, id - 1);
	}
	thaw_store_object_name(name, UINT64_MAX);
	ck_assert_str_eq(name, "ff/ffffffffffffffff");
	thaw_store_object_name(name, 0x1203);
	ck_assert_str_eq(name, "12/1203");
	ck_assert_int_eq(thaw_store_parse_name("12.99", '.', &object), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(thaw_store_parse_name(bad[i], '\0', &object), -EINVAL);
}
END_TEST

START_TEST(only_whole_regular_files_open)
{
	struct scratch_store s;
	int fd = -1;

	scratch_store_open(&s, dir, SIZE);
	ck_assert_int_eq(thaw_store_open_object(s.store, 1, 0, &fd), -ENOENT);
	scratch_stage(&s, 0xaa1, 1000);
	scratch_check_object(&s, 0xaa1, 1000);
	ck_assert_int_eq(thaw_store_open_object(s.store, 0xaa1, 999, &fd), -EUCLEAN);
	ck_assert_int_eq(thaw_store_open_object(s.store, 0xaa1, 1001, &fd), -EUCLEAN);
	ck_assert_int_eq(symlink("aa1", scratch_path(dir, "objects/0a/aa2")), 0);
	ck_assert_int_eq(thaw_store_open_object(s.store, 0xaa2, 1000, &fd), -EUCLEAN);
	ck_assert_int_eq(mkfifo(scratch_path(dir, "objects/0a/aa3"), 0600), 0);
	ck_assert_int_eq(thaw_store_open_object(s.store, 0xaa3, 0, &fd), -EUCLEAN);
	ck_assert_int_eq(mkdir(scratch_path(dir, "objects/0a/aa4"), 0700), 0);
	ck_assert_int_eq(thaw_store_open_object(s.store, 0xaa4, 4096, &fd), -EUCLEAN);
	ck_assert_int_eq(fd, -1);
	scratch_store_close(&s);
}
END_TEST

static int add_up(void *ctx, uint64_t object, uint64_t bytes)
{
	uint64_t *sums = ctx;

	sums[0] += object;
	sums[1] += bytes;
	return object == 0x666 ? 66 : 0;
}

START_TEST(each_sees_all)
{
	uint64_t sums[2] = {0, 0}, bytes = 0, charge;
	struct scratch_store s;

	scratch_store_open(&s, dir, SIZE);
	for (uint64_t id = 1; id <= 40; id++)
		bytes += scratch_stage(&s, id * 37, id * 1000);
	put(scratch_path(dir, "objects/00/README"), "not ours");
	ck_assert_int_eq(thaw_store_each(s.store, add_up, sums), 0);
	ck_assert_uint_eq(sums[0], 37 * 40 * 41 / 2);
	ck_assert_uint_eq(sums[1], bytes);
	ck_assert_int_eq(thaw_store_charge(s.store, 37, &charge), 0);
	ck_assert_int_eq(thaw_store_charge(s.store, 38, &charge), -ENOENT);
	scratch_stage(&s, 0x666, 1);
	ck_assert_int_eq(thaw_store_each(s.store, add_up, sums), 66);
	scratch_store_close(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache_store");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, makes_opens_and_remembers);
	tcase_add_test(tc, claim_empties);
	tcase_add_test(tc, foreign_directory_is_left_alone);
	tcase_add_test(tc, in_use);
	tcase_add_test(tc, newer_and_damaged);
	tcase_add_test(tc, others_may_not_write);
	tcase_add_test(tc, belongs_to_another);
	tcase_add_test(tc, not_a_directory);
	tcase_add_test(tc, full_disk);
	tcase_add_test(tc, names);
	tcase_add_test(tc, only_whole_regular_files_open);
	tcase_add_test(tc, each_sees_all);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
