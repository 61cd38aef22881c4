/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/liblog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "fuse/lib.h"
#include <fuse_log.h>

static _Thread_local char last[256];

static void take(enum fuse_log_level level, const char *fmt, va_list ap)
{
	const char *text = last;

	(void)vsnprintf(last, sizeof(last), fmt, ap);
	last[strcspn(last, "\n")] = '\0';
	if (strncmp(text, "fuse: ", 6) == 0)
		text += 6;
	if (*text)
		thaw_log((int)level, "libfuse: %s", text); /* its levels are syslog's */
}

void thaw_liblog_take(void)
{
	fuse_set_log_func(take);
}

const char *thaw_liblog_last(void)
{
	return strncmp(last, "fuse: ", 6) == 0 ? last + 6 : last;
}
