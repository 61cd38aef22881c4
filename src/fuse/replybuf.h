/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replybuf.h - where to build a long answer.
 *
 * For requests over io_uring that is the place it is sent from, so that
 * fuse_reply_buf copies nothing; else a buffer the thread keeps (allocating a
 * megabyte for every read would mean mapping and clearing it anew).
 */
#ifndef THAW_FUSE_REPLYBUF_H
#define THAW_FUSE_REPLYBUF_H

#include <stddef.h>

#include "fuse/lib.h"

/* At least `size` bytes; good until the reply; NULL when out of memory. */
char *thaw_replybuf(fuse_req_t req, size_t size);

#endif
