/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "metrics/metrics.h"

static char *render(void)
{
	struct thaw_buf buf;

	thaw_buf_init(&buf, 1 << 20);
	ck_assert_int_eq(thaw_metrics_render(&buf), 0);
	return thaw_buf_steal(&buf);
}

static int64_t delta(enum thaw_metric metric, int64_t before)
{
	return thaw_metrics_get(metric) - before;
}

START_TEST(counters_count_and_gauges_move)
{
	int64_t hits = thaw_metrics_get(THAW_M_OPENS_HIT);

	thaw_metrics_add(THAW_M_OPENS_HIT, 1);
	thaw_metrics_add(THAW_M_OPENS_HIT, 2);
	ck_assert_int_eq(delta(THAW_M_OPENS_HIT, hits), 3);
	thaw_metrics_set(THAW_M_WAITERS, 5);
	thaw_metrics_add(THAW_M_WAITERS, -2);
	ck_assert_int_eq(thaw_metrics_get(THAW_M_WAITERS), 3);
}
END_TEST

START_TEST(totals_never_fall)
{
	int64_t before = thaw_metrics_get(THAW_M_EVICTIONS);

	thaw_metrics_raise(THAW_M_EVICTIONS, before + 7);
	thaw_metrics_raise(THAW_M_EVICTIONS, before + 7);
	ck_assert_int_eq(delta(THAW_M_EVICTIONS, before), 7);
	thaw_metrics_raise(THAW_M_EVICTIONS, before + 3);
	ck_assert_int_eq(delta(THAW_M_EVICTIONS, before), 7);
}
END_TEST

#define THREADS 4
#define ROUNDS  20000

static void *count(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
		thaw_metrics_observe(THAW_H_OPEN_WAIT, THAW_NS_PER_MS);
	}
	return arg;
}

START_TEST(threads_lose_nothing)
{
	int64_t requests = thaw_metrics_get(THAW_M_FUSE_REQUESTS);
	uint64_t observed = thaw_metrics_observed(THAW_H_OPEN_WAIT);
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_eq(delta(THAW_M_FUSE_REQUESTS, requests), THREADS * ROUNDS);
	ck_assert_uint_eq(thaw_metrics_observed(THAW_H_OPEN_WAIT) - observed, THREADS * ROUNDS);
}
END_TEST

START_TEST(histograms_add_up)
{
	char *text;

	thaw_metrics_observe(THAW_H_OPEN_WAIT, -1);
	thaw_metrics_observe(THAW_H_OPEN_WAIT, THAW_NS_PER_MS); /* a bound belongs below */
	thaw_metrics_observe(THAW_H_OPEN_WAIT, THAW_NS_PER_MS + 1);
	thaw_metrics_observe(THAW_H_OPEN_WAIT, 90 * THAW_NS_PER_S + 500 * THAW_NS_PER_MS);
	thaw_metrics_observe(THAW_H_OPEN_WAIT, 100000 * THAW_NS_PER_S);
	text = render();
	ck_assert_ptr_nonnull(strstr(text, "\n# TYPE thawfs_open_wait_seconds histogram\n"
					   "thawfs_open_wait_seconds_bucket{le=\"0.001\"} 2\n"
					   "thawfs_open_wait_seconds_bucket{le=\"0.01\"} 3\n"));
	ck_assert_ptr_nonnull(strstr(text, "_bucket{le=\"60\"} 3\n"));
	ck_assert_ptr_nonnull(strstr(text, "thawfs_open_wait_seconds_bucket{le=\"300\"} 4\n"));
	ck_assert_ptr_nonnull(strstr(text, "thawfs_open_wait_seconds_bucket{le=\"86400\"} 4\n"
					   "thawfs_open_wait_seconds_bucket{le=\"+Inf\"} 5\n"
					   "thawfs_open_wait_seconds_sum 100090.502000001\n"
					   "thawfs_open_wait_seconds_count 5\n"));
	free(text);
}
END_TEST

START_TEST(labelled_rows_share_one_head)
{
	const char *first, *second;
	char *text = render();

	first = strstr(text,
		       "# TYPE thawfs_opens_total counter\nthawfs_opens_total{result=\"hit\"} ");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, "# TYPE thawfs_opens_total "));
	second = strstr(first, "\nthawfs_opens_total{result=\"miss\"} ");
	ck_assert_ptr_nonnull(second);
	ck_assert_ptr_nonnull(strstr(second, "\nthawfs_opens_total{result=\"stream\"} "));
	free(text);
}
END_TEST

/* Prometheus refuses a family that stands in two places, and lines that are
 * neither a comment nor NAME{LABELS} NUMBER. */
START_TEST(the_text_is_well_formed)
{
	char *text = render(), *line, *rest = text;
	int samples = 0;

	ck_assert_uint_eq(text[strlen(text) - 1], '\n');
	while ((line = strsep(&rest, "\n")) && *line) {
		char *end;

		if (strncmp(line, "# HELP thawfs_", 14) == 0 ||
		    strncmp(line, "# TYPE thawfs_", 14) == 0)
			continue;
		ck_assert_msg(strncmp(line, "thawfs_", 7) == 0, "%s", line);
		line += strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");
		if (*line == '{')
			line = strchr(line, '}') + 1;
		ck_assert_msg(line[0] == ' ' && isdigit((unsigned char)line[1]), "%s", line);
		(void)strtod(line + 1, &end);
		ck_assert_uint_eq(*end, '\0');
		samples++;
	}
	ck_assert_int_gt(samples, THAW_METRICS_COUNT);
	free(text);
}
END_TEST

START_TEST(the_table_is_sound)
{
	for (int i = 0; i < THAW_METRICS_COUNT; i++) {
		const struct thaw_metric_info *info = thaw_metrics_info((enum thaw_metric)i);
		const char *total = strstr(info->name, "_total");

		ck_assert_msg(info->counter == (total && !total[6]), "%s", info->name);
		ck_assert_msg(info->help[strlen(info->help) - 1] == '.', "%s", info->name);
		for (int j = 0; j < i; j++) {
			const struct thaw_metric_info *other =
				thaw_metrics_info((enum thaw_metric)j);
			bool same = strcmp(info->name, other->name) == 0;

			ck_assert_msg(!same || strcmp(info->label, other->label) != 0, "%s twice",
				      info->name);
			ck_assert_msg(!same || strcmp(info[-1].name, info->name) == 0,
				      "%s stands in two places", info->name);
		}
	}
}
END_TEST

START_TEST(a_full_buffer_is_an_error)
{
	struct thaw_buf buf;

	thaw_buf_init(&buf, 100);
	ck_assert_int_ne(thaw_metrics_render(&buf), 0);
	thaw_buf_release(&buf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tcase = tcase_create("metrics");
	SRunner *runner;
	int failed;

	/* First: it counts from zero, also where tests share a process. */
	tcase_add_test(tcase, histograms_add_up);
	tcase_add_test(tcase, counters_count_and_gauges_move);
	tcase_add_test(tcase, totals_never_fall);
	tcase_add_test(tcase, threads_lose_nothing);
	tcase_add_test(tcase, labelled_rows_share_one_head);
	tcase_add_test(tcase, the_text_is_well_formed);
	tcase_add_test(tcase, the_table_is_sound);
	tcase_add_test(tcase, a_full_buffer_is_an_error);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
