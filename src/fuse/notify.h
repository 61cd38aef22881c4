/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * notify.h - telling the kernel what it must forget.
 *
 * Done by one thread of its own, because a notification waits for the
 * directory's lock in the kernel, which a request we have not answered may
 * hold.  The queue is bounded; when it runs over, what is in it is dropped
 * and everything the kernel was told of (told.h) is invalidated once.
 */
#ifndef THAW_FUSE_NOTIFY_H
#define THAW_FUSE_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

#include "fuse/lib.h"

#define THAW_NOTIFY_BYTES (4u << 20) /* of names and bookkeeping in the queue */

struct thaw_notifier;
struct thaw_stage;
struct thaw_told;

struct thaw_notifier *thaw_notifier_new(struct thaw_stage *stage, struct thaw_told *told);
int thaw_notifier_start(struct thaw_notifier *notifier, struct fuse_session *session);
void thaw_notifier_stop(struct thaw_notifier *notifier);
struct thaw_notifier *thaw_notifier_free(struct thaw_notifier *notifier);

/* Never wait.  What the kernel was not told of is passed over. */
void thaw_notifier_entry(struct thaw_notifier *notifier, uint64_t dir, const char *name,
			 size_t len);
void thaw_notifier_node(struct thaw_notifier *notifier, uint64_t node);

#endif
