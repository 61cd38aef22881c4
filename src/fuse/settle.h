/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settle.h - the first moments of a mount.
 */
#ifndef THAW_FUSE_SETTLE_H
#define THAW_FUSE_SETTLE_H

struct thaw_err;
struct thaw_fuse;

/* Waits until the mount answers, then decides on passthrough and widens
 * read-ahead.  Not for a thread that serves requests. */
int thaw_fuse_settle(struct thaw_fuse *fuse, struct thaw_err *err);

#endif
