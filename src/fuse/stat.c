/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of a node without looking inside: GETATTR, READLINK, STATFS.
 */
#include <stdlib.h>
#include <sys/statvfs.h>

#include "fuse/room.h"
#include "fuse/told.h"
#include "metrics/metrics.h"
#include "stage/names.h"

void thaw_stat_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct thaw_fuse *fuse = thaw_fuse_of(req);
	struct thaw_phase_ticket ticket = thaw_phase_enter(&fuse->phase);
	struct thaw_node node;
	struct stat st;
	int r;

	(void)fi;
	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	thaw_told_mark(fuse->told, thaw_node_from_ino(fuse->root, ino));
	r = thaw_stage_node(fuse->stage, thaw_node_from_ino(fuse->root, ino), &node);
	if (r < 0) {
		thaw_fuse_error(req, r);
	} else {
		thaw_attr_fill(fuse->root, &node, &st);
		(void)fuse_reply_attr(req, &st, ticket.lasting ? THAW_FOREVER : 0);
	}
	thaw_phase_leave(&fuse->phase, ticket);
}

void thaw_stat_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct thaw_fuse *fuse = thaw_fuse_of(req);
	char *text;
	size_t len;
	int r;

	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	r = thaw_stage_readlink(fuse->stage, thaw_node_from_ino(fuse->root, ino), &text, &len);
	if (r < 0) {
		thaw_fuse_error(req, r);
		return;
	}
	(void)fuse_reply_readlink(req, text);
	free(text);
}

void thaw_stat_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct thaw_fuse *fuse = thaw_fuse_of(req);
	uint64_t files, bytes;
	struct statvfs st = {.f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255};
	int r;

	(void)ino;
	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	r = thaw_stage_totals(fuse->stage, &files, &bytes);
	if (r < 0) {
		thaw_fuse_error(req, r);
		return;
	}
	st.f_blocks = bytes / st.f_frsize + (bytes % st.f_frsize != 0);
	st.f_files = files;
	(void)fuse_reply_statfs(req, &st);
}
