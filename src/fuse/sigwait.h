/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sigwait.h - has a thread a signal waiting that it would take?
 *
 * From /proc/TID/status.  A thread that sleeps in the kernel for our answer
 * cannot take a signal before it gets one, so what is pending stays visible.
 * What cannot be seen (another pid namespace, hidepid) counts as none.
 */
#ifndef THAW_FUSE_SIGWAIT_H
#define THAW_FUSE_SIGWAIT_H

#include <sys/types.h>

enum thaw_sigwait {
	THAW_SIGWAIT_NONE,
	/* For the process, not the main thread's to take: any thread may, but
	 * usually one that is awake does at once. */
	THAW_SIGWAIT_SHARED,
	THAW_SIGWAIT_OWN, /* it is dying or has one of its own */
};

enum thaw_sigwait thaw_sigwait_of(pid_t tid);
/* The same of a status file's text. */
enum thaw_sigwait thaw_sigwait_parse(const char *status, pid_t tid);

#endif
