/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scratch.h - directories, stores and contents for the tests of the cache.
 */
#ifndef THAW_TEST_CACHE_SCRATCH_H
#define THAW_TEST_CACHE_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/space.h"
#include "cache/store.h"

#define SCRATCH_PATH 256

/* A new directory; its name stays valid until scratch_end() takes it away. */
const char *scratch_begin(void);
void scratch_end(void);
/* "dir/name" in a ring of eight buffers. */
const char *scratch_path(const char *dir, const char *name);
void scratch_remove_tree(const char *path);

/* From here on nobody else sees, copies or keeps what this process mounts, and
 * it goes with the process.  False: not allowed. */
bool scratch_private_mounts(void);
/* A tmpfs of `bytes` mounted at a new directory in the scratch directory; NULL
 * where that is not allowed.  scratch_end() unmounts it. */
const char *scratch_tmpfs(uint64_t bytes);

struct scratch_store {
	struct thaw_space space;
	struct thaw_store *store;
};
void scratch_store_open(struct scratch_store *s, const char *path, uint64_t size);
void scratch_store_close(struct scratch_store *s);

uint64_t scratch_used(struct thaw_space *space);
/* What du would say: blocks below path, each inode once. Files that go while
 * it looks are skipped. */
uint64_t scratch_du(const char *path);
/* du of a store and its books agree, but for the second id file. */
void scratch_check_books(struct scratch_store *s, const char *path);

/* The bytes of object `id`: pseudo-random, the same each time. */
void scratch_bytes(uint64_t id, uint64_t off, uint8_t *data, size_t len);
/* Reserve, transfer all of it in two writes; fails the test on any error. */
struct thaw_part *scratch_fill(struct scratch_store *s, uint64_t id, uint64_t size);
/* scratch_fill(), publish, done.  Returns the charge. */
uint64_t scratch_stage(struct scratch_store *s, uint64_t id, uint64_t size);
/* Fails the test unless the published file holds its bytes. */
void scratch_check_object(struct scratch_store *s, uint64_t id, uint64_t size);
/* How many names a directory has. */
size_t scratch_count(const char *path);

#endif
