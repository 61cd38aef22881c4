/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_SIZE         2048
#define LIMIT_INTERVAL_NS (10 * THAW_NS_PER_S)

static struct {
	char ident[32]; /* const after init */
	bool journal;   /* const after init */
	atomic_int level;
	atomic_bool to_syslog;
} state = {.ident = "thawfs", .level = LOG_INFO};

/* systemd names the device and inode of the stream it gave us. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char here[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(here, sizeof(here), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, here) == 0;
}

void thaw_log_init(const char *ident, int level)
{
	(void)snprintf(state.ident, sizeof(state.ident), "%s", ident);
	state.journal = stderr_is_journal();
	thaw_log_set_level(level);
}

void thaw_log_set_level(int level)
{
	atomic_store(&state.level, level);
}

void thaw_log_to_syslog(void)
{
	openlog(state.ident, LOG_PID, LOG_DAEMON);
	atomic_store(&state.to_syslog, true);
}

static const char *level_word(int level)
{
	switch (level) {
	case LOG_WARNING:
		return "warning: ";
	case LOG_NOTICE:
	case LOG_INFO:
		return "";
	case LOG_DEBUG:
		return "debug: ";
	default:
		return "error: ";
	}
}

/* One line stays one line, whatever name or answer was printed into it. */
static void flatten(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

/* One write(2) a line, so that lines of several threads do not mix. */
static void write_stderr(int level, const char *text)
{
	char line[LINE_SIZE + 64];
	int len;

	if (state.journal)
		len = snprintf(line, sizeof(line), "<%d>%s\n", level, text);
	else
		len = snprintf(line, sizeof(line), "%s: %s%s\n", state.ident, level_word(level),
			       text);
	if (len > 0)
		len = (int)write(STDERR_FILENO, line, (size_t)len); /* nobody to tell if it fails */
	(void)len;
}

static void emit(int level, char *text)
{
	flatten(text);
	if (atomic_load(&state.to_syslog))
		syslog(level, "%s", text);
	else
		write_stderr(level, text);
}

static bool wanted(int level)
{
	return level <= atomic_load_explicit(&state.level, memory_order_relaxed);
}

void thaw_log(int level, const char *fmt, ...)
{
	int saved = errno;
	char text[LINE_SIZE];
	va_list ap;

	if (!wanted(level))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	emit(level, text);
	errno = saved;
}

/* True for the one caller that may speak in this interval. */
static bool take_turn(struct thaw_log_limit *limit)
{
	int64_t now = thaw_clock_mono_ns();
	int64_t next = __atomic_load_n(&limit->next_ns, __ATOMIC_RELAXED);

	return now >= next &&
	       __atomic_compare_exchange_n(&limit->next_ns, &next, now + LIMIT_INTERVAL_NS, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void thaw_log_limited(struct thaw_log_limit *limit, int level, const char *fmt, ...)
{
	int saved = errno;
	char text[LINE_SIZE];
	unsigned left_out;
	size_t len;
	va_list ap;

	if (!wanted(level))
		return;
	if (!take_turn(limit)) {
		(void)__atomic_fetch_add(&limit->suppressed, 1, __ATOMIC_RELAXED);
		errno = saved;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	left_out = __atomic_exchange_n(&limit->suppressed, 0, __ATOMIC_RELAXED);
	len = strlen(text);
	if (left_out)
		(void)snprintf(text + len, sizeof(text) - len, " (%u more like this)", left_out);
	emit(level, text);
	errno = saved;
}
