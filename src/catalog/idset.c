/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/idset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64

static size_t slot_of(const struct thaw_idset *set, uint64_t id)
{
	size_t at = (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (set->room - 1);

	while (set->slots[at] && set->slots[at] != id)
		at = (at + 1) & (set->room - 1);
	return at;
}

static int grow(struct thaw_idset *set)
{
	struct thaw_idset bigger = { .room = set->room ? set->room * 2 : FIRST_ROOM,
				     .count = set->count };

	bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < set->room; i++) {
		if (set->slots[i])
			bigger.slots[slot_of(&bigger, set->slots[i])] = set->slots[i];
	}
	free(set->slots);
	*set = bigger;
	return 0;
}

int thaw_idset_add(struct thaw_idset *set, uint64_t id)
{
	size_t at;
	int rc;

	if (set->count * 2 >= set->room) {
		rc = grow(set);
		if (rc)
			return rc;
	}
	at = slot_of(set, id);
	if (set->slots[at])
		return 0;
	set->slots[at] = id;
	set->count++;
	return 1;
}

void thaw_idset_release(struct thaw_idset *set)
{
	free(set->slots);
	memset(set, 0, sizeof(*set));
}

int thaw_idlist_push(struct thaw_idlist *list, uint64_t id)
{
	uint64_t *more;
	size_t room = list->room ? list->room * 2 : 16;

	if (list->count == list->room) {
		more = reallocarray(list->ids, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		list->ids = more;
		list->room = room;
	}
	list->ids[list->count++] = id;
	return 0;
}

void thaw_idlist_release(struct thaw_idlist *list)
{
	free(list->ids);
	memset(list, 0, sizeof(*list));
}
