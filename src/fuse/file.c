/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opening and closing files.  A handle is the inode's entry with the mode of
 * this open in its lowest bit, so that a warm open allocates nothing.
 */
#include "fuse/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#include "base/clock.h"
#include "fuse/inode.h"
#include "fuse/park.h"
#include "fuse/room.h"
#include "metrics/metrics.h"
#include "stage/open.h"

#define FH_PASSTHROUGH ((uint64_t)1)

uint64_t thaw_file_handle(struct thaw_opened opened)
{
	uint64_t fh = (uintptr_t)opened.inode;

	assert((fh & FH_PASSTHROUGH) == 0);
	return opened.passthrough ? fh | FH_PASSTHROUGH : fh;
}

struct thaw_opened thaw_file_opened(uint64_t fh)
{
	return (struct thaw_opened){
		.inode = (struct thaw_inode *)(uintptr_t)(fh & ~FH_PASSTHROUGH),
		.passthrough = fh & FH_PASSTHROUGH,
	};
}

static void reply_open(struct thaw_fuse *fuse, fuse_req_t req, struct fuse_file_info *fi,
		       struct thaw_opened opened)
{
	fi->fh = thaw_file_handle(opened);
	fi->noflush = 1;
	if (opened.passthrough) {
		/* KEEP_CACHE with passthrough is EIO. */
		fi->backing_id = opened.backing_id;
		fi->keep_cache = 0;
		thaw_metrics_add(THAW_M_PASSTHROUGH_OPENS, 1);
	} else {
		fi->keep_cache = opened.keep_pages;
	}
	/* Not taken: the kernel will send no RELEASE. */
	if (fuse_reply_open(req, fi) < 0)
		thaw_inodes_close(fuse->inodes, opened);
}

static void reply_failed(fuse_req_t req, int error)
{
	thaw_metrics_add(THAW_M_OPEN_ERRORS, 1);
	thaw_fuse_error(req, error);
}

/* With a use of obj in hand. */
static void finish_open(struct thaw_fuse *fuse, fuse_req_t req, uint64_t node,
			struct fuse_file_info *fi, struct thaw_obj *obj)
{
	struct thaw_opened opened;
	int r = thaw_inodes_open(fuse->inodes, node, obj, &opened);

	if (r < 0)
		reply_failed(req, r);
	else
		reply_open(fuse, req, fi, opened);
}

static void resume_open(struct thaw_parked *p, int status)
{
	thaw_metrics_observe(THAW_H_OPEN_WAIT, thaw_clock_mono_ns() - p->since_ns);
	thaw_metrics_add(THAW_M_OPENS_MISS, 1);
	if (status < 0)
		reply_failed(p->req, status);
	else
		finish_open(p->fuse, p->req, p->node, &p->fi, p->wait.obj);
}

static void open_cold(struct thaw_fuse *fuse, fuse_req_t req, uint64_t node,
		      struct fuse_file_info *fi)
{
	unsigned flags = fi->flags & O_NONBLOCK ? THAW_OPEN_NONBLOCK : 0;
	struct thaw_parked *p;
	struct thaw_obj *obj;
	int r = thaw_park_new(fuse->park, req, resume_open, "", 0, &p);

	if (r == -EAGAIN) { /* too many wait: what is here can be had nevertheless */
		flags |= THAW_OPEN_NONBLOCK;
		r = thaw_park_new(fuse->park, req, resume_open, "", THAW_PARK_BRIEF, &p);
	}
	if (r < 0) {
		reply_failed(req, r);
		return;
	}
	p->node = node;
	p->fi = *fi;
	r = thaw_stage_open(fuse->stage, node, flags, &p->wait, &obj);
	if (r == -EINPROGRESS) {
		thaw_park_commit(p);
		return;
	}
	thaw_park_drop(p);
	if (r < 0) {
		reply_failed(req, r);
		return;
	}
	thaw_metrics_add(thaw_obj_is_whole(obj) ? THAW_M_OPENS_HIT : THAW_M_OPENS_STREAM, 1);
	finish_open(fuse, req, node, fi, obj);
}

void thaw_file_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct thaw_fuse *fuse = thaw_fuse_of(req);
	uint64_t node = thaw_node_from_ino(fuse->root, ino);
	struct thaw_opened opened;

	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	if ((fi->flags & O_ACCMODE) != O_RDONLY || fi->flags & O_TRUNC) {
		reply_failed(req, -EROFS);
		return;
	}
	if (thaw_inodes_try_open(fuse->inodes, node, &opened)) {
		thaw_metrics_add(THAW_M_OPENS_HIT, 1);
		reply_open(fuse, req, fi, opened);
		return;
	}
	open_cold(fuse, req, node, fi);
}

void thaw_file_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct thaw_fuse *fuse = thaw_fuse_of(req);

	(void)ino;
	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	thaw_inodes_close(fuse->inodes, thaw_file_opened(fi->fh));
	(void)fuse_reply_err(req, 0);
}
