/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <pthread.h>

#include "fuse/told.h"
#include "../suite.h"

static struct thaw_told *told;

static void set_up(void)
{
	told = thaw_told_new();
	ck_assert_ptr_nonnull(told);
}

static void tear_down(void)
{
	told = thaw_told_free(told);
}

static const uint64_t far_apart[] = {
	1, 2, 63, 64, 65, (1 << 20) - 1, 1 << 20, UINT64_C(3) << 30, (UINT64_C(1) << 36) - 1,
};
#define COUNT (sizeof(far_apart) / sizeof(far_apart[0]))

START_TEST(knows_what_was_marked_and_nothing_else)
{
	for (size_t i = 0; i < COUNT; i++)
		ck_assert(!thaw_told_has(told, far_apart[i]));
	for (size_t i = 0; i < COUNT; i++)
		thaw_told_mark(told, far_apart[i]);
	for (size_t i = 0; i < COUNT; i++)
		ck_assert(thaw_told_has(told, far_apart[i]));
	ck_assert(!thaw_told_has(told, 3));
	ck_assert(!thaw_told_has(told, (1 << 20) + 1));
	ck_assert(!thaw_told_has(told, UINT64_C(1) << 40));
}
END_TEST

START_TEST(what_it_cannot_hold_makes_it_say_yes)
{
	thaw_told_mark(told, UINT64_C(1) << 40);
	ck_assert(thaw_told_has(told, UINT64_C(1) << 40));
	ck_assert(thaw_told_has(told, 5));
}
END_TEST

static int compare(void *ctx, uint64_t node)
{
	size_t *n = ctx;

	ck_assert_uint_lt(*n, COUNT);
	ck_assert_uint_eq(node, far_apart[*n]);
	(*n)++;
	return node == far_apart[COUNT - 2] ? -1 : 0;
}

START_TEST(lists_in_order_and_stops_when_asked)
{
	size_t n = 0;

	for (size_t i = COUNT; i > 0; i--)
		thaw_told_mark(told, far_apart[i - 1]);
	ck_assert_int_eq(thaw_told_each(told, compare, &n), -1);
	ck_assert_uint_eq(n, COUNT - 1);
}
END_TEST

static void *mark_many(void *arg)
{
	for (uint64_t i = (uintptr_t)arg; i < 3000000; i += 997)
		thaw_told_mark(told, i);
	return NULL;
}

START_TEST(threads_lose_no_mark)
{
	pthread_t threads[4];

	for (uintptr_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, mark_many, (void *)(i + 1)), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (uint64_t first = 1; first <= 4; first++)
		for (uint64_t i = first; i < 3000000; i += 997)
			ck_assert(thaw_told_has(told, i));
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, knows_what_was_marked_and_nothing_else);
	tcase_add_test(tcase, what_it_cannot_hold_makes_it_say_yes);
	tcase_add_test(tcase, lists_in_order_and_stops_when_asked);
	tcase_add_test(tcase, threads_lose_no_mark);
}

int main(void)
{
	return run_suite("fuse_told", add);
}
