/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files on their way in: filling, publishing, giving up, putting aside. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

#define SIZE (UINT64_C(64) << 20)

static const char *dir;
static struct scratch_store s;

static void setup(void)
{
	dir = strdup(scratch_path(scratch_begin(), "cache"));
	scratch_store_open(&s, dir, SIZE);
}

static void teardown(void)
{
	scratch_store_close(&s);
	free((void *)(uintptr_t)dir);
	scratch_end();
}

static struct thaw_part *begin(uint64_t id, uint64_t size, uint64_t chunk)
{
	uint64_t need = thaw_store_need(s.store, size);
	struct thaw_part *part = NULL;

	ck_assert_int_eq(thaw_space_reserve(&s.space, need), 0);
	ck_assert_int_eq(thaw_part_new(s.store, id, size, chunk, need, &part), 0);
	return part;
}

static const uint64_t sizes[] = {0, 1, 511, 4095, 4096, 4097, 65536, 1000003};

START_TEST(stages_every_size)
{
	uint64_t size = sizes[_i], before = scratch_used(&s.space), charge, bytes;
	struct stat st;

	bytes = scratch_stage(&s, 0xabc, size);
	scratch_check_object(&s, 0xabc, size);
	ck_assert_int_eq(stat(scratch_path(dir, "objects/0a/abc"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0400);
	ck_assert_uint_eq(st.st_nlink, 1);
	ck_assert_int_eq(thaw_store_charge(s.store, 0xabc, &charge), 0);
	ck_assert_uint_eq(bytes, charge);
	ck_assert_uint_ge(scratch_used(&s.space), before + bytes);
	scratch_check_books(&s, dir);
	ck_assert_uint_eq(scratch_count(scratch_path(dir, "incoming")), 0);
}
END_TEST

START_TEST(chunks_fill_in_any_order)
{
	uint8_t data[3000];
	struct thaw_part *part = begin(5, sizeof(data), 1000);
	uint8_t back[1000];
	uint64_t bytes;

	scratch_bytes(5, 0, data, sizeof(data));
	ck_assert_int_eq(thaw_part_write(part, 2000, data + 2000, 1000), 0);
	ck_assert(thaw_part_covered(part, 2000, 5000));
	ck_assert(!thaw_part_covered(part, 1999, 2));
	ck_assert_int_eq(pread(thaw_part_fd(part), back, 1000, 2000), 1000);
	ck_assert_int_eq(memcmp(back, data + 2000, 1000), 0);
	ck_assert_int_eq(thaw_part_write(part, 100, data + 100, 1), -EINVAL); /* not its place */
	ck_assert_int_eq(thaw_part_write(part, 3000, data, 1), -EINVAL);      /* behind the end */
	ck_assert_int_eq(thaw_part_write(part, 0, data, 400), 0);
	ck_assert_int_eq(thaw_part_publish(part, &bytes), -EINVAL); /* short */
	ck_assert_uint_eq(thaw_part_filled(part), 1400);
	thaw_part_reset_chunk(part, 0);
	ck_assert_uint_eq(thaw_part_filled(part), 1000);
	ck_assert(!thaw_part_covered(part, 0, 1));
	ck_assert_int_eq(thaw_part_write(part, 0, data, 2000), 0); /* on into the next */
	ck_assert_int_eq(thaw_part_publish(part, &bytes), 0);
	(void)thaw_part_done(part);
	scratch_check_object(&s, 5, sizeof(data));
}
END_TEST

START_TEST(abort_gives_all_back)
{
	struct thaw_part *part;
	uint64_t before, bytes;
	int fd;

	scratch_stage(&s, 0x99, 1); /* the shard's directory stays */
	before = scratch_used(&s.space);
	ck_assert_ptr_null(thaw_part_abort(scratch_fill(&s, 0x9a, 300000)));
	ck_assert_uint_eq(scratch_used(&s.space), before);
	part = scratch_fill(&s, 0x9a, 300000);
	ck_assert_int_eq(thaw_part_publish(part, &bytes), 0);
	ck_assert_ptr_null(thaw_part_abort(part));
	ck_assert_uint_eq(scratch_used(&s.space), before);
	ck_assert_int_eq(thaw_store_open_object(s.store, 0x9a, 300000, &fd), -ENOENT);
	ck_assert_uint_eq(scratch_count(scratch_path(dir, "incoming")), 0);
	scratch_check_books(&s, dir);
	ck_assert_ptr_null(thaw_part_abort(NULL));
	ck_assert_ptr_null(thaw_part_done(NULL));
}
END_TEST

START_TEST(leftovers_are_replaced)
{
	uint64_t bytes;
	struct thaw_part *part = scratch_fill(&s, 0x42, 5000);
	int old = -1;
	uint8_t back;

	/* As after a crash between publish and done: two names of one file. */
	ck_assert_int_eq(thaw_part_publish(part, &bytes), 0);
	ck_assert_int_eq(thaw_store_open_object(s.store, 0x42, 5000, &old), 0);
	ck_assert_int_eq(link(scratch_path(dir, "incoming/42"), scratch_path(dir, "keep")), 0);
	(void)thaw_part_done(part);
	ck_assert_int_eq(rename(scratch_path(dir, "keep"), scratch_path(dir, "incoming/42")), 0);
	thaw_space_release(&s.space, bytes);

	scratch_stage(&s, 0x42, 7000);
	scratch_check_object(&s, 0x42, 7000);
	scratch_check_books(&s, dir);
	/* Whoever had the old one open still reads it. */
	ck_assert_int_eq(pread(old, &back, 1, 4999), 1);
	ck_assert_int_eq(pread(old, &back, 1, 5000), 0);
	(void)close(old);
}
END_TEST

START_TEST(quarantine_keeps_and_charges)
{
	uint64_t bytes = 0, kept = 0;
	int fd;

	for (int i = 0; i < 3; i++) {
		ck_assert_ptr_null(thaw_part_quarantine(scratch_fill(&s, 0x77, 100000), &bytes));
		ck_assert_uint_ge(bytes, 100000);
		kept += bytes;
	}
	ck_assert_uint_eq(scratch_count(scratch_path(dir, "quarantine")), 3);
	ck_assert_int_eq(thaw_store_open_object(s.store, 0x77, 100000, &fd), -ENOENT);
	ck_assert_uint_gt(scratch_used(&s.space), kept);
	scratch_check_books(&s, dir);

	/* Counted again by the next life, and emptied by hand without harm. */
	scratch_store_close(&s);
	scratch_store_open(&s, dir, SIZE);
	scratch_check_books(&s, dir);
	scratch_remove_tree(scratch_path(dir, "quarantine"));
	scratch_store_close(&s);
	scratch_store_open(&s, dir, SIZE);
	scratch_check_books(&s, dir);
	ck_assert_uint_lt(scratch_used(&s.space), kept);
}
END_TEST

START_TEST(quarantine_has_an_end)
{
	uint64_t bytes = 1;
	int kept = 0;

	while (bytes) {
		ck_assert_int_lt(kept, 10);
		(void)thaw_part_quarantine(scratch_fill(&s, 8, SIZE / 16), &bytes);
		kept += bytes != 0;
	}
	ck_assert_int_eq(kept, 4);
	scratch_check_books(&s, dir);
}
END_TEST

static void check_new_fails(uint64_t size, int code)
{
	uint64_t need = thaw_store_need(s.store, size), before = scratch_used(&s.space);
	struct thaw_part *part = NULL;

	ck_assert_int_eq(thaw_space_reserve(&s.space, need), 0);
	ck_assert_int_eq(thaw_part_new(s.store, 3, size, 65536, need, &part), code);
	ck_assert_ptr_null(part);
	thaw_space_unreserve(&s.space, need);
	ck_assert_uint_eq(scratch_used(&s.space), before);
	scratch_check_books(&s, dir);
}

START_TEST(full_disk)
{
	const char *mnt = scratch_tmpfs(1 << 20);

	if (!mnt)
		return;
	scratch_store_close(&s);
	free((void *)(uintptr_t)dir);
	dir = strdup(scratch_path(mnt, "cache"));
	scratch_store_open(&s, dir, SIZE); /* a budget larger than the disk */
	check_new_fails(2 << 20, -ENOSPC);
	scratch_stage(&s, 4, 700000);
	check_new_fails(700000, -ENOSPC);
	scratch_check_object(&s, 4, 700000);
}
END_TEST

START_TEST(file_size_limit)
{
	struct rlimit old, limit;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 100000;
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	check_new_fails(200000, -EFBIG);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
}
END_TEST

START_TEST(need_is_never_too_little_to_say)
{
	ck_assert_uint_ge(thaw_store_need(s.store, 0), 4096);
	ck_assert_uint_eq(thaw_store_need(s.store, UINT64_MAX), UINT64_MAX);
	for (uint64_t size = 1; size < UINT64_C(1) << 60; size = size * 3 + 1)
		ck_assert_uint_gt(thaw_store_need(s.store, size), size);
}
END_TEST

/* Every other piece written and synced: as many extents as can be had. */
START_TEST(need_covers_a_fragmented_file)
{
	enum { PIECE = 65536, PIECES = 400 };
	uint64_t size = PIECE * PIECES, need = thaw_store_need(s.store, size);
	struct thaw_part *part = begin(6, size, PIECE);
	static uint8_t data[PIECE];
	struct stat st;

	for (int pass = 0; pass < 2; pass++) {
		for (uint64_t i = (uint64_t)pass; i < PIECES; i += 2) {
			ck_assert_int_eq(thaw_part_write(part, i * PIECE, data, PIECE), 0);
			if (i % 50 < 2) {
				ck_assert_int_eq(fsync(thaw_part_fd(part)), 0);
				ck_assert_int_eq(fstat(thaw_part_fd(part), &st), 0);
				ck_assert_uint_le((uint64_t)st.st_blocks * 512, need);
			}
		}
	}
	(void)thaw_part_abort(part);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache_part");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, stages_every_size, 0, (int)(sizeof(sizes) / sizeof(sizes[0])));
	tcase_add_test(tc, chunks_fill_in_any_order);
	tcase_add_test(tc, abort_gives_all_back);
	tcase_add_test(tc, leftovers_are_replaced);
	tcase_add_test(tc, quarantine_keeps_and_charges);
	tcase_add_test(tc, quarantine_has_an_end);
	tcase_add_test(tc, full_disk);
	tcase_add_test(tc, file_size_limit);
	tcase_add_test(tc, need_is_never_too_little_to_say);
	tcase_add_test(tc, need_covers_a_fragmented_file);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
