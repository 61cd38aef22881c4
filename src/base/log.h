/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log.h - one line per event, to stderr or syslog.
 *
 * base, conf, catalog, cache, policy and archive do not log above debug: they
 * return a code and a text, and stage, fuse, control and main decide.  Lines
 * to stderr carry the sd-daemon(3) priority prefix when stderr is the journal.
 * Thread-safe.  errno is kept.
 */
#ifndef THAW_BASE_LOG_H
#define THAW_BASE_LOG_H

#include <stdint.h>
#include <syslog.h>

/* level: a syslog level; messages above it are dropped. */
void thaw_log_init(const char *ident, int level);
void thaw_log_set_level(int level);
/* From here on to syslog(3): for a daemon that closed its terminal. */
void thaw_log_to_syslog(void);

void thaw_log(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define thaw_error(...) thaw_log(LOG_ERR, __VA_ARGS__)
#define thaw_warn(...) thaw_log(LOG_WARNING, __VA_ARGS__)
#define thaw_notice(...) thaw_log(LOG_NOTICE, __VA_ARGS__)
#define thaw_info(...) thaw_log(LOG_INFO, __VA_ARGS__)
#define thaw_debug(...) thaw_log(LOG_DEBUG, __VA_ARGS__)

/*
 * Failures that can come by the thousand: at most one line per interval, with
 * the number left out since the last one.  Zero-initialise; one per call site.
 */
struct thaw_log_limit {
	int64_t next_ns;     /* atomic */
	unsigned suppressed; /* atomic */
};
void thaw_log_limited(struct thaw_log_limit *limit, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
