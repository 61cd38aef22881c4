/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define KEY_MAX 64

static const char *b64_key(char text[KEY_MAX], const char *key)
{
	(void)snprintf(text, KEY_MAX, "%s_b64", key);
	return text;
}

/* NULL: not UTF-8, or has a NUL. */
static json_t *as_text(const void *data, size_t len)
{
	return memchr(data, '\0', len) ? NULL : json_stringn(data, len);
}

static json_t *as_base64(const void *data, size_t len)
{
	struct thaw_buf text;
	json_t *value = NULL;

	thaw_buf_init(&text, len / 3 * 4 + 4);
	if (!thaw_base64_encode(data, len, &text))
		value = json_stringn(text.data, text.len);
	thaw_buf_release(&text);
	return value;
}

int thaw_wire_set(json_t *object, const char *key, const void *data, size_t len)
{
	char other[KEY_MAX];
	json_t *value = as_text(data, len);

	if (value)
		return json_object_set_new(object, key, value) ? -ENOMEM : 0;
	/* set_new fails of a NULL value too */
	return json_object_set_new(object, b64_key(other, key), as_base64(data, len)) ? -ENOMEM : 0;
}

static int take_text(const json_t *value, char **ret, size_t *ret_len)
{
	size_t len = json_string_length(value);
	char *copy;

	if (memchr(json_string_value(value), '\0', len))
		return -EINVAL;
	copy = strndup(json_string_value(value), len);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	*ret_len = len;
	return 0;
}

static int take_base64(const json_t *value, char **ret, size_t *ret_len)
{
	size_t room = json_string_length(value) / 4 * 3, len;
	_cleanup_free_ char *bytes = malloc(room + 1);

	if (!bytes)
		return -ENOMEM;
	if (thaw_base64_decode(json_string_value(value), json_string_length(value), bytes, &len))
		return -EINVAL;
	if (memchr(bytes, '\0', len))
		return -EINVAL;
	bytes[len] = '\0';
	*ret = thaw_steal(&bytes);
	*ret_len = len;
	return 0;
}

int thaw_wire_get(const json_t *object, const char *key, char **ret, size_t *ret_len)
{
	char other[KEY_MAX];
	const json_t *text = json_object_get(object, key);
	const json_t *base64 = json_object_get(object, b64_key(other, key));

	if (!text && !base64)
		return -ENOENT;
	if ((text && base64) || !json_is_string(text ? text : base64))
		return -EINVAL;
	return text ? take_text(text, ret, ret_len) : take_base64(base64, ret, ret_len);
}

json_t *thaw_wire_path(const void *data, size_t len)
{
	json_t *value = as_text(data, len);

	if (value)
		return value;
	value = json_object();
	if (value && thaw_wire_set(value, "path", data, len)) {
		json_decref(value);
		return NULL;
	}
	return value;
}

int thaw_wire_path_get(const json_t *element, char **ret, size_t *ret_len)
{
	int rc;

	if (json_is_string(element))
		return take_text(element, ret, ret_len);
	if (!json_is_object(element))
		return -EINVAL;
	rc = thaw_wire_get(element, "path", ret, ret_len);
	return rc == -ENOENT ? -EINVAL : rc;
}

static int add_to_buf(const char *data, size_t len, void *ctx)
{
	return thaw_buf_add(ctx, data, len);
}

int thaw_wire_line(const json_t *value, struct thaw_buf *buf)
{
	if (json_dump_callback(value, add_to_buf, buf, JSON_COMPACT | JSON_ENCODE_ANY))
		return buf->error ? buf->error : -ENOMEM;
	return thaw_buf_add(buf, "\n", 1);
}
