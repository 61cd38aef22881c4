/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Eviction: an order over those who may leave, and where to cut it.
 *
 *	lru     longest unused first; an age counts for less the dearer the file
 *	        is to bring back: age / cost, measured from the newest candidate
 *	fifo    longest staged first
 *	random  by a hash of seed and object: the same whatever the order of the
 *	        snapshot
 *
 * Ties fall to the older staging, then the smaller object id, so that equal
 * snapshots give equal victims.  Live files without a block are left alone:
 * taking them frees nothing.
 */
#include "policy/evict.h"

#include <math.h>
#include <stdlib.h>

uint64_t thaw_policy_excess(uint64_t size, uint64_t used, unsigned high, unsigned low,
			    uint64_t want)
{
	unsigned __int128 after = (unsigned __int128)used + want;
	unsigned __int128 floor = (unsigned __int128)size * low / 100;

	if (after * 100 <= (unsigned __int128)size * high || after <= floor)
		return 0;
	return after - floor < used ? (uint64_t)(after - floor) : used;
}

struct ordering {
	enum thaw_policy policy;
	const struct thaw_policy_candidate *candidates;
	int64_t newest; /* last_used of the newest */
	uint64_t seed;
};

static int compare_i64(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* A cost that says nothing (not a positive number) counts as ordinary. */
static double effective_age(const struct ordering *ordering, const struct thaw_policy_candidate *c)
{
	double cost = isfinite(c->cost) && c->cost > 0 ? c->cost : 1.0;

	return ((double)ordering->newest - (double)c->last_used) / cost;
}

static int compare_age(const struct ordering *ordering, const struct thaw_policy_candidate *a,
		       const struct thaw_policy_candidate *b)
{
	double age_a = effective_age(ordering, a), age_b = effective_age(ordering, b);

	if (age_a > age_b)
		return -1;
	if (age_a < age_b)
		return 1;
	return compare_i64(a->last_used, b->last_used); /* what a double cannot tell apart */
}

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection, so that
 * objects never collide. */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static int compare_random(const struct ordering *ordering, const struct thaw_policy_candidate *a,
			  const struct thaw_policy_candidate *b)
{
	uint64_t seed = mix(ordering->seed);

	return compare_u64(mix(a->object ^ seed), mix(b->object ^ seed));
}

static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct ordering *ordering = ctx;
	const struct thaw_policy_candidate *a = &ordering->candidates[*(const size_t *)pa];
	const struct thaw_policy_candidate *b = &ordering->candidates[*(const size_t *)pb];
	int c;

	if (a->dead != b->dead)
		return a->dead ? -1 : 1;
	if (ordering->policy == THAW_POLICY_RANDOM)
		c = compare_random(ordering, a, b);
	else if (ordering->policy == THAW_POLICY_FIFO)
		c = 0;
	else
		c = compare_age(ordering, a, b);
	if (!c)
		c = compare_i64(a->staged_at, b->staged_at);
	return c ? c : compare_u64(a->object, b->object);
}

static bool may_go(const struct thaw_policy_candidate *c)
{
	return !c->pinned && !c->busy && (c->dead || c->bytes);
}

size_t thaw_policy_victims(enum thaw_policy policy, const struct thaw_policy_candidate *candidates,
			   size_t n, uint64_t need, uint64_t seed, size_t *order,
			   uint64_t *ret_bytes)
{
	struct ordering ordering = {
		.policy = policy,
		.candidates = candidates,
		.newest = INT64_MIN,
		.seed = seed,
	};
	uint64_t bytes = 0;
	size_t able = 0, chosen = 0;

	for (size_t i = 0; i < n; i++) {
		if (!may_go(&candidates[i]))
			continue;
		order[able++] = i;
		if (candidates[i].last_used > ordering.newest)
			ordering.newest = candidates[i].last_used;
	}
	qsort_r(order, able, sizeof(*order), compare, &ordering);
	while (chosen < able && bytes < need)
		bytes += candidates[order[chosen++]].bytes;
	*ret_bytes = bytes;
	return chosen;
}
