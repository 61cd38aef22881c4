/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the kernel does not serve itself: of files opened in cached mode, and
 * readahead(2) on any.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "fuse/file.h"
#include "fuse/park.h"
#include "fuse/replybuf.h"
#include "fuse/room.h"
#include "metrics/metrics.h"
#include "stage/open.h"

static int read_all(int fd, char *buf, size_t size, uint64_t off)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, buf + done, size - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0) /* the cache file is shorter than the file it stands for */
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* The bytes are there: [off, off+size) lies within the file. */
static void reply_bytes(fuse_req_t req, struct thaw_obj *obj, uint64_t off, size_t size)
{
	static struct thaw_log_limit limit;
	char *buf = thaw_replybuf(req, size);
	int r;

	if (!buf) {
		thaw_fuse_error(req, -ENOMEM);
		return;
	}
	r = read_all(thaw_obj_fd(obj), buf, size, off);
	if (r < 0) {
		thaw_log_limited(&limit, LOG_ERR, "reading the staged copy of node %llu failed: %s",
				 (unsigned long long)thaw_obj_node(obj), strerrordesc_np(-r));
		thaw_fuse_error(req, -EIO);
		return;
	}
	thaw_metrics_add(THAW_M_READS_DAEMON, 1);
	thaw_metrics_add(THAW_M_READ_DAEMON_BYTES, (int64_t)size);
	(void)fuse_reply_buf(req, buf, size);
}

static void resume_read(struct thaw_parked *p, int status)
{
	if (status < 0)
		thaw_fuse_error(p->req, status == -EINTR ? status : -EIO);
	else
		reply_bytes(p->req, thaw_inode_obj(p->inode), p->off, p->size);
}

/* The file is still arriving. */
static void read_stream(struct thaw_fuse *fuse, fuse_req_t req, struct thaw_inode *inode,
			uint64_t off, size_t size)
{
	struct thaw_obj *obj = thaw_inode_obj(inode);
	struct thaw_parked *p;
	int r = thaw_park_new(fuse->park, req, resume_read, "", THAW_PARK_BACKGROUND, &p);

	if (r < 0) {
		thaw_fuse_error(req, r);
		return;
	}
	p->inode = inode;
	p->off = off;
	p->size = size;
	r = thaw_stage_read(fuse->stage, obj, off, size, &p->wait);
	if (r == -EINPROGRESS) {
		thaw_park_commit(p);
		return;
	}
	thaw_park_drop(p);
	if (r < 0)
		thaw_fuse_error(req, -EIO);
	else
		reply_bytes(req, obj, off, size);
}

void thaw_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct thaw_fuse *fuse = thaw_fuse_of(req);
	struct thaw_inode *inode = thaw_file_opened(fi->fh).inode;
	struct thaw_obj *obj = thaw_inode_obj(inode);
	uint64_t end = thaw_obj_size(obj);
	uint64_t from = (uint64_t)off;

	(void)ino;
	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	if (off < 0 || from >= end) {
		(void)fuse_reply_buf(req, NULL, 0);
		return;
	}
	if (size > end - from)
		size = end - from;
	if (thaw_obj_is_whole(obj))
		reply_bytes(req, obj, from, size);
	else
		read_stream(fuse, req, inode, from, size);
}
