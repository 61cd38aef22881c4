/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/dirpos.h"

#include <stdlib.h>
#include <string.h>

struct thaw_dirpos_mark {
	uint64_t off;
	size_t len;
	char name[];
};

void thaw_dirpos_init(struct thaw_dirpos_set *set, uint64_t first)
{
	memset(set, 0, sizeof(*set));
	set->last.off = first;
	thaw_dirpos_note(set, &set->last);
}

void thaw_dirpos_release(struct thaw_dirpos_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->marks[i]);
	free((void *)set->marks);
	memset(set, 0, sizeof(*set));
}

static void mark_add(struct thaw_dirpos_set *set, const struct thaw_dirpos *pos)
{
	struct thaw_dirpos_mark *mark;

	if (set->count == set->room) {
		size_t room = set->room ? set->room * 2 : 4;
		void *grown = realloc((void *)set->marks, room * sizeof(struct thaw_dirpos_mark *));

		if (!grown)
			return;
		set->marks = grown;
		set->room = room;
	}
	mark = malloc(sizeof(*mark) + pos->len);
	if (!mark)
		return;
	mark->off = pos->off;
	mark->len = pos->len;
	memcpy(mark->name, pos->name, pos->len);
	set->marks[set->count++] = mark;
}

void thaw_dirpos_note(struct thaw_dirpos_set *set, const struct thaw_dirpos *pos)
{
	if (set->count == 0 || pos->off >= set->marks[set->count - 1]->off + THAW_DIRPOS_STEP)
		mark_add(set, pos);
	if (pos != &set->last)
		set->last = *pos;
}

void thaw_dirpos_find(const struct thaw_dirpos_set *set, uint64_t off, struct thaw_dirpos *ret)
{
	size_t low = 0, high = set->count;
	const struct thaw_dirpos_mark *mark;

	if (set->last.off <= off && off - set->last.off < THAW_DIRPOS_STEP) {
		*ret = set->last;
		return;
	}
	while (low < high) { /* the first mark behind off */
		size_t mid = low + (high - low) / 2;

		if (set->marks[mid]->off <= off)
			low = mid + 1;
		else
			high = mid;
	}
	memset(ret, 0, sizeof(*ret));
	if (low == 0) {
		ret->off = set->count ? set->marks[0]->off : 0;
		return;
	}
	mark = set->marks[low - 1];
	ret->off = mark->off;
	ret->len = mark->len;
	memcpy(ret->name, mark->name, mark->len);
}
