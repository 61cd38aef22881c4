/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * durable.h - from "all bytes are there and right" to "safe on disk and in the
 * catalog".
 *
 * Readers do not wait for the disk: once a file is verified and has its final
 * name the object is RESIDENT, and `settling` until one thread has synced it,
 * with others, and put them into the catalog in one transaction.  Requests
 * wait for that; so does eviction.  A crash of the daemon in between loses
 * nothing (the next start takes such files up, see pairing.c); a loss of power
 * loses them, and they are staged again.
 */
#ifndef THAW_STAGE_DURABLE_H
#define THAW_STAGE_DURABLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/mutex.h"

struct thaw_stage;
struct flight;

struct stage_durable {
	struct flight *first, *last; /* engine: settling, in order, by `settle_next` */
	size_t count;                /* engine: of those in line */
	uint64_t in, out;            /* engine: how many ever came, and were done with */
	struct thaw_cond work;       /* with engine: for the thread */
	struct thaw_cond progress;   /* with engine: `out` moved */
	bool stopping;               /* engine: when the line is empty, end */
	bool runs;
	pthread_t thread;
};

void stage_durable_init(struct thaw_stage *stage);
void stage_durable_destroy(struct thaw_stage *stage);
int stage_durable_start(struct thaw_stage *stage);
/* Does what is in line first. */
void stage_durable_stop(struct thaw_stage *stage);
/* No lock held.  The flight's part is linked and its object has a descriptor:
 * readers go on, the flight belongs to the thread.  Waits while too many are
 * in line. */
void stage_durable_take(struct thaw_stage *stage, struct flight *flight);
/* No lock held.  Returns when all that are settling now are settled, or after
 * five seconds: the catalog cannot be written. */
void stage_durable_wait(struct thaw_stage *stage);

#endif
