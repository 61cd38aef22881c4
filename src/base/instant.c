/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * instant.c - points in time as ISO 8601 writes them.
 */
#include "base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Exactly `count` digits; moves *text behind them. */
static bool take_digits(const char **text, int count, int *ret)
{
	int value = 0;

	for (int i = 0; i < count; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		value = value * 10 + (**text - '0');
	}
	*ret = value;
	return true;
}

static bool take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

static bool take_date(const char **text, struct tm *tm)
{
	if (!take_digits(text, 4, &tm->tm_year) || !take_char(text, '-') ||
	    !take_digits(text, 2, &tm->tm_mon) || !take_char(text, '-') ||
	    !take_digits(text, 2, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return true;
}

/* hh:mm[:ss[.fraction]]; the fraction is dropped. */
static bool take_time(const char **text, struct tm *tm)
{
	if (!take_digits(text, 2, &tm->tm_hour) || !take_char(text, ':') ||
	    !take_digits(text, 2, &tm->tm_min))
		return false;
	if (!take_char(text, ':'))
		return true;
	if (!take_digits(text, 2, &tm->tm_sec))
		return false;
	if (take_char(text, '.')) {
		size_t digits = strspn(*text, "0123456789");

		*text += digits;
		return digits > 0;
	}
	return true;
}

/* Z, +hh:mm, -hh:mm or nothing, which is UTC too. */
static bool take_zone(const char **text, int *ret_seconds_east)
{
	int hours, minutes, sign;

	*ret_seconds_east = 0;
	if (!**text || take_char(text, 'Z'))
		return true;
	sign = **text == '-' ? -1 : 1;
	if (!take_char(text, '+') && !take_char(text, '-'))
		return false;
	if (!take_digits(text, 2, &hours) || !take_char(text, ':') ||
	    !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*ret_seconds_east = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* timegm() carries the 31st of April over to May: only what comes back
 * unchanged was a date. */
static bool real_instant(const struct tm *asked, int64_t *ret)
{
	struct tm tm = *asked;
	time_t at = timegm(&tm);

	*ret = at;
	return tm.tm_year == asked->tm_year && tm.tm_mon == asked->tm_mon &&
	       tm.tm_mday == asked->tm_mday && tm.tm_hour == asked->tm_hour &&
	       tm.tm_min == asked->tm_min && tm.tm_sec == asked->tm_sec;
}

int thaw_parse_instant(const char *text, int64_t *ret_epoch_s)
{
	struct tm tm = {.tm_isdst = 0};
	int seconds_east = 0;
	int64_t at;

	if (!take_date(&text, &tm))
		return -EINVAL;
	if (take_char(&text, 'T') || take_char(&text, ' ')) {
		if (!take_time(&text, &tm) || !take_zone(&text, &seconds_east))
			return -EINVAL;
	}
	if (*text || !real_instant(&tm, &at))
		return -EINVAL;
	*ret_epoch_s = at - seconds_east;
	return 0;
}

const char *thaw_format_instant(char text[THAW_INSTANT_TEXT], int64_t epoch_s)
{
	time_t at = epoch_s;
	struct tm tm;

	if (!gmtime_r(&at, &tm) || tm.tm_year > 9999 - 1900 ||
	    !strftime(text, THAW_INSTANT_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
		(void)snprintf(text, THAW_INSTANT_TEXT, "@%" PRId64, epoch_s);
	return text;
}
