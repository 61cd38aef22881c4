/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Removing, and who counts as a user of a file. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scratch.h"

#define SIZE      (UINT64_C(64) << 20)
#define FILE_SIZE 10000

static const char *dir;
static struct scratch_store s;

static void setup(void)
{
	(void)signal(SIGIO, SIG_IGN);
	dir = strdup(scratch_path(scratch_begin(), "cache"));
	scratch_store_open(&s, dir, SIZE);
}

static void teardown(void)
{
	scratch_store_close(&s);
	free((void *)(uintptr_t)dir);
	scratch_end();
}

/* Whether the filesystem of the test has leases at all. */
static bool have_leases(void)
{
	int fd = open(scratch_path(dir, "thawfs.cache"), O_RDONLY | O_CLOEXEC);
	bool have = fcntl(fd, F_SETLEASE, F_WRLCK) == 0;

	(void)close(fd);
	return have;
}

static int object_fd(uint64_t id)
{
	int fd = -1;

	ck_assert_int_eq(thaw_store_open_object(s.store, id, FILE_SIZE, &fd), 0);
	return fd;
}

START_TEST(goes_with_its_bytes)
{
	uint64_t before, charge;

	scratch_stage(&s, 0x8, 1);
	before = scratch_used(&s.space);
	charge = scratch_stage(&s, 7, FILE_SIZE);
	ck_assert_int_eq(thaw_store_remove(s.store, 7), 0);
	thaw_space_release(&s.space, charge);
	ck_assert_uint_eq(scratch_used(&s.space), before);
	scratch_check_books(&s, dir);
	ck_assert_int_eq(thaw_store_remove(s.store, 7), 0);    /* it was not there */
	ck_assert_int_eq(thaw_store_remove(s.store, 0xee00), 0); /* nor its shard */
	scratch_check_object(&s, 0x8, 1);
}
END_TEST

START_TEST(open_is_busy)
{
	int fd;

	if (!have_leases())
		return;
	scratch_stage(&s, 7, FILE_SIZE);
	fd = object_fd(7);
	ck_assert_int_eq(thaw_store_remove(s.store, 7), -EBUSY);
	scratch_check_object(&s, 7, FILE_SIZE);
	(void)close(fd);
	ck_assert_int_eq(thaw_store_remove(s.store, 7), 0);
}
END_TEST

START_TEST(a_mapping_is_busy)
{
	int flags = _i ? MAP_PRIVATE : MAP_SHARED;
	uint8_t *map;
	int fd;

	if (!have_leases())
		return;
	scratch_stage(&s, 7, FILE_SIZE);
	fd = object_fd(7);
	map = mmap(NULL, FILE_SIZE, PROT_READ, flags, fd, 0);
	ck_assert(map != MAP_FAILED);
	ck_assert_int_eq(thaw_store_remove(s.store, 7), -EBUSY);
	(void)close(fd);
	ck_assert_int_eq(thaw_store_remove(s.store, 7), -EBUSY);
	(void)munmap(map, FILE_SIZE);
	ck_assert_int_eq(thaw_store_remove(s.store, 7), 0);
}
END_TEST

START_TEST(a_part_not_done_is_busy)
{
	struct thaw_part *part = scratch_fill(&s, 7, FILE_SIZE);
	uint64_t bytes;

	if (!have_leases()) {
		(void)thaw_part_abort(part);
		return;
	}
	ck_assert_int_eq(thaw_part_publish(part, &bytes), 0);
	ck_assert_int_eq(thaw_store_remove(s.store, 7), -EBUSY);
	(void)thaw_part_done(part);
	ck_assert_int_eq(thaw_store_remove(s.store, 7), 0);
}
END_TEST

START_TEST(many_at_once)
{
	uint64_t ids[20];
	int codes[20], fd;

	for (uint64_t i = 0; i < 20; i++) {
		ids[i] = (i + 1) * 0x81;
		if (i != 5)
			scratch_stage(&s, ids[i], FILE_SIZE);
	}
	fd = object_fd(ids[9]);
	ck_assert_int_eq(thaw_store_remove_many(s.store, ids, 20, codes), 0);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(codes[i], i == 9 && have_leases() ? -EBUSY : 0);
	(void)close(fd);
	ck_assert_int_eq(thaw_store_remove_many(s.store, ids, 0, codes), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache_remove");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, goes_with_its_bytes);
	tcase_add_test(tc, open_is_busy);
	tcase_add_loop_test(tc, a_mapping_is_busy, 0, 2);
	tcase_add_test(tc, a_part_not_done_is_busy);
	tcase_add_test(tc, many_at_once);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
