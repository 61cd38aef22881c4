/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * phase.h - no answer that outlives the names it was made from.
 *
 * Answers about names are cached by the kernel without end, which is right
 * because whatever changes names first calls begin and then has the changed
 * ones invalidated.  An answer computed before begin must not reach the
 * kernel after that invalidation.  So every handler stands inside enter and
 * leave while it computes and sends an answer, and begin waits for those who
 * stood inside before it (two counters used in turn, as SRCU does, so that a
 * stream of newcomers cannot keep it waiting).  Newcomers see `lasting` false
 * and give answers that are not cached.
 */
#ifndef THAW_FUSE_PHASE_H
#define THAW_FUSE_PHASE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/mutex.h"

struct thaw_phase {
	atomic_uint imports; /* begun and not ended */
	atomic_uint turn;    /* which counter newcomers use: its lowest bit */
	atomic_uint inside[2];
	atomic_bool awaited; /* a begin wants to hear of leavers */
	struct thaw_mutex lock;
	struct thaw_cond left;
	bool flipping; /* lock: one begin at a time */
};

struct thaw_phase_ticket {
	unsigned slot;
	bool lasting; /* the answer may be cached for ever */
};

void thaw_phase_init(struct thaw_phase *phase);
void thaw_phase_destroy(struct thaw_phase *phase);
struct thaw_phase_ticket thaw_phase_enter(struct thaw_phase *phase);
void thaw_phase_leave(struct thaw_phase *phase, struct thaw_phase_ticket ticket);
void thaw_phase_begin(struct thaw_phase *phase);
void thaw_phase_end(struct thaw_phase *phase);

#endif
