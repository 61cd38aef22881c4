/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * view.h - what can be said of a file or directory: its state and the
 * user.thaw.* attributes, as text.  Used by getxattr and by `thaw state`.
 */
#ifndef THAW_STAGE_VIEW_H
#define THAW_STAGE_VIEW_H

#include <stdint.h>
#include "stage/names.h"

struct thaw_stage;
struct thaw_buf;

enum thaw_state {
	THAW_STATE_ONLINE,
	THAW_STATE_OFFLINE,
	THAW_STATE_QUEUED,    /* asked for, not begun */
	THAW_STATE_RECALLING, /* the archive is bringing it online */
	THAW_STATE_FETCHING,
	THAW_STATE_PARTIAL,   /* directories: some of it */
	THAW_STATE_FAILED,
	THAW_STATE_LOST,
};

const char *thaw_state_name(enum thaw_state state);
/* Of a file, or the sum of a directory's tree. */
int thaw_stage_state(struct thaw_stage *stage, const struct thaw_node *node, enum thaw_state *ret);

/* Names without "user.thaw.": state pin stage cached_bytes sha256 socket version, and
 * sha512 md5 digest.source verified error hits location.
 * Appends the value.  -ENODATA: no such attribute, or it has no value. */
int thaw_stage_xattr_get(struct thaw_stage *stage, uint64_t node, const char *name, struct thaw_buf *value);
/* Calls fn with the full name of every attribute that has a value there. */
int thaw_stage_xattr_list(struct thaw_stage *stage, uint64_t node, void (*fn)(void *ctx, const char *name), void *ctx);
/* pin and stage can be set; len 0 with remove.  uid: who asks.  -EINVAL: value not
 * understood; -ENODATA: no such attribute; -EPERM: it cannot be set; -ENOSPC: pin does not fit. */
int thaw_stage_xattr_set(struct thaw_stage *stage, uint64_t node, const char *name, const char *value,
			 size_t len, uint32_t uid);
int thaw_stage_xattr_remove(struct thaw_stage *stage, uint64_t node, const char *name, uint32_t uid);

/* What `thaw state` prints of one node. */
struct thaw_view {
	enum thaw_state state;
	uint64_t size, cached_bytes;
	bool pinned;
	int64_t pin_expires; /* THAW_PIN_FOREVER; meaningful when pinned */
	uint64_t files, online_files; /* directories; 1 and 0|1 for files */
};
int thaw_stage_view(struct thaw_stage *stage, const struct thaw_node *node, struct thaw_view *ret);

#endif
