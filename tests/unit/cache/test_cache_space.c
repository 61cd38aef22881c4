/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The byte budget: refusals, moves between its parts, threads. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "cache/space.h"

static struct thaw_space space;

static uint64_t used(void)
{
	struct thaw_space_use use;

	thaw_space_get(&space, &use);
	ck_assert_uint_eq(use.size, 1000);
	return use.resident + use.reserved + use.overhead;
}

static void setup(void)
{
	thaw_space_init(&space, 1000);
}

static void teardown(void)
{
	thaw_space_destroy(&space);
}

START_TEST(refuses_what_does_not_fit)
{
	thaw_space_set_resident(&space, 600);
	thaw_space_set_overhead(&space, 100);
	ck_assert_int_eq(thaw_space_reserve(&space, 301), -ENOSPC);
	ck_assert_int_eq(thaw_space_reserve(&space, UINT64_MAX), -ENOSPC);
	ck_assert_int_eq(thaw_space_reserve(&space, 300), 0);
	ck_assert_int_eq(thaw_space_reserve(&space, 1), -ENOSPC);
	ck_assert_int_eq(thaw_space_reserve(&space, 0), 0);
	thaw_space_unreserve(&space, 300);
	ck_assert_uint_eq(used(), 700);
}
END_TEST

START_TEST(below_a_limit)
{
	thaw_space_set_resident(&space, 600);
	ck_assert_int_eq(thaw_space_reserve_below(&space, 101, 700), -ENOSPC);
	ck_assert_int_eq(thaw_space_reserve_below(&space, 1, 599), -ENOSPC);
	ck_assert_int_eq(thaw_space_reserve_below(&space, 100, 700), 0);
	ck_assert_int_eq(thaw_space_reserve_below(&space, 1, 700), -ENOSPC);
	ck_assert_int_eq(thaw_space_reserve(&space, 300), 0);
	ck_assert_uint_eq(used(), 1000);
}
END_TEST

START_TEST(settles_on_what_it_takes)
{
	ck_assert_int_eq(thaw_space_reserve(&space, 500), 0);
	thaw_space_settle(&space, 500, 420);
	ck_assert_uint_eq(used(), 420);
	ck_assert_int_eq(thaw_space_reserve(&space, 500), 0);
	thaw_space_settle(&space, 500, 510); /* larger, too */
	ck_assert_uint_eq(used(), 930);
	thaw_space_release(&space, 420);
	ck_assert_uint_eq(used(), 510);
}
END_TEST

START_TEST(over_size_refuses_until_it_has_shrunk)
{
	thaw_space_set_overhead(&space, 1200);
	ck_assert_int_eq(thaw_space_reserve(&space, 0), -ENOSPC);
	thaw_space_set_overhead(&space, 900);
	ck_assert_int_eq(thaw_space_reserve(&space, 100), 0);
}
END_TEST

START_TEST(growth_comes_out_of_the_reservation)
{
	ck_assert_int_eq(thaw_space_reserve(&space, 100), 0);
	ck_assert_uint_eq(thaw_space_grow_overhead(&space, 40, 100), 40);
	ck_assert_uint_eq(used(), 100);
	ck_assert_uint_eq(thaw_space_grow_overhead(&space, 90, 60), 60);
	ck_assert_uint_eq(used(), 130);
}
END_TEST

static void *hammer(void *arg)
{
	unsigned seed = *(unsigned *)arg;

	for (int i = 0; i < 20000; i++) {
		uint64_t bytes = (uint64_t)(rand_r(&seed) % 200);
		uint64_t grown;

		ck_assert_uint_le(used(), 1000);
		if (thaw_space_reserve(&space, bytes))
			continue;
		grown = thaw_space_grow_overhead(&space, 0, bytes);
		thaw_space_settle(&space, bytes - grown, bytes / 2);
		ck_assert_uint_le(used(), 1000);
		thaw_space_release(&space, bytes / 2);
	}
	return NULL;
}

START_TEST(never_over_size_with_threads)
{
	unsigned seeds[4] = {1, 2, 3, 4};
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer, &seeds[i]), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_eq(used(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache_space");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, refuses_what_does_not_fit);
	tcase_add_test(tc, below_a_limit);
	tcase_add_test(tc, settles_on_what_it_takes);
	tcase_add_test(tc, over_size_refuses_until_it_has_shrunk);
	tcase_add_test(tc, growth_comes_out_of_the_reservation);
	tcase_add_test(tc, never_over_size_with_threads);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
