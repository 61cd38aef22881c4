/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * thread.h - threads of the daemon: named, and deaf to signals.
 */
#ifndef THAW_BASE_THREAD_H
#define THAW_BASE_THREAD_H

#include <pthread.h>

/* name: at most 15 bytes, shown by ps -L and top -H.  The thread starts with
 * every signal blocked: signals belong to main. */
int thaw_thread_start(pthread_t *ret, const char *name, void *(*fn)(void *), void *arg);

#endif
