/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * uring.h - whether to speak to the kernel over io_uring, and how wide.
 *
 * It halves the time of an open.  auto: where the administrator has switched
 * it on (/sys/module/fuse/parameters/enable_uring) and interrupts work: they
 * need to see the caller's thread in /proc, so not in a pid namespace of our
 * own (park.h).  on: switches it on; where that cannot be, an error.
 */
#ifndef THAW_FUSE_URING_H
#define THAW_FUSE_URING_H

#include <stdbool.h>

#include "conf/conf.h"

struct thaw_err;

/* *ret_depth: entries of each CPU's queue. */
int thaw_uring_decide(enum thaw_tristate wish, bool *ret, unsigned *ret_depth,
		      struct thaw_err *err);
/* Entries of a queue when there is one for each of `cpus`. */
unsigned thaw_uring_depth(int cpus);

#endif
