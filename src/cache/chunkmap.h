/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * chunkmap.h - how far each chunk of a file on its way in is filled.
 *
 * A chunk fills from its beginning to its end; chunks fill in any order and in
 * parallel.  One counter per chunk, written with release after the bytes are
 * in the file and read with acquire before they are read from it, so that
 * asking takes no lock.  All functions may be called from any thread.
 */
#ifndef THAW_CACHE_CHUNKMAP_H
#define THAW_CACHE_CHUNKMAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct thaw_chunkmap {
	uint64_t size;            /* const after init: bytes of the file */
	uint64_t chunk;           /* const after init: bytes of a chunk; the last may be shorter */
	uint64_t count;           /* const after init */
	_Atomic uint64_t *filled; /* by chunk */
	_Atomic uint64_t total;
};

int thaw_chunkmap_init(struct thaw_chunkmap *map, uint64_t size,
		       uint64_t chunk); /* -EINVAL -ENOMEM */
void thaw_chunkmap_release(struct thaw_chunkmap *map);

/* How many bytes may be written at `off`: 0 unless off is where the filling of
 * its chunk stands. */
uint64_t thaw_chunkmap_room(const struct thaw_chunkmap *map, uint64_t off);
/* [off, off+len) has been written, inside one chunk and where its filling
 * stood.  -EBUSY: it stands elsewhere by now: two writers in one chunk. */
int thaw_chunkmap_add(struct thaw_chunkmap *map, uint64_t off, uint64_t len);
void thaw_chunkmap_reset(struct thaw_chunkmap *map, uint64_t chunk_index);
bool thaw_chunkmap_covered(const struct thaw_chunkmap *map, uint64_t off, uint64_t len);
uint64_t thaw_chunkmap_total(const struct thaw_chunkmap *map);

#endif
