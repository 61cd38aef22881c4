/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * waiter.h - a wait that can be waited for, and readers made of it.
 *
 * Any thread.  Nothing here fails the test by itself: in threads beside the
 * main one check's assertions must not be used.
 */
#ifndef THAW_TEST_STAGE_WAITER_H
#define THAW_TEST_STAGE_WAITER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "stage/open.h"

struct waiter {
	struct thaw_wait wait; /* first */
	pthread_mutex_t lock;
	pthread_cond_t cond;
	int calls;  /* of done() */
	int status; /* of the last */
};

void waiter_init(struct waiter *w);
void waiter_release(struct waiter *w);
int waiter_calls(struct waiter *w);
/* Until done() was called once; -ETIMEDOUT after a minute. */
int waiter_status(struct waiter *w);

/* thaw_stage_open(), waited for.  0: *ret is in use. */
int open_wait(struct thaw_stage *stage, uint64_t node, unsigned flags, struct thaw_obj **ret);
/* thaw_stage_read(), waited for. */
int read_wait(struct thaw_stage *stage, struct thaw_obj *obj, uint64_t off, uint64_t len);
int want_dir_wait(struct thaw_stage *stage, uint64_t dir);
/* Opens it as bulk work does. */
int bulk_wait(struct thaw_stage *stage, uint64_t node, struct thaw_obj **ret);

/* Are bytes [off, off+len) of an open file those of the pattern?  0, -EILSEQ or
 * what reading ended with. */
int compare_range(struct thaw_stage *stage, struct thaw_obj *obj, uint64_t seed, uint64_t off,
		  uint64_t len);
/* Opens, compares all of it, closes. */
int open_compare(struct thaw_stage *stage, uint64_t node, unsigned flags, uint64_t size,
		 uint64_t seed);

#endif
