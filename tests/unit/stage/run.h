/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run.h - a test program of the tests named: they are all that it holds. */
#ifndef THAW_TEST_STAGE_RUN_H
#define THAW_TEST_STAGE_RUN_H

#include "../suite.h"

#define RUN_TESTS(name, ...)                                                  \
	static void add_tests(TCase *tcase)                                   \
	{                                                                     \
		const TTest *const tests[] = {__VA_ARGS__};                   \
                                                                              \
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) \
			tcase_add_test(tcase, tests[i]);                      \
	}                                                                     \
                                                                              \
	int main(void)                                                        \
	{                                                                     \
		return run_suite(name, add_tests);                            \
	}

#endif
