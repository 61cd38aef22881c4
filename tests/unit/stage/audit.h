/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * audit.h - does everything agree, to the byte?
 */
#ifndef THAW_TEST_STAGE_AUDIT_H
#define THAW_TEST_STAGE_AUDIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct rig;

/*
 * Of an engine that is idle; fails the test.  Blocks of the files under
 * objects/ = sum of the residency rows = the budget's resident bytes, file by
 * file; nothing reserved; nothing in incoming/; every resident file holds what
 * its record's digest says, and current ones what the archive holds.
 */
void audit(struct rig *rig);

/* A thread that looks at the budget all the time. */
struct watch {
	pthread_t thread;
	struct rig *rig;
	atomic_bool stop;
	_Atomic uint64_t most; /* that was ever used */
};
void watch_begin(struct watch *watch, struct rig *rig);
void watch_end(struct watch *watch); /* fails the test when it was more than the size */

#endif
