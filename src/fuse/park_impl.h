/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * park_impl.h - what park.c and watch.c share.
 */
#ifndef THAW_FUSE_PARK_IMPL_H
#define THAW_FUSE_PARK_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "fuse/park.h"

struct thaw_park {
	struct thaw_fuse *fuse;
	struct thaw_stage *stage;
	atomic_uint *queues; /* parked requests of each io_uring queue */
	unsigned queue_max, queue_limit;
	int64_t longest_ns; /* const after start: 0 or the most a request may be parked */

	struct thaw_mutex lock;
	struct thaw_cond wake;       /* lock: first request, answer, kick, stop */
	struct thaw_parked *first;   /* lock */
	struct thaw_parked *answers; /* lock: claimed, for the watcher to give */
	bool kicked, stopping;       /* lock */
	bool started;
	pthread_t watcher;
};

void thaw_park_unref(struct thaw_parked *p, unsigned n);
/* Answers with -error unless somebody else has or will.  The caller keeps a
 * reference of its own. */
void thaw_park_give_up(struct thaw_parked *p, int error);

#endif
