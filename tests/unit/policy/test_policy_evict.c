/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eviction against a naive model: repeatedly look for the worst, take it. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/evict.h"

#define MANY 4000

static const enum thaw_policy policies[] = {THAW_POLICY_LRU, THAW_POLICY_FIFO, THAW_POLICY_RANDOM};

static struct thaw_policy_candidate c[MANY];
static size_t order[MANY];

/* Few distinct values, so that ties are common. */
static void fill(unsigned seed, size_t n)
{
	static const double costs[] = {1, 1, 1, 4, 0.5, 0, -1, NAN, INFINITY};

	memset(c, 0, sizeof(c));
	for (size_t i = 0; i < n; i++) {
		c[i].object = i * 7919 % 10007 + 1;
		c[i].bytes = (uint64_t)(rand_r(&seed) % 9) * 4096;
		c[i].last_used = rand_r(&seed) % 20 - 5;
		c[i].staged_at = rand_r(&seed) % 10;
		c[i].cost = costs[rand_r(&seed) % 9];
		c[i].pinned = rand_r(&seed) % 6 == 0;
		c[i].busy = rand_r(&seed) % 6 == 0;
		c[i].dead = rand_r(&seed) % 10 == 0;
	}
}

/* --- the model -------------------------------------------------------------- */

static double model_cost(const struct thaw_policy_candidate *x)
{
	return x->cost > 0 && x->cost < HUGE_VAL ? x->cost : 1;
}

/* True when a should leave before b. */
static bool model_before(enum thaw_policy policy, const struct thaw_policy_candidate *a,
			 const struct thaw_policy_candidate *b, int64_t newest)
{
	double age_a = (double)(newest - a->last_used) / model_cost(a);
	double age_b = (double)(newest - b->last_used) / model_cost(b);

	if (a->dead != b->dead)
		return a->dead;
	if (policy == THAW_POLICY_LRU && age_a != age_b)
		return age_a > age_b;
	if (policy == THAW_POLICY_LRU && a->last_used != b->last_used)
		return a->last_used < b->last_used;
	if (a->staged_at != b->staged_at)
		return a->staged_at < b->staged_at;
	return a->object < b->object;
}

static bool model_may_go(const struct thaw_policy_candidate *x)
{
	return !x->pinned && !x->busy && (x->dead || x->bytes);
}

static size_t model(enum thaw_policy policy, size_t n, uint64_t need, size_t *out)
{
	bool taken[MANY] = {false};
	int64_t newest = INT64_MIN;
	uint64_t bytes = 0;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (model_may_go(&c[i]) && c[i].last_used > newest)
			newest = c[i].last_used;
	}
	while (bytes < need) {
		size_t best = n;

		for (size_t i = 0; i < n; i++) {
			if (taken[i] || !model_may_go(&c[i]))
				continue;
			if (best == n || model_before(policy, &c[i], &c[best], newest))
				best = i;
		}
		if (best == n)
			break;
		taken[best] = true;
		out[count++] = best;
		bytes += c[best].bytes;
	}
	return count;
}

START_TEST(agrees_with_the_model)
{
	size_t want[MANY];
	uint64_t bytes;

	for (unsigned seed = 0; seed < 60; seed++) {
		size_t n = seed * 3;
		uint64_t need = (uint64_t)seed % 7 * 40000;

		fill(seed, n);
		for (int p = 0; p < 2; p++) { /* random has no model but its rules, below */
			size_t got = thaw_policy_victims(policies[p], c, n, need, 1, order, &bytes);

			ck_assert_uint_eq(got, model(policies[p], n, need, want));
			ck_assert_int_eq(memcmp(order, want, got * sizeof(*want)), 0);
		}
	}
}
END_TEST

START_TEST(rules_all_keep)
{
	enum thaw_policy policy = policies[_i];

	for (unsigned seed = 0; seed < 40; seed++) {
		size_t n = 200, got;
		bool seen[200] = {false};
		uint64_t bytes = 1, sum = 0, need = seed * 30000;

		fill(seed, n);
		got = thaw_policy_victims(policy, c, n, need, seed, order, &bytes);
		for (size_t i = 0; i < got; i++) {
			ck_assert(!seen[order[i]] && model_may_go(&c[order[i]]));
			ck_assert(i == 0 || c[order[i - 1]].dead || !c[order[i]].dead);
			ck_assert_uint_lt(sum, need); /* none too many */
			seen[order[i]] = true;
			sum += c[order[i]].bytes;
		}
		ck_assert_uint_eq(sum, bytes);
		for (size_t i = 0; sum < need && i < n; i++)
			ck_assert(seen[i] || !model_may_go(&c[i])); /* not enough: then all */
	}
}
END_TEST

START_TEST(plain_orders)
{
	uint64_t bytes;

	memset(c, 0, sizeof(c));
	for (size_t i = 0; i < 5; i++) {
		c[i] = (struct thaw_policy_candidate){
			.object = i + 1,
			.bytes = 10,
			.cost = 1,
			.last_used = INT64_MAX - 5 + (int64_t)i,
			.staged_at = 5 - (int64_t)i,
		};
	}
	/* Ages that a double cannot tell apart still count. */
	ck_assert_uint_eq(thaw_policy_victims(THAW_POLICY_LRU, c, 5, 11, 0, order, &bytes), 2);
	ck_assert(order[0] == 0 && order[1] == 1 && bytes == 20);
	ck_assert_uint_eq(thaw_policy_victims(THAW_POLICY_FIFO, c, 5, 10, 0, order, &bytes), 1);
	ck_assert(order[0] == 4 && bytes == 10);
	ck_assert_uint_eq(thaw_policy_victims(THAW_POLICY_LRU, c, 5, 0, 0, order, &bytes), 0);
	ck_assert_uint_eq(thaw_policy_victims(THAW_POLICY_LRU, c, 0, 9, 0, order, &bytes), 0);
	ck_assert_uint_eq(bytes, 0);
}
END_TEST

