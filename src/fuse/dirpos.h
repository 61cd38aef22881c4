/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dirpos.h - from a directory offset back to a name.
 *
 * The offset of an entry is its ordinal; the catalog continues after a name.
 * A position joins the two: "offset N continues after NAME".  Kept are the
 * last one, which serves a reader that goes on, and one in every
 * THAW_DIRPOS_STEP, so that any other offset (seekdir, another handle whose
 * cached listing ended) is found by skipping at most that many entries.  Not
 * thread-safe.
 */
#ifndef THAW_FUSE_DIRPOS_H
#define THAW_FUSE_DIRPOS_H

#include <stddef.h>
#include <stdint.h>

#define THAW_DIRPOS_STEP 4096
#define THAW_NAME_MAX    255

struct thaw_dirpos {
	uint64_t off;
	size_t len; /* 0: from the first name */
	char name[THAW_NAME_MAX + 1];
};

struct thaw_dirpos_mark;

struct thaw_dirpos_set {
	struct thaw_dirpos last;
	struct thaw_dirpos_mark **marks; /* rising off */
	size_t count, room;
};

void thaw_dirpos_init(struct thaw_dirpos_set *set, uint64_t first);
void thaw_dirpos_release(struct thaw_dirpos_set *set);
/* Remembers; out of memory costs speed only. */
void thaw_dirpos_note(struct thaw_dirpos_set *set, const struct thaw_dirpos *pos);
/* The nearest known position at or before off (>= first). */
void thaw_dirpos_find(const struct thaw_dirpos_set *set, uint64_t off, struct thaw_dirpos *ret);

#endif
