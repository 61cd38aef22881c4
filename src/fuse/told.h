/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * told.h - which nodes the kernel may have in its caches: one bit a node.
 *
 * An import of millions of names then only invalidates what somebody looked
 * at.  Bits are never taken back (a FORGET may cross a new look-up, and the
 * ids are dense: 12 MiB for 100 million nodes).  Lock-free.
 */
#ifndef THAW_FUSE_TOLD_H
#define THAW_FUSE_TOLD_H

#include <stdbool.h>
#include <stdint.h>

struct thaw_told;

struct thaw_told *thaw_told_new(void);
struct thaw_told *thaw_told_free(struct thaw_told *told);
void thaw_told_mark(struct thaw_told *told, uint64_t node);
/* True as well when it could not be marked. */
bool thaw_told_has(struct thaw_told *told, uint64_t node);
/* Every marked node in rising order; fn other than 0 stops. */
int thaw_told_each(struct thaw_told *told, int (*fn)(void *ctx, uint64_t node), void *ctx);

#endif
