/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64

/* What `data` points at while nothing is allocated (room 0): an empty string
 * that is never written to. */
static char nothing[1];

void thaw_buf_init(struct thaw_buf *buf, size_t limit)
{
	*buf = (struct thaw_buf){.data = nothing, .limit = limit};
}

void thaw_buf_release(struct thaw_buf *buf)
{
	if (buf->room)
		free(buf->data);
	thaw_buf_init(buf, buf->limit);
}

void thaw_buf_clear(struct thaw_buf *buf)
{
	buf->len = 0;
	buf->error = 0;
	if (buf->room)
		buf->data[0] = '\0';
}

/* Makes place for `more` bytes and the NUL behind them. */
static int reserve(struct thaw_buf *buf, size_t more)
{
	size_t room = buf->room ? buf->room : FIRST_ROOM;
	size_t need;
	char *data;

	if (buf->error)
		return buf->error;
	if (buf->len > buf->limit || more > buf->limit - buf->len)
		return buf->error = -E2BIG;
	if (__builtin_add_overflow(buf->len, more, &need) || need == SIZE_MAX)
		return buf->error = -E2BIG;
	need++;
	if (need <= buf->room)
		return 0;
	while (room < need)
		room = room > SIZE_MAX / 2 ? need : room * 2;
	data = realloc(buf->room ? buf->data : NULL, room);
	if (!data)
		return buf->error = -ENOMEM;
	buf->data = data;
	buf->room = room;
	data[buf->len] = '\0';
	return 0;
}

int thaw_buf_add(struct thaw_buf *buf, const void *data, size_t len)
{
	int rc = reserve(buf, len);

	if (rc || !len)
		return rc;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int thaw_buf_adds(struct thaw_buf *buf, const char *text)
{
	return thaw_buf_add(buf, text, strlen(text));
}

int thaw_buf_addf(struct thaw_buf *buf, const char *fmt, ...)
{
	va_list ap;
	int len, rc;

	if (buf->error)
		return buf->error;
	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		return buf->error = -EINVAL;
	rc = reserve(buf, (size_t)len);
	if (rc)
		return rc;
	va_start(ap, fmt);
	(void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, ap);
	va_end(ap);
	buf->len += (size_t)len;
	return 0;
}

char *thaw_buf_steal(struct thaw_buf *buf)
{
	char *text;

	if (reserve(buf, 0))
		return NULL;
	text = buf->data;
	thaw_buf_init(buf, buf->limit);
	return text;
}
