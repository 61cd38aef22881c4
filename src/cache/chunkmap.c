/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cache/chunkmap.h"

#include <errno.h>
#include <stdlib.h>

int thaw_chunkmap_init(struct thaw_chunkmap *map, uint64_t size, uint64_t chunk)
{
	if (!chunk)
		return -EINVAL;
	map->size = size;
	map->chunk = chunk;
	map->count = size / chunk + (size % chunk != 0);
	atomic_init(&map->total, 0);
	/* All zero bits is a valid atomic 0 wherever this builds. */
	map->filled = calloc(map->count ? map->count : 1, sizeof(*map->filled));
	return map->filled ? 0 : -ENOMEM;
}

void thaw_chunkmap_release(struct thaw_chunkmap *map)
{
	free(map->filled);
	map->filled = NULL;
}

static uint64_t chunk_length(const struct thaw_chunkmap *map, uint64_t index)
{
	uint64_t begin = index * map->chunk;

	return map->size - begin < map->chunk ? map->size - begin : map->chunk;
}

uint64_t thaw_chunkmap_room(const struct thaw_chunkmap *map, uint64_t off)
{
	uint64_t index = off / map->chunk, at = off % map->chunk;

	if (off >= map->size)
		return 0;
	if (atomic_load_explicit(&map->filled[index], memory_order_acquire) != at)
		return 0;
	return chunk_length(map, index) - at;
}

int thaw_chunkmap_add(struct thaw_chunkmap *map, uint64_t off, uint64_t len)
{
	uint64_t index = off / map->chunk, at = off % map->chunk;

	if (off >= map->size || len > chunk_length(map, index) - at)
		return -EINVAL;
	if (!atomic_compare_exchange_strong_explicit(&map->filled[index], &at, at + len,
						     memory_order_acq_rel, memory_order_acquire))
		return -EBUSY;
	atomic_fetch_add_explicit(&map->total, len, memory_order_acq_rel);
	return 0;
}

void thaw_chunkmap_reset(struct thaw_chunkmap *map, uint64_t chunk_index)
{
	uint64_t had;

	if (chunk_index >= map->count)
		return;
	had = atomic_exchange_explicit(&map->filled[chunk_index], 0, memory_order_acq_rel);
	atomic_fetch_sub_explicit(&map->total, had, memory_order_acq_rel);
}

bool thaw_chunkmap_covered(const struct thaw_chunkmap *map, uint64_t off, uint64_t len)
{
	uint64_t end;

	if (off >= map->size || !len)
		return true;
	end = len > map->size - off ? map->size : off + len;
	for (uint64_t i = off / map->chunk; i * map->chunk < end; i++) {
		uint64_t begin = i * map->chunk;
		uint64_t want = end - begin < map->chunk ? end - begin : map->chunk;

		if (atomic_load_explicit(&map->filled[i], memory_order_acquire) < want)
			return false;
		if (i + 1 == map->count) /* the next begin might not fit 64 bits */
			break;
	}
	return true;
}

uint64_t thaw_chunkmap_total(const struct thaw_chunkmap *map)
{
	return atomic_load_explicit(&map->total, memory_order_acquire);
}
