/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hook.h - an archive that asks the test before it passes a call on.
 *
 * The functions run in the engine's threads, without any lock; all may be NULL,
 * and be set at any time.
 */
#ifndef THAW_TEST_STAGE_HOOK_H
#define THAW_TEST_STAGE_HOOK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "archive/archive.h"

struct hook {
	struct thaw_archive base;
	struct thaw_archive *inner; /* borrowed */
	/* Other than 0 is the call's answer. */
	int (*_Atomic on_list)(struct hook *hook, struct thaw_key dir,
			       const struct thaw_call *call);
	int (*_Atomic on_get)(struct hook *hook, struct thaw_key key, uint64_t off, uint64_t len,
			      const struct thaw_call *call);
	/* After a get: what it is to return instead of r. */
	int (*_Atomic after_get)(struct hook *hook, struct thaw_key key, uint64_t off, int r);
	/* Each piece on its way to the engine; may be changed.  Not 0: the get ends so. */
	int (*_Atomic on_piece)(struct hook *hook, struct thaw_key key, uint64_t off, void *data,
				size_t len);
	atomic_uint lists, gets; /* how many there were */
};

struct hook *hook_new(struct thaw_archive *inner);
struct hook *hook_free(struct hook *hook);

/* A gate that calls can be held at. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool shut;
	unsigned held;
	unsigned let; /* that may pass though it is shut */
};
void gate_init(struct gate *gate, bool shut);
void gate_open(struct gate *gate);
void gate_shut(struct gate *gate);
void gate_let(struct gate *gate, unsigned n);
/* Waits until `n` calls are held; false after twenty seconds. */
bool gate_wait_held(struct gate *gate, unsigned n);
/* In a hook: 0 when it was opened, -ECANCELED when the call was cancelled. */
int gate_pass(struct gate *gate, const struct thaw_call *call);
void gate_release(struct gate *gate);

bool key_is(struct thaw_key key, const char *text);

#endif
