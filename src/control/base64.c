/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int thaw_base64_encode(const void *data, size_t len, struct thaw_buf *buf)
{
	const unsigned char *in = data;

	for (; len;) {
		size_t n = len < 3 ? len : 3;
		uint32_t bits = (uint32_t)in[0] << 16 | (n > 1 ? (uint32_t)in[1] << 8 : 0) |
				(n > 2 ? in[2] : 0);
		char out[4] = {
			alphabet[bits >> 18],
			alphabet[bits >> 12 & 63],
			n > 1 ? alphabet[bits >> 6 & 63] : '=',
			n > 2 ? alphabet[bits & 63] : '=',
		};

		(void)thaw_buf_add(buf, out, sizeof(out));
		in += n;
		len -= n;
	}
	return buf->error;
}

/* Value of one character, or -1. */
static int sextet(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

/* Four characters to 1..3 bytes; padding is right only in the last group, and
 * the bits it hides must be zero. */
static int decode_group(const char *text, bool last, unsigned char *out)
{
	size_t pad = last ? (size_t)(text[3] == '=') + (text[3] == '=' && text[2] == '=') : 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i >= 4 - pad ? 0 : sextet(text[i]);

		if (value < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)value;
	}
	if (bits & ((1u << (8 * pad)) - 1))
		return -EINVAL;
	for (size_t i = 0; i < 3 - pad; i++)
		out[i] = (unsigned char)(bits >> (16 - 8 * i));
	return (int)(3 - pad);
}

int thaw_base64_decode(const char *text, size_t len, void *out, size_t *ret_len)
{
	unsigned char *at = out;

	if (len % 4)
		return -EINVAL;
	for (size_t i = 0; i < len; i += 4) {
		int n = decode_group(text + i, i + 4 == len, at);

		if (n < 0)
			return n;
		at += n;
	}
	*ret_len = (size_t)(at - (unsigned char *)out);
	return 0;
}
