/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store_int.h - what the files of the store share; nobody else includes it.
 *
 * Every name below the store's directory is used relative to one of its open
 * descriptors, so that moving the directory or its mount cannot lead astray.
 */
#ifndef THAW_CACHE_STORE_INT_H
#define THAW_CACHE_STORE_INT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include "cache/store.h"

#define THAW_STORE_SHARDS 256

/* Directories whose growth is charged: the shards by number, then these. */
enum thaw_store_dir {
	THAW_DIR_INCOMING = THAW_STORE_SHARDS,
	THAW_DIR_OBJECTS,
	THAW_DIR_QUARANTINE,
	THAW_STORE_DIRS,
};

struct thaw_store {
	char *path;               /* const after open; for messages */
	struct thaw_space *space; /* borrowed */
	int dir;                  /* holds the lock; const after open, as the next three */
	int incoming, objects, quarantine;
	uint64_t unit;                   /* const after open: least bytes a file can take on disk */
	char uuid[THAW_STORE_UUID_TEXT]; /* changes in claim only, before threads */
	char *catalog;                   /* the same; never NULL */
	atomic_bool shard_made[THAW_STORE_SHARDS];   /* made and durable */
	_Atomic uint64_t dir_bytes[THAW_STORE_DIRS]; /* charged for it; rises only */
	atomic_bool distrusted;                      /* a syncfs failed */
	_Atomic uint64_t quarantined;                /* bytes in quarantine/ */
};

/* store_dir.c: names, directories and what they take */

#define THAW_STORE_NAME 24
/* "2f1c" / "2f/2f1c" */
void thaw_store_name(char name[THAW_STORE_NAME], uint64_t object);
void thaw_store_object_name(char name[THAW_STORE_NAME], uint64_t object);
void thaw_store_shard_name(char name[THAW_STORE_NAME], unsigned shard); /* "2f" */
/* Takes the text up to `end`; only the one spelling thaw_store_name() gives. -EINVAL */
int thaw_store_parse_name(const char *name, char end, uint64_t *ret_object);

/* Objects staged together mostly have ids close together: with the bits above
 * the lowest eight they share a directory, and one sync serves them all. */
static inline unsigned thaw_store_shard_of(uint64_t object)
{
	return (unsigned)(object >> 8 & (THAW_STORE_SHARDS - 1));
}

static inline uint64_t thaw_store_blocks(const struct stat *st)
{
	return (uint64_t)st->st_blocks * 512;
}

/* Every name in a directory but "." and ".."; fn other than 0 stops and is
 * returned.  fn may unlink the name.  -ENOENT: no such directory. */
typedef int thaw_store_name_fn(void *ctx, int dirfd, const char *name);
int thaw_store_each_name(int dirfd, const char *sub, thaw_store_name_fn *fn, void *ctx);

/* Makes the shard of an object, durably, if it is not there. */
int thaw_store_shard_make(struct thaw_store *store, uint64_t object);
int thaw_store_shard_sync(struct thaw_store *store, unsigned shard); /* 0 when there is none */
int thaw_store_fsync(int fd);

/* Charges what a directory grew by; out of *reserved, as far as that goes. */
void thaw_store_dir_grew(struct thaw_store *store, unsigned dir, uint64_t *reserved);
/* Looks at all directories anew and sets the overhead. */
int thaw_store_measure(struct thaw_store *store);

/* store_id.c: the file thawfs.cache */

#define THAW_STORE_ID     "thawfs.cache"
#define THAW_STORE_ID_NEW "thawfs.cache.new"

struct thaw_err;
/* -ENOENT, -EPROTO, -EBADMSG */
int thaw_store_id_read(struct thaw_store *store, struct thaw_err *err);
/* Durable when it returns. uuid and catalog may be "". */
int thaw_store_id_write(struct thaw_store *store, const char *uuid, const char *catalog);

/* store.c: puts the common causes into words */
int thaw_store_explain(const struct thaw_store *store, int code, const char *what,
		       struct thaw_err *err);

#endif
