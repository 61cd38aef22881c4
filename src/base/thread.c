/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 16 /* the kernel's limit, NUL included */

struct start {
	void *(*fn)(void *);
	void *arg;
	char name[NAME_SIZE];
};

static void *trampoline(void *ctx)
{
	struct start start = *(struct start *)ctx;

	free(ctx);
	(void)pthread_setname_np(pthread_self(), start.name);
	return start.fn(start.arg);
}

/* A fault of the thread's own code cannot wait for main. */
static void every_signal_but_faults(sigset_t *set)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};

	(void)sigfillset(set);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		(void)sigdelset(set, faults[i]);
}

int thaw_thread_start(pthread_t *ret, const char *name, void *(*fn)(void *), void *arg)
{
	struct start *start = calloc(1, sizeof(*start));
	sigset_t block, saved;
	int rc;

	if (!start)
		return -ENOMEM;
	start->fn = fn;
	start->arg = arg;
	memcpy(start->name, name, strnlen(name, NAME_SIZE - 1));
	every_signal_but_faults(&block);
	rc = pthread_sigmask(SIG_SETMASK, &block, &saved);
	if (!rc) {
		rc = pthread_create(ret, NULL, trampoline, start);
		(void)pthread_sigmask(SIG_SETMASK, &saved, NULL);
	}
	if (rc)
		free(start);
	return -rc;
}
