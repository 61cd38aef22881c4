/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * detach.h - going to the background, with the truth told in the foreground.
 *
 * The process that was started waits until its child serves the mount (or has
 * failed) and ends with the child's status; what went wrong is printed there.
 * So `thawfs ... && use the mount` works, and so does fstab.
 */
#ifndef THAW_MAIN_DETACH_H
#define THAW_MAIN_DETACH_H

#include <stdbool.h>

struct thaw_detach {
	int fd; /* to the waiting parent; -1: none, we stay in the foreground */
};

/* Forks unless in the foreground.  Returns in the child only; the parent ends
 * in here.  Before threads and before SQLite. */
int thaw_detach_begin(bool foreground, struct thaw_detach *ret);
/* The mount is served: lets the parent end, gives up the terminal.  False:
 * nobody waits any more, which is to say that the start was interrupted. */
bool thaw_detach_ready(struct thaw_detach *detach);
/* It is not: prints "thawfs: text", here or there; returns status for exit. */
int thaw_detach_failed(struct thaw_detach *detach, int status, const char *text);

#endif
