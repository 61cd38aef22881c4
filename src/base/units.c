/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * units.c - sizes, durations, shares and plain numbers; instants are in
 * instant.c.
 */
#include "base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char size_units[] = "KMGTP";

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits of `base` from *text on, at least one; moves *text behind them. */
static int take_number(const char **text, unsigned base, uint64_t *ret)
{
	const char *at = *text;
	uint64_t value = 0;
	int rc = 0;

	if (!is_digit(*at) || (unsigned)(*at - '0') >= base)
		return -EINVAL;
	for (; is_digit(*at) && (unsigned)(*at - '0') < base; at++) {
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			rc = -ERANGE; /* goes on: the rest may be wrong in a worse way */
	}
	*text = at;
	*ret = value;
	return rc;
}

static int whole_number(const char *text, unsigned base, uint64_t *ret)
{
	uint64_t value = 0;
	int rc = take_number(&text, base, &value);

	if (rc == -EINVAL || *text)
		return -EINVAL;
	if (!rc)
		*ret = value;
	return rc;
}

int thaw_parse_u64(const char *text, uint64_t *ret)
{
	return whole_number(text, 10, ret);
}

int thaw_parse_mode(const char *text, uint32_t *ret_mode)
{
	uint64_t mode;
	int rc = whole_number(text, 8, &mode);

	if (rc)
		return rc;
	if (mode > 07777)
		return -ERANGE;
	*ret_mode = (uint32_t)mode;
	return 0;
}

int thaw_parse_percent(const char *text, unsigned *ret_percent)
{
	uint64_t percent = 0;
	int rc = take_number(&text, 10, &percent);

	if (*text == '%')
		text++;
	if (rc == -EINVAL || *text)
		return -EINVAL;
	if (rc || percent > 100)
		return -ERANGE;
	*ret_percent = (unsigned)percent;
	return 0;
}

/* The digits behind a point, in thousandths. */
static unsigned take_thousandths(const char **text)
{
	unsigned value = 0, weight = 100;

	for (; is_digit(**text); (*text)++) {
		value += (unsigned)(**text - '0') * weight;
		weight /= 10;
	}
	return value;
}

/* "K", "KB", "KiB", "B" or nothing: the bits to shift by, -1 when neither. */
static int unit_shift(const char *text)
{
	const char *unit;
	int shift = 0;

	if (!*text || strcasecmp(text, "b") == 0)
		return 0;
	unit = strchr(size_units, *text & ~0x20); /* upper case */
	if (!unit || !*unit)
		return -1;
	shift = 10 * ((int)(unit - size_units) + 1);
	text++;
	return !*text || strcasecmp(text, "b") == 0 || strcasecmp(text, "ib") == 0 ? shift : -1;
}

int thaw_parse_size(const char *text, uint64_t *ret_bytes)
{
	unsigned __int128 bytes;
	unsigned thousandths = 0;
	uint64_t whole = 0;
	bool point = false;
	int rc = take_number(&text, 10, &whole);
	int shift;

	if (rc == -EINVAL)
		return rc;
	if (text[0] == '.' && is_digit(text[1])) {
		point = true;
		text++;
		thousandths = take_thousandths(&text);
	}
	shift = unit_shift(text);
	if (shift < 0 || (point && !shift)) /* no part of a byte */
		return -EINVAL;
	bytes = ((unsigned __int128)whole << shift) + (((uint64_t)thousandths << shift) / 1000);
	if (rc || bytes > UINT64_MAX)
		return -ERANGE;
	*ret_bytes = (uint64_t)bytes;
	return 0;
}

static int64_t seconds_of(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 7 * 86400;
	default:
		return 0;
	}
}

/* One or more of number and unit, units falling: "90s", "2h05m". */
int thaw_parse_duration(const char *text, int64_t *ret_seconds)
{
	int64_t total = 0, last = INT64_MAX;
	bool too_large = false;

	if (strcmp(text, "0") == 0) {
		*ret_seconds = 0;
		return 0;
	}
	do {
		uint64_t number = 0;
		int64_t unit, part;
		int rc = take_number(&text, 10, &number);

		if (rc == -EINVAL)
			return rc;
		unit = seconds_of(*text);
		if (!unit || unit >= last)
			return -EINVAL;
		last = unit;
		text++;
		if (rc || __builtin_mul_overflow(number, unit, &part) ||
		    __builtin_add_overflow(total, part, &total))
			too_large = true;
	} while (*text);
	if (too_large)
		return -ERANGE;
	*ret_seconds = total;
	return 0;
}

const char *thaw_format_size(char text[THAW_SIZE_TEXT], uint64_t bytes)
{
	uint64_t tenths;
	int unit = -1;

	if (bytes < 1024) {
		(void)snprintf(text, THAW_SIZE_TEXT, "%" PRIu64, bytes);
		return text;
	}
	do {
		unsigned shift = 10 * (unsigned)(++unit + 1);
		unsigned __int128 scaled = (unsigned __int128)bytes * 10;

		tenths = (uint64_t)((scaled + ((unsigned __int128)1 << shift) / 2) >> shift);
	} while (tenths >= 10240 && size_units[unit + 1]);
	if (tenths % 10 && tenths < 1000)
		(void)snprintf(text, THAW_SIZE_TEXT, "%u.%u%c", (unsigned)tenths / 10,
			       (unsigned)tenths % 10, size_units[unit]);
	else
		(void)snprintf(text, THAW_SIZE_TEXT, "%u%c", (unsigned)((tenths + 5) / 10),
			       size_units[unit]);
	return text;
}

/* The two largest units that say something. */
const char *thaw_format_duration(char text[THAW_SIZE_TEXT], int64_t seconds)
{
	static const char minus[] = "-";
	uint64_t s = seconds < 0 ? -(uint64_t)seconds : (uint64_t)seconds;
	const char *sign = seconds < 0 ? minus : "";

	if (s < 60)
		(void)snprintf(text, THAW_SIZE_TEXT, "%s%" PRIu64 "s", sign, s);
	else if (s < 3600)
		(void)snprintf(text, THAW_SIZE_TEXT, "%s%" PRIu64 "m%02us", sign, s / 60,
			       (unsigned)(s % 60));
	else if (s < 86400)
		(void)snprintf(text, THAW_SIZE_TEXT, "%s%" PRIu64 "h%02um", sign, s / 3600,
			       (unsigned)(s / 60 % 60));
	else if (s / 86400 < 100000000)
		(void)snprintf(text, THAW_SIZE_TEXT, "%s%" PRIu64 "d%02uh", sign, s / 86400,
			       (unsigned)(s / 3600 % 24));
	else
		(void)snprintf(text, THAW_SIZE_TEXT, "%sages", sign);
	return text;
}
