/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run.h - main() of a test program with one case. */
#ifndef THAW_TEST_STAGE_RUN_H
#define THAW_TEST_STAGE_RUN_H

#include <check.h>
#include <stdlib.h>

#define RUN_TESTS(name, ...)                                                           \
	int main(void)                                                                 \
	{                                                                              \
		const TTest *const tests[] = { __VA_ARGS__ };                          \
		Suite *suite = suite_create(name);                                     \
		TCase *tc = tcase_create(name);                                        \
		SRunner *runner;                                                       \
		int failed;                                                            \
                                                                                       \
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)          \
			tcase_add_test(tc, tests[i]);                                  \
		suite_add_tcase(suite, tc);                                            \
		runner = srunner_create(suite);                                        \
		srunner_run_all(runner, CK_NORMAL);                                    \
		failed = srunner_ntests_failed(runner);                                \
		srunner_free(runner);                                                  \
		return failed ? EXIT_FAILURE : EXIT_SUCCESS;                           \
	}

#endif
