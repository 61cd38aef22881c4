/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Extended attributes: user.thaw.* are the engine's, nothing else has a value.
 */
#include <errno.h>
#include <string.h>
#include <linux/limits.h>
#include <thaw/xattr_names.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "fuse/room.h"
#include "metrics/metrics.h"
#include "stage/view.h"

#define OURS_LEN (sizeof(THAW_XATTR_PREFIX) - 1)

/* What stands behind "user.thaw."; NULL for other names. */
static const char *our_name(const char *name)
{
	return strncmp(name, THAW_XATTR_PREFIX, OURS_LEN) == 0 ? name + OURS_LEN : NULL;
}

/* Writing attributes that are not ours. */
static int refusal(const char *name)
{
	return strncmp(name, "user.", 5) == 0 ? EROFS : ENOTSUP;
}

static void reply_value(fuse_req_t req, const struct thaw_buf *value, size_t size)
{
	if (size == 0)
		(void)fuse_reply_xattr(req, value->len);
	else if (value->len > size)
		(void)fuse_reply_err(req, ERANGE);
	else
		(void)fuse_reply_buf(req, value->data, value->len);
}

void thaw_xattr_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct thaw_fuse *fuse = thaw_fuse_of(req);
	_cleanup_(thaw_buf_release) struct thaw_buf value;
	const char *ours = our_name(name);
	int r = -ENODATA;

	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	thaw_buf_init(&value, XATTR_SIZE_MAX);
	/* Asked for on many occasions, like security.capability: no SQL. */
	if (ours)
		r = thaw_stage_xattr_get(fuse->stage, thaw_node_from_ino(fuse->root, ino), ours,
					 &value);
	if (r < 0)
		thaw_fuse_error(req, r);
	else
		reply_value(req, &value, size);
}

static void add_name(void *ctx, const char *name)
{
	(void)thaw_buf_add(ctx, name, strlen(name) + 1);
}

void thaw_xattr_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct thaw_fuse *fuse = thaw_fuse_of(req);
	_cleanup_(thaw_buf_release) struct thaw_buf names;
	int r;

	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	thaw_buf_init(&names, XATTR_LIST_MAX);
	r = thaw_stage_xattr_list(fuse->stage, thaw_node_from_ino(fuse->root, ino), add_name,
				  &names);
	if (r >= 0)
		r = names.error;
	if (r < 0)
		thaw_fuse_error(req, r);
	else
		reply_value(req, &names, size);
}

void thaw_xattr_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
			 size_t size, int flags)
{
	struct thaw_fuse *fuse = thaw_fuse_of(req);
	const char *ours = our_name(name);
	int r;

	(void)flags; /* create or replace: every attribute is always there */
	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	if (!ours) {
		(void)fuse_reply_err(req, refusal(name));
		return;
	}
	r = thaw_stage_xattr_set(fuse->stage, thaw_node_from_ino(fuse->root, ino), ours, value,
				 size, fuse_req_ctx(req)->uid);
	thaw_fuse_error(req, r < 0 ? r : 0);
}

void thaw_xattr_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct thaw_fuse *fuse = thaw_fuse_of(req);
	const char *ours = our_name(name);
	int r;

	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	if (!ours) {
		(void)fuse_reply_err(req, refusal(name));
		return;
	}
	r = thaw_stage_xattr_remove(fuse->stage, thaw_node_from_ino(fuse->root, ino), ours,
				    fuse_req_ctx(req)->uid);
	thaw_fuse_error(req, r < 0 ? r : 0);
}
