/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuse.h - the kernel's door: one mount, served from the engine.
 *
 * Knows names, attributes and open files; everything about archives, the
 * cache and the catalog is asked of stage.  Life:
 *
 *   new    checks options, takes the engine's events    no thread, no mount
 *   mount  the mount exists, nobody serves it yet        no thread
 *   start  serves; returns when the mount answers        threads
 *   ...    over_fd becomes readable when the mount ended from outside
 *   stop   after thaw_stage_stop(): unmounts, joins
 *   free   before thaw_stage_free()
 *
 * The engine must have answered everyone who waits (thaw_stage_stop does)
 * before stop: libfuse frees io_uring's requests when its loop ends.
 */
#ifndef THAW_FUSE_FUSE_H
#define THAW_FUSE_FUSE_H

#include <stdbool.h>

struct thaw_conf;
struct thaw_err;
struct thaw_fuse;
struct thaw_stage;

/* debug: libfuse prints every request. */
int thaw_fuse_new(struct thaw_stage *stage, bool debug, struct thaw_fuse **ret,
		  struct thaw_err *err);
int thaw_fuse_mount(struct thaw_fuse *fuse, struct thaw_err *err);
int thaw_fuse_start(struct thaw_fuse *fuse, struct thaw_err *err);
int thaw_fuse_over_fd(const struct thaw_fuse *fuse); /* borrowed */
void thaw_fuse_stop(struct thaw_fuse *fuse);
struct thaw_fuse *thaw_fuse_free(struct thaw_fuse *fuse);

/*
 * What stands at a mountpoint before we mount there.  0: nothing of ours, or
 * the dead mount of a daemon that was killed, which was taken away (*ret_stale
 * is then true).  -EBUSY: a living thawfs; -ENOENT, -ENOTDIR, -EACCES.
 */
int thaw_fuse_check_mountpoint(const char *path, bool *ret_stale, struct thaw_err *err);

const char *thaw_fuse_version(void); /* of libfuse */

#endif
