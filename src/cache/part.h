/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * part.h - the inside of a thaw_part, for part.c and publish.c.
 */
#ifndef THAW_CACHE_PART_H
#define THAW_CACHE_PART_H

#include "cache/chunkmap.h"
#include "cache/store_int.h"

struct thaw_part {
	struct thaw_store *store; /* borrowed */
	uint64_t object, size;    /* const */
	uint64_t reserved;        /* what is left of it; used only where the part begins and ends */
	uint64_t charged;         /* after publish */
	int fd;                   /* const */
	bool linked;    /* has its final name */
	bool published; /* and is durable there */
	struct thaw_chunkmap map;
};

/* Takes the final name away, durably, before the one goes by which recovery would find it. */
void thaw_part_unpublish(const struct thaw_part *part);
struct thaw_part *thaw_part_free(struct thaw_part *part); /* the names stay */

#endif
