/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * evict.h - which files leave when room is needed.
 *
 * Pure functions over a snapshot: no I/O, no clock, no state; the same code
 * runs in the daemon and in simulations.  Superseded files go first; pinned
 * and busy ones never.
 */
#ifndef THAW_POLICY_EVICT_H
#define THAW_POLICY_EVICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum thaw_policy { THAW_POLICY_LRU, THAW_POLICY_FIFO, THAW_POLICY_RANDOM };

struct thaw_policy_candidate {
	uint64_t object;
	uint64_t bytes;
	int64_t last_used, staged_at;
	uint64_t hits;
	double cost;  /* of bringing it back, relative; 1.0 for ordinary disk */
	bool pinned;
	bool busy;    /* open, mapped or waited for */
	bool dead;    /* superseded or lost: nothing can open it */
};

/* How much to free: nothing while used + want stays within `high` percent of
 * the size; beyond it as much as brings used + want down to `low` percent, so
 * that one pass serves many who wait.  At most `used`. */
uint64_t thaw_policy_excess(uint64_t size, uint64_t used, unsigned high, unsigned low,
			    uint64_t want);

/*
 * Picks victims worth at least `need` bytes, or all that may go and free
 * something.  Dead ones first; then lru: age / cost, oldest first, ages
 * measured from the newest candidate; fifo: staged_at; random: by a hash of
 * seed and object.  O(n log n).
 *
 * order: out, room for n indices into candidates, in the order they should
 * leave.  Returns how many.  seed: for THAW_POLICY_RANDOM; equal seeds, equal
 * choice.
 */
size_t thaw_policy_victims(enum thaw_policy policy, const struct thaw_policy_candidate *candidates,
			   size_t n, uint64_t need, uint64_t seed, size_t *order,
			   uint64_t *ret_bytes);

#endif
