/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Killed at every crash point, and again while recovering. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "life.h"
#include "scratch.h"

static char cache[SCRATCH_PATH], rows[SCRATCH_PATH];

static void setup(void)
{
	const char *top = scratch_begin();

	(void)snprintf(cache, sizeof(cache), "%s/cache", top);
	(void)snprintf(rows, sizeof(rows), "%s/rows", top);
	ck_assert_int_eq(mkdir(rows, 0700), 0);
}

static void wipe(void)
{
	scratch_remove_tree(cache);
	scratch_remove_tree(rows);
	ck_assert_int_eq(mkdir(rows, 0700), 0);
}

/* Odd passes are looked at right away; even ones crash again in recovery, and
 * then live on. */
static void check_after(int pass)
{
	if (pass % 2) {
		life_check(cache, rows);
		return;
	}
	ck_assert_int_eq(life_run("recover.finals", cache, rows), LIFE_KILLED);
	ck_assert_int_eq(life_run(NULL, cache, rows), LIFE_WHOLE);
	life_check(cache, rows);
}

/* Passes of the point are tried until a life no longer comes by. */
START_TEST(killed_at)
{
	const char *point = life_points[_i];
	char plan[64];
	int pass = 1;

	for (;; pass++) {
		enum life_end end;

		wipe();
		(void)snprintf(plan, sizeof(plan), "%s:%d", point, pass);
		end = life_run(plan, cache, rows);
		ck_assert_int_ne(end, LIFE_BROKEN);
		if (end == LIFE_WHOLE)
			break;
		check_after(pass);
	}
	ck_assert_msg(pass > 1, "%s is never passed", point);
	life_check(cache, rows);
}
END_TEST

/* Another catalog's daemon takes the cache over and dies on the way: the first
 * one either still owns all of it or nothing. */
START_TEST(claimed_by_another)
{
	static const char *const points[] = {
		"id.written",
		"id.renamed",
		"claim.disowned",
		"claim.emptied",
	};
	char others[SCRATCH_PATH + 8], plan[64];

	(void)snprintf(others, sizeof(others), "%s.other", rows);
	ck_assert_int_eq(mkdir(others, 0700), 0);
	ck_assert_int_eq(life_run(NULL, cache, rows), LIFE_WHOLE);
	(void)snprintf(plan, sizeof(plan), "%s:%d", points[_i % 4], 1 + _i / 4);
	ck_assert_int_eq(life_run(plan, cache, others), _i < 6 ? LIFE_KILLED : LIFE_WHOLE);
	life_check(cache, rows);
	life_check(cache, others);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite;
	TCase *tc;
	SRunner *runner;
	int failed, points = 0;

	life_child(argc, argv);
	if (!life_has_points)
		return 77;
	suite = suite_create("cache_crash");
	tc = tcase_create("all");
	while (life_points[points])
		points++;
	tcase_add_checked_fixture(tc, setup, scratch_end);
	tcase_add_loop_test(tc, killed_at, 0, points);
	tcase_add_loop_test(tc, claimed_by_another, 0, 8);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
