/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * buf.h - a growable byte buffer with a limit set at birth.
 *
 * Always NUL-terminated behind `len` so that text can be used as a string.
 * Not thread-safe.  The first failure (-ENOMEM or -E2BIG) sticks in `error`
 * and makes later calls no-ops, so that a run of appends is checked once.
 */
#ifndef THAW_BASE_BUF_H
#define THAW_BASE_BUF_H

#include <stddef.h>

struct thaw_buf {
	char *data;
	size_t len;
	size_t room;
	size_t limit; /* most bytes it may ever hold */
	int error;
};

void thaw_buf_init(struct thaw_buf *buf, size_t limit);
void thaw_buf_release(struct thaw_buf *buf); /* may be used again after */
void thaw_buf_clear(struct thaw_buf *buf);   /* empties, keeps memory and limit */
int thaw_buf_add(struct thaw_buf *buf, const void *data, size_t len);
int thaw_buf_adds(struct thaw_buf *buf, const char *text);
int thaw_buf_addf(struct thaw_buf *buf, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The text, owned by the caller from now on; NULL when an error stuck. */
char *thaw_buf_steal(struct thaw_buf *buf);

#endif
