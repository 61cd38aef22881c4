/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/told.h"

#include <stdatomic.h>
#include <stdlib.h>

#define LEAF_BITS  20 /* nodes of a leaf: 128 KiB of bits */
#define LEAVES     (UINT64_C(1) << 16)
#define LEAF_WORDS ((1u << LEAF_BITS) / 64)

typedef _Atomic uint64_t told_word;

struct thaw_told {
	_Atomic(told_word *) leaves[LEAVES];
	atomic_bool deaf; /* out of memory or out of range: everything counts as told */
};

struct thaw_told *thaw_told_new(void)
{
	return calloc(1, sizeof(struct thaw_told));
}

struct thaw_told *thaw_told_free(struct thaw_told *told)
{
	if (!told)
		return NULL;
	for (size_t i = 0; i < LEAVES; i++)
		free(atomic_load_explicit(&told->leaves[i], memory_order_relaxed));
	free(told);
	return NULL;
}

static told_word *word_of(told_word *leaf, uint64_t node)
{
	return &leaf[(node & ((1u << LEAF_BITS) - 1)) / 64];
}

static told_word *leaf_make(struct thaw_told *told, uint64_t index)
{
	told_word *leaf = calloc(LEAF_WORDS, sizeof(*leaf));
	told_word *there = NULL;

	if (!leaf)
		return NULL;
	if (atomic_compare_exchange_strong(&told->leaves[index], &there, leaf))
		return leaf;
	free(leaf);
	return there;
}

void thaw_told_mark(struct thaw_told *told, uint64_t node)
{
	uint64_t index = node >> LEAF_BITS;
	uint64_t bit = UINT64_C(1) << (node % 64);
	told_word *leaf;

	leaf = index < LEAVES ? atomic_load(&told->leaves[index]) : NULL;
	if (!leaf && index < LEAVES)
		leaf = leaf_make(told, index);
	if (!leaf) {
		atomic_store(&told->deaf, true);
		return;
	}
	if (!(atomic_load_explicit(word_of(leaf, node), memory_order_relaxed) & bit))
		atomic_fetch_or(word_of(leaf, node), bit);
}

bool thaw_told_has(struct thaw_told *told, uint64_t node)
{
	uint64_t index = node >> LEAF_BITS;
	told_word *leaf;

	leaf = index < LEAVES ? atomic_load(&told->leaves[index]) : NULL;
	if (leaf && atomic_load(word_of(leaf, node)) & (UINT64_C(1) << (node % 64)))
		return true;
	return atomic_load(&told->deaf);
}

static int each_in_leaf(told_word *leaf, uint64_t first, int (*fn)(void *ctx, uint64_t node),
			void *ctx)
{
	for (unsigned i = 0; i < LEAF_WORDS; i++) {
		uint64_t word = atomic_load_explicit(&leaf[i], memory_order_relaxed);

		while (word) {
			unsigned bit = (unsigned)__builtin_ctzll(word);
			int r = fn(ctx, first + (uint64_t)i * 64 + bit);

			if (r != 0)
				return r;
			word &= word - 1;
		}
	}
	return 0;
}

int thaw_told_each(struct thaw_told *told, int (*fn)(void *ctx, uint64_t node), void *ctx)
{
	for (uint64_t i = 0; i < LEAVES; i++) {
		told_word *leaf = atomic_load(&told->leaves[i]);
		int r = leaf ? each_in_leaf(leaf, i << LEAF_BITS, fn, ctx) : 0;

		if (r != 0)
			return r;
	}
	return 0;
}
