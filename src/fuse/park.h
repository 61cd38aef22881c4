/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * park.h - requests that cannot be answered yet, without a thread each.
 *
 * A parked request carries the engine's wait.  It is answered by exactly one
 * of: the engine, which calls wait->done() once, or somebody for whom
 * thaw_stage_cancel() returned true (an interrupt, the watcher, or the handler
 * itself when the interrupt came before the request was parked).  The engine
 * guarantees one or the other, so that is the claim; nobody else touches the
 * fuse_req_t.
 *
 *   p = thaw_park_new(...)          interrupts are noted from here on
 *   r = thaw_stage_...(&p->wait)
 *   -EINPROGRESS: thaw_park_commit(p), and the handler returns
 *   else:         thaw_park_drop(p), and the handler answers
 *
 * Interrupts.  Over /dev/fuse libfuse calls back when INTERRUPT arrives, and
 * the caller gets EINTR at once.  Three kinds of waiting it cannot interrupt:
 * requests that came over io_uring (libfuse does not look them up, and the
 * kernel drops a signal that falls between sending and taking the request),
 * read-ahead, for which the kernel sends no INTERRUPT, and whatever outlives
 * the kernel's own limit for a request.  For these the watcher looks, twice a
 * second and whenever an INTERRUPT passes, whether the calling thread has a
 * signal waiting (sigwait.h).
 *
 * io_uring lends each request an entry of its CPU's queue until it is
 * answered; when all of a queue are lent, nothing that CPU asks gets through.
 * So a queue may park all but THAW_PARK_SPARE of its entries; then
 * thaw_park_new says -EAGAIN.
 */
#ifndef THAW_FUSE_PARK_H
#define THAW_FUSE_PARK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mutex.h"
#include "fuse/lib.h"
#include "stage/open.h"

#define THAW_PARK_SPARE 32

struct thaw_inode;
struct thaw_dir;
struct thaw_fuse;
struct thaw_park;
struct thaw_parked;

/* Answers the request after its wait ended with `status`; frees nothing. */
typedef void thaw_resume_fn(struct thaw_parked *p, int status);

struct thaw_parked {
	struct thaw_wait wait;
	struct thaw_fuse *fuse;
	fuse_req_t req;
	thaw_resume_fn *resume;
	/* what was asked */
	uint64_t node;
	uint64_t off;
	size_t size;
	bool plus;
	struct fuse_file_info fi;
	struct thaw_inode *inode;
	struct thaw_dir *dir;
	/* park.c's own */
	struct thaw_park *park;
	struct thaw_parked *prev, *next; /* park->lock: of the parked; next: of the answers */
	unsigned refs;                   /* park->lock */
	enum thaw_park_state {
		THAW_PARK_STARTING, /* the handler has not heard of the engine yet */
		THAW_PARK_WAITING,
		THAW_PARK_CANCELLING, /* somebody asks the engine for it, once */
		THAW_PARK_OVER,       /* claimed */
	} state;                      /* park->lock */
	bool interrupted;             /* park->lock: while STARTING */
	bool watched;                 /* const */
	bool shared_signal;           /* the watcher's: seen once already */
	int64_t since_ns;             /* const */
	int status;                   /* of one left to the watcher */
	atomic_uint *queue;           /* io_uring: how many its queue has parked */
	char name[];
};

/* uring_depth: entries of one queue. */
struct thaw_park *thaw_park_create(struct thaw_fuse *fuse, struct thaw_stage *stage,
				   unsigned uring_depth);
int thaw_park_start(struct thaw_park *park); /* the watcher */
void thaw_park_stop(struct thaw_park *park);
struct thaw_park *thaw_park_free(struct thaw_park *park);

enum {
	THAW_PARK_BACKGROUND = 1 << 0, /* the kernel sends no INTERRUPT for it */
	THAW_PARK_BRIEF = 1 << 1,      /* waits for no archive: there is always room */
};

/* name: copied; "" if none.  -ENOMEM; -EAGAIN: too many wait already on this queue. */
int thaw_park_new(struct thaw_park *park, fuse_req_t req, thaw_resume_fn *resume, const char *name,
		  unsigned flags, struct thaw_parked **ret);
void thaw_park_commit(struct thaw_parked *p);
void thaw_park_drop(struct thaw_parked *p);

/* Some caller got a signal: look now. */
void thaw_park_kick(struct thaw_park *park);

#endif
