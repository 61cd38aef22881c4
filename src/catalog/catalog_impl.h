/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * catalog_impl.h - the catalog's own struct, for the files of this room only.
 *
 * Two kinds of connection: one `rw`, used by whoever leads a group commit
 * (write.c) and by nobody else, and a pool of readers (readers.c), each owned
 * by one thread from get to put.  No lock is held while either runs SQL.
 */
#ifndef THAW_CATALOG_IMPL_H
#define THAW_CATALOG_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/mutex.h"
#include "catalog/sql.h"

#define THAW_CATALOG_PLAIN_ROOT 1 /* node of the mount's root when no collection stands at "/" */
#define THAW_READERS_MAX 32

struct thaw_err;
struct thaw_write_op;

struct thaw_catalog {
	char *path;  /* const after open */
	int lock_fd; /* const after open */

	struct thaw_conn *rw; /* the leader's */
	struct {              /* the leader's: ids are given out here, never reused */
		uint64_t node, object;
		uint64_t saved_node, saved_object; /* as they stand in the file */
	} next;

	struct thaw_mutex queue_lock; /* rank CATALOG */
	struct thaw_write_op *queue;  /* queue_lock: in order of arrival */
	struct thaw_write_op **tail;  /* queue_lock */
	bool leading;                 /* queue_lock: somebody runs a batch */
	char error_text[256];         /* queue_lock */

	struct thaw_mutex pool_lock; /* rank READERS */
	struct thaw_cond pool_put;   /* with pool_lock */
	struct thaw_conn *idle;      /* pool_lock */
	unsigned open_readers;       /* pool_lock */

	atomic_bool has_pins;
	_Atomic uint64_t mount_root;
};

/* --- write.c ------------------------------------------------------------------------------- */

/* Runs on the leader's thread, inside a transaction; may be rolled back alone.  No callbacks into
 * other rooms from here. */
typedef int thaw_write_fn(struct thaw_conn *rw, void *arg);

/* Queues the operation and returns when it is on stable storage, or has failed and left nothing.
 * committed (may be NULL) runs on the leader's thread after the commit, in the order of commits. */
int thaw_catalog_write(struct thaw_catalog *cat, thaw_write_fn *fn, void *arg);
int thaw_catalog_write_then(struct thaw_catalog *cat, thaw_write_fn *fn,
			    void (*committed)(struct thaw_catalog *cat, void *arg), void *arg);

/* Lives on the stack of the thread that waits for it. */
struct thaw_write_op {
	thaw_write_fn *fn;
	void (*committed)(struct thaw_catalog *cat, void *arg);
	void *arg;
	int rc;
	bool done;              /* queue_lock */
	bool lead;              /* queue_lock: its thread is to lead the next batch */
	struct thaw_cond woken; /* with queue_lock */
	struct thaw_write_op *next;
};

/* Fresh ids; inside an operation only. */
uint64_t thaw_catalog_new_node(struct thaw_conn *rw);
uint64_t thaw_catalog_new_object(struct thaw_conn *rw);

/* --- readers.c ----------------------------------------------------------------------------- */

/* Waits when all are in use: never hold one while asking for another, nor during a callback. */
int thaw_catalog_reader_get(struct thaw_catalog *cat, struct thaw_conn **ret);
struct thaw_conn *thaw_catalog_reader_put(struct thaw_conn *conn);
void thaw_catalog_readers_close(struct thaw_catalog *cat);

static inline void thaw_catalog_reader_putp(struct thaw_conn **conn)
{
	thaw_catalog_reader_put(*conn);
}
#define _cleanup_reader_ __attribute__((cleanup(thaw_catalog_reader_putp)))

#endif
