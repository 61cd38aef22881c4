/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * idset.h - a growing set of ids (never 0): files with several names that a
 * walk has met already.  Zero-initialise.
 */
#ifndef THAW_CATALOG_IDSET_H
#define THAW_CATALOG_IDSET_H

#include <stddef.h>
#include <stdint.h>

struct thaw_idset {
	uint64_t *slots;
	size_t room, count;
};

/* 1: added, 0: was there, or -ENOMEM. */
int thaw_idset_add(struct thaw_idset *set, uint64_t id);
void thaw_idset_release(struct thaw_idset *set);

/* A growing array of ids. */
struct thaw_idlist {
	uint64_t *ids;
	size_t room, count;
};
int thaw_idlist_push(struct thaw_idlist *list, uint64_t id);
void thaw_idlist_release(struct thaw_idlist *list);

#endif
