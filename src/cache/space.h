/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * space.h - the cache's byte budget.
 *
 * used = what stands in the catalog + what is reserved for transfers + the
 * store's own directories and quarantine; used never passes size.  A transfer reserves before
 * its first byte is written, and settles on what the file really takes when it
 * is published.  Bytes are blocks on disk, not lengths of files: what du(1)
 * would count.  Thread-safe; no call blocks.
 */
#ifndef THAW_CACHE_SPACE_H
#define THAW_CACHE_SPACE_H

#include <stdint.h>
#include "base/mutex.h"

struct thaw_space {
	struct thaw_mutex lock;
	uint64_t size;     /* const after init */
	uint64_t resident; /* lock: charged to published files */
	uint64_t reserved; /* lock: promised to transfers */
	uint64_t overhead; /* lock: the store's directories and own files, and quarantine */
};

struct thaw_space_use {
	uint64_t size, resident, reserved, overhead;
};

void thaw_space_init(struct thaw_space *space, uint64_t size);
void thaw_space_destroy(struct thaw_space *space);
/* At start: what the catalog says is there. */
void thaw_space_set_resident(struct thaw_space *space, uint64_t bytes);
/* May push used over size (the directories are there whether we like it or
 * not); reserve() then refuses until eviction has caught up. */
void thaw_space_set_overhead(struct thaw_space *space, uint64_t bytes);
/* The store grew by `bytes`, which a transfer had reserved (up to `reserved`):
 * moved in one step, so that used does not rise.  Returns how much of the
 * reservation that took. */
uint64_t thaw_space_grow_overhead(struct thaw_space *space, uint64_t bytes, uint64_t reserved);
int thaw_space_reserve(struct thaw_space *space, uint64_t bytes); /* -ENOSPC */
/* As above, but used must not pass `limit`, which is less than the size. */
int thaw_space_reserve_below(struct thaw_space *space, uint64_t bytes, uint64_t limit);
void thaw_space_unreserve(struct thaw_space *space, uint64_t bytes);
/* A reservation becomes a charge; charged may be smaller, or larger. */
void thaw_space_settle(struct thaw_space *space, uint64_t reserved, uint64_t charged);
void thaw_space_release(struct thaw_space *space, uint64_t charged);
void thaw_space_get(struct thaw_space *space, struct thaw_space_use *ret);

#endif
