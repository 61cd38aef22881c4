/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/park.h"
#include "fuse/uring.h"
#include "../suite.h"

START_TEST(queues_are_deep_enough_to_park_on_and_not_endless)
{
	unsigned last = UINT32_MAX;

	for (int cpus = 1; cpus <= 4096; cpus++) {
		unsigned depth = thaw_uring_depth(cpus);

		ck_assert_uint_ge(depth, 2 * THAW_PARK_SPARE);
		ck_assert_uint_le(depth, 1024);
		ck_assert_uint_le(depth, last); /* more CPUs, not more of each */
		last = depth;
	}
	ck_assert_uint_eq(thaw_uring_depth(2), 1024);
	ck_assert_uint_eq(thaw_uring_depth(0), 1024);
}
END_TEST

START_TEST(off_is_off)
{
	bool use = true;
	unsigned depth;

	ck_assert_int_eq(thaw_uring_decide(THAW_OFF, &use, &depth, NULL), 0);
	ck_assert(!use);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, queues_are_deep_enough_to_park_on_and_not_endless);
	tcase_add_test(tcase, off_is_off);
}

int main(void)
{
	return run_suite("fuse_uring", add);
}
