/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cache is never above its size: several threads stage files of odd sizes
 * while another keeps looking at what the directory takes on disk.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "scratch.h"

#define THREADS 4

static struct {
	struct scratch_store s;
	const char *dir;
	uint64_t size;
	bool evict;            /* make room instead of stopping */
	int rounds;            /* of a thread */
	_Atomic uint64_t next; /* counts objects */
	_Atomic uint64_t staged, refused, looks;
	atomic_bool stop;
	uint64_t (*measure)(void);
	uint64_t most; /* watcher, until joined */
} t;

static uint64_t odd_size(unsigned *seed)
{
	uint64_t size = (uint64_t)rand_r(seed) % 40000;

	switch (rand_r(seed) % 64) {
	case 0:
		return size * 20;
	case 1:
	case 2:
	case 3:
		return size;
	default:
		return size / 10;
	}
}

static bool write_all(struct thaw_part *part, uint64_t id, uint64_t size)
{
	uint8_t data[7777];

	for (uint64_t off = 0; off < size;) {
		uint64_t n = size - off < sizeof(data) ? size - off : sizeof(data);

		scratch_bytes(id, off, data, n);
		if (thaw_part_write(part, off, data, n))
			return false;
		off += n;
	}
	return true;
}

/* 0, or the -ENOSPC of the budget. */
static int stage_one(uint64_t id, uint64_t size, unsigned *seed)
{
	uint64_t need = thaw_store_need(t.s.store, size), bytes;
	struct thaw_part *part = NULL;

	if (thaw_space_reserve(&t.s.space, need))
		return -ENOSPC;
	ck_assert_int_eq(thaw_part_new(t.s.store, id, size, 10000, need, &part), 0);
	ck_assert(write_all(part, id, size));
	if (t.evict && rand_r(seed) % 8 == 0) {
		(void)thaw_part_abort(part);
		return 0;
	}
	ck_assert_int_eq(thaw_part_publish(part, &bytes), 0);
	(void)thaw_part_done(part);
	atomic_fetch_add(&t.staged, 1);
	return 0;
}

/* Any object of the past; two threads may want the same one. */
static void evict_one(unsigned *seed)
{
	static atomic_flag busy = ATOMIC_FLAG_INIT;
	uint64_t n = 1 + (uint64_t)rand_r(seed) % atomic_load(&t.next), id = n << 8 | (n & 1);
	uint64_t charge;

	while (atomic_flag_test_and_set(&busy))
		(void)sched_yield();
	if (!thaw_store_charge(t.s.store, id, &charge) && !thaw_store_remove(t.s.store, id))
		thaw_space_release(&t.s.space, charge);
	atomic_flag_clear(&busy);
}

static void *stager(void *arg)
{
	unsigned seed = *(unsigned *)arg;

	for (int i = 0; i < t.rounds; i++) {
		/* Two shards only, so that their directories grow. */
		uint64_t n = atomic_fetch_add(&t.next, 1) + 1, id = n << 8 | (n & 1);

		while (stage_one(id, odd_size(&seed), &seed)) {
			atomic_fetch_add(&t.refused, 1);
			if (!t.evict)
				break;
			evict_one(&seed);
		}
	}
	return NULL;
}

static void *watcher(void *arg)
{
	(void)arg;
	do {
		uint64_t now = t.measure();

		if (now > t.most)
			t.most = now;
		atomic_fetch_add(&t.looks, 1);
	} while (!atomic_load(&t.stop));
	return NULL;
}

static void run(void)
{
	unsigned seeds[THREADS] = {21, 22, 23, 24};
	pthread_t threads[THREADS], watch;

	scratch_store_open(&t.s, t.dir, t.size);
	ck_assert_int_eq(pthread_create(&watch, NULL, watcher, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, stager, &seeds[i]), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	atomic_store(&t.stop, true);
	ck_assert_int_eq(pthread_join(watch, NULL), 0);
	ck_assert_uint_gt(t.looks, 3);
	ck_assert_uint_le(t.most, t.size);
	scratch_check_books(&t.s, t.dir);
	scratch_store_close(&t.s);
}

static uint64_t measure_du(void)
{
	return scratch_du(t.dir);
}

/* Of a whole filesystem, less what it takes when empty: exact at any instant. */
static uint64_t empty_taken;

static uint64_t measure_fs(void)
{
	struct statvfs fs;

	ck_assert_int_eq(statvfs(t.dir, &fs), 0);
	return (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize - empty_taken;
}

static void teardown(void)
{
	scratch_end();
}

/* Without evictions and aborts nothing that was seen can go while the rest is
 * looked at: the sum is no more than what is there when the looking ends. */
START_TEST(filling_up)
{
	memset(&t, 0, sizeof(t));
	t.dir = scratch_begin();
	t.size = UINT64_C(8) << 20;
	t.rounds = 400;
	t.measure = measure_du;
	run();
	ck_assert_uint_gt(t.refused, 0);
	ck_assert_uint_gt(t.staged, 300);
	ck_assert_uint_gt(t.most, t.size * 8 / 10);
}
END_TEST

/* Each file finds just the room it asked for, also those that make a
 * directory grow. */
START_TEST(at_the_brim)
{
	const uint64_t size = UINT64_C(16) << 20;
	uint64_t filler, left;
	struct scratch_store s;
	const char *dir = scratch_begin();

	scratch_store_open(&s, dir, size);
	for (uint64_t i = 1; i <= 700; i++) {
		left = size - scratch_used(&s.space);
		filler = left - thaw_store_need(s.store, 1);
		ck_assert_uint_lt(filler, left);
		ck_assert_int_eq(thaw_space_reserve(&s.space, filler), 0);
		scratch_stage(&s, i << 40, 1);
		ck_assert_uint_le(scratch_used(&s.space), size);
		thaw_space_unreserve(&s.space, filler);
	}
	scratch_check_books(&s, dir);
	scratch_store_close(&s);
}
END_TEST

START_TEST(turning_over)
{
	const char *mnt;

	memset(&t, 0, sizeof(t));
	scratch_begin();
	mnt = scratch_tmpfs(UINT64_C(32) << 20);
	if (!mnt)
		return;
	(void)signal(SIGIO, SIG_IGN);
	t.dir = mnt;
	empty_taken = 0;
	empty_taken = measure_fs();
	t.size = UINT64_C(4) << 20;
	t.rounds = 400;
	t.evict = true;
	t.measure = measure_fs;
	run();
	ck_assert_uint_gt(t.refused, 100);
	ck_assert_uint_gt(t.most, t.size * 8 / 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache_limit");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, filling_up);
	tcase_add_test(tc, at_the_brim);
	tcase_add_test(tc, turning_over);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
