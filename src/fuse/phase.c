/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/phase.h"

void thaw_phase_init(struct thaw_phase *phase)
{
	atomic_init(&phase->imports, 0);
	atomic_init(&phase->turn, 0);
	atomic_init(&phase->inside[0], 0);
	atomic_init(&phase->inside[1], 0);
	atomic_init(&phase->awaited, false);
	thaw_mutex_init(&phase->lock, THAW_RANK_FUSE_TABLE);
	thaw_cond_init(&phase->left);
	phase->flipping = false;
}

void thaw_phase_destroy(struct thaw_phase *phase)
{
	thaw_cond_destroy(&phase->left);
	thaw_mutex_destroy(&phase->lock);
}

struct thaw_phase_ticket thaw_phase_enter(struct thaw_phase *phase)
{
	struct thaw_phase_ticket ticket;

	ticket.slot = atomic_load(&phase->turn) & 1;
	atomic_fetch_add(&phase->inside[ticket.slot], 1);
	/* After being counted: whoever is not waited for sees the import. */
	ticket.lasting = atomic_load(&phase->imports) == 0;
	return ticket;
}

void thaw_phase_leave(struct thaw_phase *phase, struct thaw_phase_ticket ticket)
{
	if (atomic_fetch_sub(&phase->inside[ticket.slot], 1) != 1 || !atomic_load(&phase->awaited))
		return;
	thaw_mutex_lock(&phase->lock);
	thaw_cond_broadcast(&phase->left);
	thaw_mutex_unlock(&phase->lock);
}

/* Sends newcomers to the other counter and waits until this one is empty. */
static void flip(struct thaw_phase *phase)
{
	unsigned slot = atomic_fetch_add(&phase->turn, 1) & 1;

	while (atomic_load(&phase->inside[slot]) != 0)
		thaw_cond_wait(&phase->left, &phase->lock);
}

void thaw_phase_begin(struct thaw_phase *phase)
{
	atomic_fetch_add(&phase->imports, 1);
	thaw_mutex_lock(&phase->lock);
	while (phase->flipping)
		thaw_cond_wait(&phase->left, &phase->lock);
	phase->flipping = true;
	atomic_store(&phase->awaited, true);
	/* Twice: someone may have read `turn` and not yet been counted. */
	flip(phase);
	flip(phase);
	atomic_store(&phase->awaited, false);
	phase->flipping = false;
	thaw_cond_broadcast(&phase->left);
	thaw_mutex_unlock(&phase->lock);
}

void thaw_phase_end(struct thaw_phase *phase)
{
	atomic_fetch_sub(&phase->imports, 1);
}
