/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * catalog.h - the database of names, objects, residency, pins and requests.
 *
 * SQLite in WAL mode, synchronous=FULL: what a call reports done is on stable
 * storage.  One read-write connection does every write and every checkpoint;
 * writes of many threads are gathered into one transaction and one sync
 * (group commit).  Look-ups use a pool of read-only connections and never wait
 * for a writer.  The file is ours alone while it is open: a lock file beside
 * it refuses a second daemon.  No other room includes sqlite3.h.
 *
 * All functions of this room may be called by any thread and return 0 or
 * -errno: -ENOENT not there, -EIO the database failed (text from
 * thaw_catalog_strerror), -ENOSPC its disk is full.  None may be called with a
 * lock held (they do I/O).  Times are seconds since the epoch unless a name
 * ends in _ns.  The tables are described in docs/catalog-format.md.
 */
#ifndef THAW_CATALOG_CATALOG_H
#define THAW_CATALOG_CATALOG_H

#include <stddef.h>
#include <stdint.h>

struct thaw_catalog;
struct thaw_err;

/* Opens or creates.  Errors, each with one clear line: -EBUSY another daemon
 * has it (names its pid), -EPROTO written by a newer version, -EUCLEAN not a
 * catalog or damaged (says what to do), -errno otherwise. */
int thaw_catalog_open(const char *path, struct thaw_catalog **ret, struct thaw_err *err);
struct thaw_catalog *thaw_catalog_close(struct thaw_catalog *cat);

/* Says that it will be closed soon: a daemon that wants it waits instead of giving up. */
void thaw_catalog_stopping(struct thaw_catalog *cat);

const char *thaw_catalog_file(const struct thaw_catalog *cat);

/* What the database said about its last failure, of any thread. */
void thaw_catalog_strerror(struct thaw_catalog *cat, struct thaw_err *ret);

/* Small facts kept by name ("cache.uuid").  get: caller frees. */
int thaw_catalog_meta_get(struct thaw_catalog *cat, const char *name, char **ret);
int thaw_catalog_meta_set(struct thaw_catalog *cat, const char *name, const char *value);

/* A full integrity check of the file and of what its tables promise each other; slow.  -EUCLEAN
 * with text. */
int thaw_catalog_check(struct thaw_catalog *cat, struct thaw_err *err);

/* One collection as configured. */
struct thaw_collection_spec {
	const char *name;
	const char *source; /* identity of where it comes from, "posix:/archive" */
	const char *path;   /* where it stands under the mount, "/" or "/newspapers" */
	/* out */
	uint32_t id;        /* of this (name, source), never reused */
	uint64_t root;      /* node of its top directory */
};

/*
 * Makes the tree under the mount: creates rows for collections not seen
 * before, hangs each at its path (with plain directories above it), unhangs
 * all others (they keep their rows and their staged files).  A collection
 * whose source changed under the same name is another collection.
 * ret_root: the node that is the mount's root.
 * -EINVAL: a path is not absolute, or stands at or below another's.
 */
int thaw_catalog_attach(struct thaw_catalog *cat, struct thaw_collection_spec *specs, size_t n,
			uint64_t *ret_root);

#endif
