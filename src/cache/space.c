/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cache/space.h"

#include <assert.h>
#include <errno.h>

/* Giving back more than was taken is a bug; what is left must not wrap around
 * to a budget without an end. */
static void take(uint64_t *from, uint64_t bytes)
{
	assert(*from >= bytes);
	*from -= *from < bytes ? *from : bytes;
}

static uint64_t used(const struct thaw_space *space)
{
	return space->resident + space->reserved + space->overhead;
}

void thaw_space_init(struct thaw_space *space, uint64_t size)
{
	thaw_mutex_init(&space->lock, THAW_RANK_SPACE);
	space->size = size;
	space->resident = 0;
	space->reserved = 0;
	space->overhead = 0;
}

void thaw_space_destroy(struct thaw_space *space)
{
	thaw_mutex_destroy(&space->lock);
}

void thaw_space_set_resident(struct thaw_space *space, uint64_t bytes)
{
	thaw_mutex_lock(&space->lock);
	space->resident = bytes;
	thaw_mutex_unlock(&space->lock);
}

void thaw_space_set_overhead(struct thaw_space *space, uint64_t bytes)
{
	thaw_mutex_lock(&space->lock);
	space->overhead = bytes;
	thaw_mutex_unlock(&space->lock);
}

uint64_t thaw_space_grow_overhead(struct thaw_space *space, uint64_t bytes, uint64_t reserved)
{
	uint64_t covered = bytes < reserved ? bytes : reserved;

	thaw_mutex_lock(&space->lock);
	take(&space->reserved, covered);
	space->overhead += bytes;
	thaw_mutex_unlock(&space->lock);
	return covered;
}

int thaw_space_reserve(struct thaw_space *space, uint64_t bytes)
{
	return thaw_space_reserve_below(space, bytes, space->size);
}

int thaw_space_reserve_below(struct thaw_space *space, uint64_t bytes, uint64_t limit)
{
	int r = -ENOSPC;

	assert(limit <= space->size);
	thaw_mutex_lock(&space->lock);
	if (used(space) <= limit && bytes <= limit - used(space)) {
		space->reserved += bytes;
		r = 0;
	}
	thaw_mutex_unlock(&space->lock);
	return r;
}

void thaw_space_unreserve(struct thaw_space *space, uint64_t bytes)
{
	thaw_space_settle(space, bytes, 0);
}

void thaw_space_settle(struct thaw_space *space, uint64_t reserved, uint64_t charged)
{
	thaw_mutex_lock(&space->lock);
	take(&space->reserved, reserved);
	space->resident += charged;
	thaw_mutex_unlock(&space->lock);
}

void thaw_space_release(struct thaw_space *space, uint64_t charged)
{
	thaw_mutex_lock(&space->lock);
	take(&space->resident, charged);
	thaw_mutex_unlock(&space->lock);
}

void thaw_space_get(struct thaw_space *space, struct thaw_space_use *ret)
{
	thaw_mutex_lock(&space->lock);
	ret->size = space->size;
	ret->resident = space->resident;
	ret->reserved = space->reserved;
	ret->overhead = space->overhead;
	thaw_mutex_unlock(&space->lock);
}
