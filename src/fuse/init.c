/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What we agree with the kernel when the connection begins.
 */
#include "conf/conf.h"
#include "fuse/room.h"

/* Read-ahead of files that stream counts as background, and so do RELEASEs:
 * the default of 12 would let a few waiting reads stop all others. */
#define MAX_BACKGROUND 4096

static void want_caching(struct fuse_conn_info *conn)
{
	/* Content never changes under a node, so size and mtime say nothing
	 * about cached pages. */
	fuse_unset_feature_flag(conn, FUSE_CAP_AUTO_INVAL_DATA);
	(void)fuse_set_feature_flag(conn, FUSE_CAP_EXPLICIT_INVAL_DATA);
	(void)fuse_set_feature_flag(conn, FUSE_CAP_CACHE_SYMLINKS);
	/* Nothing is written, and with it the kernel gives no passthrough. */
	fuse_unset_feature_flag(conn, FUSE_CAP_WRITEBACK_CACHE);
}

static void want_names(struct fuse_conn_info *conn)
{
	(void)fuse_set_feature_flag(conn, FUSE_CAP_PARALLEL_DIROPS);
	(void)fuse_set_feature_flag(conn, FUSE_CAP_READDIRPLUS);
	/* Attributes with every listing, not only when the kernel guesses that
	 * they will be asked for (READDIRPLUS_AUTO): its guess misses find, du and
	 * tar, which list first and then stat, at a round trip a file.  100,000
	 * files took find 0.5 s so and 3.5 s otherwise; a bare ls, once, 0.45 s
	 * instead of 0.15 s. */
	fuse_unset_feature_flag(conn, FUSE_CAP_READDIRPLUS_AUTO);
	(void)fuse_set_feature_flag(conn, FUSE_CAP_EXPORT_SUPPORT);
}

void thaw_init(void *userdata, struct fuse_conn_info *conn)
{
	struct thaw_fuse *fuse = userdata;

	want_caching(conn);
	want_names(conn);
	(void)fuse_set_feature_flag(conn, FUSE_CAP_ASYNC_READ);
	/* Cache pages cannot be moved to a reader; the kernel complains and
	 * copies ("trying to steal weird page"). */
	fuse_unset_feature_flag(conn, FUSE_CAP_SPLICE_READ);
	fuse_unset_feature_flag(conn, FUSE_CAP_SPLICE_WRITE);
	fuse_unset_feature_flag(conn, FUSE_CAP_SPLICE_MOVE);
	if (fuse->conf->passthrough != THAW_OFF)
		fuse->can_passthrough = fuse_set_feature_flag(conn, FUSE_CAP_PASSTHROUGH);
	conn->max_backing_stack_depth = 1;
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = MAX_BACKGROUND / 4 * 3;
	conn->max_write = fuse->uring ? THAW_MAX_IO_URING : THAW_MAX_IO;
	conn->time_gran = 1;
}
