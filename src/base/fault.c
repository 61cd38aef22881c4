/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/fault.h"

#ifdef THAW_CRASH_POINTS

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	const char *name; /* NULL: no crash asked for; const after start */
	size_t name_len;
	atomic_long left; /* passes until it dies */
} plan;

__attribute__((constructor)) static void read_plan(void)
{
	const char *text = getenv("THAW_CRASH_AT");
	const char *colon;
	long passes;

	if (!text || !*text)
		return;
	colon = strrchr(text, ':');
	passes = colon ? strtol(colon + 1, NULL, 10) : 1;
	plan.name = text;
	plan.name_len = colon ? (size_t)(colon - text) : strlen(text);
	atomic_store(&plan.left, passes > 0 ? passes : 1);
}

void thaw_crash_point(const char *name)
{
	if (!plan.name || strlen(name) != plan.name_len || memcmp(name, plan.name, plan.name_len))
		return;
	if (atomic_fetch_sub(&plan.left, 1) == 1) {
		(void)kill(getpid(), SIGKILL);
		for (;;)
			(void)pause();
	}
}

#endif
