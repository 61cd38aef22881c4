/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Formats beside the target first: an argument may be the text itself. */
int thaw_err_set(struct thaw_err *err, int code, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memcpy(err->text, text, sizeof(text));
	return code;
}

void thaw_err_prefix(struct thaw_err *err, const char *fmt, ...)
{
	char prefix[sizeof(err->text)];
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	(void)thaw_err_set(err, 0, "%s%s%s", prefix, err->text[0] ? ": " : "", err->text);
}

const char *thaw_err_name(int errnum)
{
	const char *name = strerrorname_np(errnum < 0 ? -errnum : errnum);

	return name ? name : "EUNKNOWN";
}
