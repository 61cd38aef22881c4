/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <time.h>

#include "base/clock.h"
#include "../suite.h"

START_TEST(monotonic_does_not_go_back)
{
	int64_t last = thaw_clock_mono_ns();

	for (int i = 0; i < 1000; i++) {
		int64_t now = thaw_clock_mono_ns();

		ck_assert_int_ge(now, last);
		last = now;
	}
}
END_TEST

START_TEST(the_two_real_clocks_agree)
{
	int64_t before = time(NULL) - 1; /* time(2) reads a coarser clock */
	int64_t s = thaw_clock_real_s();
	int64_t ns = thaw_clock_real_ns();

	ck_assert_int_ge(s, before);
	ck_assert_int_ge(ns / THAW_NS_PER_S, s);
	ck_assert_int_le(ns / THAW_NS_PER_S, s + 60);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, monotonic_does_not_go_back);
	tcase_add_test(tcase, the_two_real_clocks_agree);
}

int main(void)
{
	return run_suite("clock", add);
}