START_TEST(dear_files_stay_longer)
{
	uint64_t bytes;

	c[0] = (struct thaw_policy_candidate){.object = 1, .bytes = 1, .last_used = 0, .cost = 10};
	c[1] = (struct thaw_policy_candidate){.object = 2, .bytes = 1, .last_used = 80, .cost = 1};
	c[2] = (struct thaw_policy_candidate){.object = 3, .bytes = 1, .last_used = 100, .cost = 1};
	ck_assert_uint_eq(thaw_policy_victims(THAW_POLICY_LRU, c, 3, 1, 0, order, &bytes), 1);
	ck_assert_uint_eq(order[0], 1); /* age 20, against 100 / 10 */
	c[0].cost = 4;
	ck_assert_uint_eq(thaw_policy_victims(THAW_POLICY_LRU, c, 3, 1, 0, order, &bytes), 1);
	ck_assert_uint_eq(order[0], 0);
}
END_TEST

/* By position in the first choice: whatever the seed, no place is preferred. */
START_TEST(random_is_fair_and_repeats)
{
	unsigned first[10] = {0};
	uint64_t bytes;
	size_t again[10];

	memset(c, 0, sizeof(c));
	for (size_t i = 0; i < 10; i++)
		c[i] = (struct thaw_policy_candidate){.object = 100 + i, .bytes = 1, .cost = 1};
	for (uint64_t seed = 0; seed < 10000; seed++) {
		ck_assert_uint_eq(
			thaw_policy_victims(THAW_POLICY_RANDOM, c, 10, 10, seed, order, &bytes),
			10);
		first[order[0]]++;
	}
	for (int i = 0; i < 10; i++)
		ck_assert(first[i] > 850 && first[i] < 1150);

	/* Another order of the snapshot, the same victims. */
	(void)thaw_policy_victims(THAW_POLICY_RANDOM, c, 10, 10, 5, again, &bytes);
	for (size_t i = 0; i < 10; i++)
		c[i].object = 109 - i;
	(void)thaw_policy_victims(THAW_POLICY_RANDOM, c, 10, 10, 5, order, &bytes);
	for (int i = 0; i < 10; i++)
		ck_assert_uint_eq(109 - order[i], 100 + again[i]);
}
END_TEST

START_TEST(excess)
{
	const uint64_t huge = UINT64_MAX;

	ck_assert_uint_eq(thaw_policy_excess(1000, 950, 95, 90, 0), 0);
	ck_assert_uint_eq(thaw_policy_excess(1000, 951, 95, 90, 0), 51);
	ck_assert_uint_eq(thaw_policy_excess(1000, 951, 95, 90, 60), 111);
	ck_assert_uint_eq(thaw_policy_excess(1000, 900, 95, 90, 50), 0);
	ck_assert_uint_eq(thaw_policy_excess(1000, 900, 95, 90, 51), 51);
	ck_assert_uint_eq(thaw_policy_excess(1000, 100, 95, 90, 850), 0);
	ck_assert_uint_eq(thaw_policy_excess(1000, 100, 95, 90, 851), 51);
	ck_assert_uint_eq(thaw_policy_excess(1000, 100, 95, 90, 5000), 100); /* all there is */
	ck_assert_uint_eq(thaw_policy_excess(1000, 1200, 95, 90, 0), 300);
	ck_assert_uint_eq(thaw_policy_excess(1000, 1000, 100, 100, 0), 0);
	ck_assert_uint_eq(thaw_policy_excess(1000, 1000, 100, 100, 1), 1);
	ck_assert_uint_eq(thaw_policy_excess(0, 0, 95, 90, 0), 0);
	ck_assert_uint_eq(thaw_policy_excess(huge, huge, 95, 0, huge), huge);
	ck_assert_uint_eq(thaw_policy_excess(huge, huge / 2, 95, 90, huge), huge / 2);
	ck_assert_uint_eq(thaw_policy_excess(1000, 400, 30, 50, 0), 0); /* low above high */
}
END_TEST

/* A hundred times as many may take a few hundred times as long, not 10,000. */
START_TEST(sorts_and_does_not_search)
{
	static struct thaw_policy_candidate big[400000];
	static size_t out[400000];
	clock_t start, small, large; /* of processor time */
	unsigned seed = 9;
	uint64_t bytes;

	for (size_t i = 0; i < 400000; i++)
		big[i] = (struct thaw_policy_candidate){
			.object = i,
			.bytes = 1,
			.cost = 1,
			.last_used = rand_r(&seed),
		};
	start = clock();
	for (int i = 0; i < 100; i++)
		(void)thaw_policy_victims(THAW_POLICY_LRU, big, 4000, 4000, 0, out, &bytes);
	small = clock() - start;
	start = clock();
	ck_assert_uint_eq(thaw_policy_victims(THAW_POLICY_LRU, big, 400000, 400000, 0, out, &bytes),
			  400000);
	large = clock() - start;
	ck_assert_msg(large < 20 * small, "%ld against %ld", (long)large, (long)small);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy_evict");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, agrees_with_the_model);
	tcase_add_loop_test(tc, rules_all_keep, 0, 3);
	tcase_add_test(tc, plain_orders);
	tcase_add_test(tc, dear_files_stay_longer);
	tcase_add_test(tc, random_is_fair_and_repeats);
	tcase_add_test(tc, excess);
	tcase_add_test(tc, sorts_and_does_not_search);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
