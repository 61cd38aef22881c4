/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/mutex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

/* A failing pthread call here is a bug or a corrupt process: nothing can be
 * kept consistent after it. */
static void must(int rc, const char *what)
{
	if (!rc)
		return;
	(void)fprintf(stderr, "mutex: %s: %s\n", what, strerror(rc));
	abort();
}

#ifndef NDEBUG

#define HELD_MAX 16

/* The locks this thread holds, in the order they were taken: ranks rise. */
static _Thread_local struct {
	const struct thaw_mutex *at[HELD_MAX];
	int count;
} held;

static _Noreturn void broken(const struct thaw_mutex *mutex, const char *what)
{
	(void)fprintf(stderr, "mutex: rank %d %s; held:", mutex ? mutex->rank : 0, what);
	for (int i = 0; i < held.count; i++)
		(void)fprintf(stderr, " %d", held.at[i]->rank);
	(void)fputc('\n', stderr);
	abort();
}

static int find_held(const struct thaw_mutex *mutex)
{
	for (int i = held.count - 1; i >= 0; i--) {
		if (held.at[i] == mutex)
			return i;
	}
	return -1;
}

static void note_lock(const struct thaw_mutex *mutex)
{
	if (find_held(mutex) >= 0)
		broken(mutex, "taken twice");
	if (held.count && held.at[held.count - 1]->rank >= mutex->rank)
		broken(mutex, "taken out of order");
	if (held.count == HELD_MAX)
		broken(mutex, "is one lock too many");
	held.at[held.count++] = mutex;
}

static void note_unlock(const struct thaw_mutex *mutex)
{
	int i = find_held(mutex);

	if (i < 0)
		broken(mutex, "given back but not held");
	held.count--;
	memmove(&held.at[i], &held.at[i + 1], sizeof(held.at[0]) * (size_t)(held.count - i));
}

void thaw_mutex_assert_held(const struct thaw_mutex *mutex)
{
	if (find_held(mutex) < 0)
		broken(mutex, "should be held");
}

void thaw_mutex_assert_none_held(void)
{
	if (held.count)
		broken(NULL, "(none) should be held");
}

#else

static void note_lock(const struct thaw_mutex *mutex)
{
	(void)mutex;
}

static void note_unlock(const struct thaw_mutex *mutex)
{
	(void)mutex;
}

void thaw_mutex_assert_held(const struct thaw_mutex *mutex)
{
	(void)mutex;
}

void thaw_mutex_assert_none_held(void)
{
}

#endif

void thaw_mutex_init(struct thaw_mutex *mutex, enum thaw_lock_rank rank)
{
	mutex->rank = (int)rank;
	must(pthread_mutex_init(&mutex->m, NULL), "init");
}

void thaw_mutex_destroy(struct thaw_mutex *mutex)
{
	must(pthread_mutex_destroy(&mutex->m), "destroy");
}

/* Noted before it is taken, so that a wrong order aborts and never hangs. */
void thaw_mutex_lock(struct thaw_mutex *mutex)
{
	note_lock(mutex);
	must(pthread_mutex_lock(&mutex->m), "lock");
}

void thaw_mutex_unlock(struct thaw_mutex *mutex)
{
	note_unlock(mutex);
	must(pthread_mutex_unlock(&mutex->m), "unlock");
}

void thaw_cond_init(struct thaw_cond *cond)
{
	pthread_condattr_t attr;

	must(pthread_condattr_init(&attr), "condattr");
	must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), "condattr clock");
	must(pthread_cond_init(&cond->c, &attr), "cond init");
	must(pthread_condattr_destroy(&attr), "condattr");
}

void thaw_cond_destroy(struct thaw_cond *cond)
{
	must(pthread_cond_destroy(&cond->c), "cond destroy");
}

/* The lock counts as held while it waits: this thread takes no other. */
void thaw_cond_wait(struct thaw_cond *cond, struct thaw_mutex *mutex)
{
	thaw_mutex_assert_held(mutex);
	must(pthread_cond_wait(&cond->c, &mutex->m), "cond wait");
}

bool thaw_cond_wait_until(struct thaw_cond *cond, struct thaw_mutex *mutex, int64_t deadline_ns)
{
	struct timespec deadline;
	int rc;

	thaw_mutex_assert_held(mutex);
	if (deadline_ns < 0)
		deadline_ns = 0;
	deadline.tv_sec = deadline_ns / THAW_NS_PER_S;
	deadline.tv_nsec = deadline_ns % THAW_NS_PER_S;
	rc = pthread_cond_timedwait(&cond->c, &mutex->m, &deadline);
	if (rc == ETIMEDOUT)
		return false;
	must(rc, "cond wait");
	return true;
}

void thaw_cond_signal(struct thaw_cond *cond)
{
	must(pthread_cond_signal(&cond->c), "cond signal");
}

void thaw_cond_broadcast(struct thaw_cond *cond)
{
	must(pthread_cond_broadcast(&cond->c), "cond broadcast");
}
