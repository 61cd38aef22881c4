/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a part ends: published, given up, or put aside.
 *
 * The order of names and syncs is the one docs/cache-format.md argues for;
 * each gap between two steps has a crash point.
 */
#include "cache/part.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "cache/space.h"

/* Quarantine takes no more once it holds this share of the cache. */
#define QUARANTINE_SHARE 4

/* An old file under the final name belongs to nobody: the catalog had no row
 * for it, or this transfer would not have been. */
static int link_final(const struct thaw_part *part)
{
	struct thaw_store *store = part->store;
	char name[THAW_STORE_NAME], final[THAW_STORE_NAME];

	thaw_store_name(name, part->object);
	thaw_store_object_name(final, part->object);
	if (!linkat(store->incoming, name, store->objects, final, 0))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (unlinkat(store->objects, final, 0) && errno != ENOENT)
		return -errno;
	return linkat(store->incoming, name, store->objects, final, 0) ? -errno : 0;
}

static void unlink_incoming(const struct thaw_part *part)
{
	char name[THAW_STORE_NAME];

	thaw_store_name(name, part->object);
	(void)unlinkat(part->store->incoming, name, 0);
}

int thaw_part_link(struct thaw_part *part)
{
	struct thaw_store *store = part->store;
	int r;

	if (part->linked || thaw_part_filled(part) != part->size)
		return -EINVAL;
	thaw_crash_point("publish.begin");
	r = thaw_store_shard_make(store, part->object);
	if (!r)
		r = link_final(part);
	thaw_store_dir_grew(store, THAW_DIR_OBJECTS, &part->reserved);
	thaw_store_dir_grew(store, thaw_store_shard_of(part->object), &part->reserved);
	if (r)
		return r;
	part->linked = true;
	thaw_crash_point("publish.linked");
	return 0;
}

int thaw_part_publish(struct thaw_part *part, uint64_t *ret_bytes)
{
	int r = thaw_part_link(part);

	return r ? r : thaw_part_sync(part, ret_bytes);
}

struct thaw_part *thaw_part_done(struct thaw_part *part)
{
	if (!part)
		return NULL;
	thaw_crash_point("done.begin");
	unlink_incoming(part);
	thaw_crash_point("done.end");
	return thaw_part_free(part);
}

static void give_back(const struct thaw_part *part)
{
	if (part->published)
		thaw_space_release(part->store->space, part->charged);
	else
		thaw_space_unreserve(part->store->space, part->reserved);
}

/* Closed before the space is given back: until then its blocks are taken. */
struct thaw_part *thaw_part_abort(struct thaw_part *part)
{
	if (!part)
		return NULL;
	thaw_crash_point("abort.begin");
	if (part->linked)
		thaw_part_unpublish(part);
	unlink_incoming(part);
	(void)close(part->fd);
	part->fd = -1;
	give_back(part);
	return thaw_part_free(part);
}

/* A second of the clock may have its file already. */
static int link_quarantine(const struct thaw_part *part)
{
	struct thaw_store *store = part->store;
	char name[THAW_STORE_NAME], aside[2 * THAW_STORE_NAME];
	int64_t now = thaw_clock_real_s();

	thaw_store_name(name, part->object);
	for (int64_t i = 0; i < 100; i++) {
		(void)snprintf(aside, sizeof(aside), "%" PRIx64 ".%" PRId64, part->object, now + i);
		if (!linkat(store->incoming, name, store->quarantine, aside, 0))
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static bool quarantine_full(const struct thaw_store *store)
{
	struct thaw_space_use use;

	thaw_space_get(store->space, &use);
	return atomic_load(&store->quarantined) >= use.size / QUARANTINE_SHARE;
}

/* Moves what the file takes from its reservation to the overhead. */
static void charge_quarantine(struct thaw_part *part, uint64_t bytes)
{
	struct thaw_space *space = part->store->space;

	thaw_store_dir_grew(part->store, THAW_DIR_QUARANTINE, &part->reserved);
	part->reserved -= thaw_space_grow_overhead(space, bytes, part->reserved);
	thaw_space_unreserve(space, part->reserved);
	atomic_fetch_add(&part->store->quarantined, bytes);
}

struct thaw_part *thaw_part_quarantine(struct thaw_part *part, uint64_t *ret_bytes)
{
	struct stat st;

	if (!part)
		return NULL;
	*ret_bytes = 0;
	thaw_crash_point("quarantine.begin");
	(void)thaw_store_fsync(part->fd);
	if (part->linked || quarantine_full(part->store) || fstat(part->fd, &st) ||
	    link_quarantine(part))
		return thaw_part_abort(part);
	thaw_crash_point("quarantine.linked");
	(void)thaw_store_fsync(part->store->quarantine);
	unlink_incoming(part);
	charge_quarantine(part, thaw_store_blocks(&st));
	*ret_bytes = thaw_store_blocks(&st);
	return thaw_part_free(part);
}
