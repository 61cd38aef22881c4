/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every file of a tree in the order of its names.  Each open directory on the
 * way down has a batch of children in memory; nothing is held during a call.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_impl.h"
#include "catalog/idset.h"
#include "catalog/tree_impl.h"

#define WALK_BATCH 128

struct level {
	uint64_t dir;
	struct thaw_batch batch;
	size_t at;
	struct level *up;
};

struct walk {
	struct thaw_catalog *cat;
	struct level *level; /* the deepest */
	struct thaw_idset seen;
	int (*fn)(void *ctx, const struct thaw_node *node);
	void *ctx;
};

static int enter(struct walk *walk, uint64_t dir)
{
	struct level *level = calloc(1, sizeof(*level));
	int rc;

	if (!level)
		return -ENOMEM;
	rc = thaw_batch_init(&level->batch, WALK_BATCH);
	if (rc) {
		free(level);
		return rc;
	}
	level->dir = dir;
	level->up = walk->level;
	walk->level = level;
	return thaw_batch_fetch(walk->cat, &level->batch, dir, NULL, 0);
}

static void leave(struct walk *walk)
{
	struct level *level = walk->level;

	walk->level = level->up;
	thaw_batch_release(&level->batch);
	free(level);
}

static int give_file(struct walk *walk, const struct thaw_node *node)
{
	int fresh = node->nlink > 1 ? thaw_idset_add(&walk->seen, node->id) : 1;

	if (fresh != 1)
		return fresh;
	return walk->fn(walk->ctx, node);
}

static int give(struct walk *walk, const struct thaw_node *node)
{
	if (node->type == THAW_TYPE_FILE)
		return give_file(walk, node);
	return node->type == THAW_TYPE_DIR ? enter(walk, node->id) : 0;
}

static int next_batch(struct walk *walk)
{
	struct level *level = walk->level;
	const struct thaw_batch_child *child = &level->batch.children[level->batch.count - 1];
	char last[THAW_NAME_MAX + 1];
	size_t len = child->len;

	memcpy(last, child->name, len);
	level->at = 0;
	return thaw_batch_fetch(walk->cat, &level->batch, level->dir, last, len);
}

static int run(struct walk *walk)
{
	int rc = 0;

	while (walk->level && !rc) {
		struct level *level = walk->level;

		if (level->at < level->batch.count)
			rc = give(walk, &level->batch.children[level->at++].node);
		else if (level->batch.count == level->batch.room)
			rc = next_batch(walk);
		else
			leave(walk);
	}
	return rc;
}

int thaw_catalog_each_file(struct thaw_catalog *cat, uint64_t id,
			   int (*fn)(void *ctx, const struct thaw_node *node), void *ctx)
{
	struct walk walk = { .cat = cat, .fn = fn, .ctx = ctx };
	struct thaw_node node;
	int rc = thaw_catalog_node(cat, id, &node);

	if (!rc)
		rc = give(&walk, &node);
	if (!rc)
		rc = run(&walk);
	while (walk.level)
		leave(&walk);
	thaw_idset_release(&walk.seen);
	return rc;
}
