/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * units.h - sizes, durations, shares and instants as people write them.
 *
 * Sizes take K M G T P (powers of 1024, a trailing iB or B is accepted);
 * durations s m h d w; instants are ISO 8601 in UTC.  Parsers take the whole
 * string or fail with -EINVAL (-ERANGE when it does not fit), and set *ret
 * only on success.
 */
#ifndef THAW_BASE_UNITS_H
#define THAW_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

int thaw_parse_size(const char *text, uint64_t *ret_bytes);
int thaw_parse_duration(const char *text, int64_t *ret_seconds);
int thaw_parse_percent(const char *text, unsigned *ret_percent); /* "95%" or "95", 0..100 */
int thaw_parse_u64(const char *text, uint64_t *ret);             /* decimal */
int thaw_parse_mode(const char *text, uint32_t *ret_mode);       /* octal, 0..07777 */
/* 2026-12-01, 2026-12-01T00:00:00Z, with +hh:mm too; seconds since the epoch. */
int thaw_parse_instant(const char *text, int64_t *ret_epoch_s);

#define THAW_SIZE_TEXT 16
#define THAW_INSTANT_TEXT 32
/* "1.5G" */
const char *thaw_format_size(char text[THAW_SIZE_TEXT], uint64_t bytes);
/* "2h05m" */
const char *thaw_format_duration(char text[THAW_SIZE_TEXT], int64_t seconds);
/* "2026-12-01T00:00:00Z" */
const char *thaw_format_instant(char text[THAW_INSTANT_TEXT], int64_t epoch_s);

#endif
