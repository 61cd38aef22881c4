/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wire.h - bytes in JSON, as both ends of the control socket write them.
 *
 * Names are bytes and JSON strings are UTF-8, so a name stands under its key
 * ("path": "a/b") when it is UTF-8 without NUL, and else as base64 under the
 * key with _b64 behind it ("path_b64": "Yf9i").  Every name has exactly one
 * such form and every form one name.  Pure; linked by the daemon and by thaw.
 */
#ifndef THAW_CONTROL_WIRE_H
#define THAW_CONTROL_WIRE_H

#include <jansson.h>
#include <stddef.h>

struct thaw_buf;

int thaw_wire_set(json_t *object, const char *key, const void *data, size_t len);
/* Caller frees; NUL-terminated behind *ret_len.  -ENOENT: under neither key;
 * -EINVAL: under both, not a string, not base64, or with a NUL inside. */
int thaw_wire_get(const json_t *object, const char *key, char **ret, size_t *ret_len);

/* As an element of an array: a plain string, or {"path_b64": "..."}. */
json_t *thaw_wire_path(const void *data, size_t len);
/* {"path": "..."} is taken too. */
int thaw_wire_path_get(const json_t *element, char **ret, size_t *ret_len);

/* Appends the value as one line. */
int thaw_wire_line(const json_t *value, struct thaw_buf *buf);

/* Standard alphabet with padding.  decode: -EINVAL unless it is exactly what
 * encode makes of some bytes; out must hold len / 4 * 3. */
int thaw_base64_encode(const void *data, size_t len, struct thaw_buf *buf);
int thaw_base64_decode(const char *text, size_t len, void *out, size_t *ret_len);

#endif
