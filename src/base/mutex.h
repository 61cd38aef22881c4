/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mutex.h - mutexes with ranks.
 *
 * A thread takes locks in rising rank only.  Debug builds (!NDEBUG) keep the
 * ranks a thread holds and abort on a lock taken out of order, a lock taken
 * twice, or an assertion that fails.  The ranks and what each lock guards
 * stand in docs/locking.md; this enum is their one definition.
 */
#ifndef THAW_BASE_MUTEX_H
#define THAW_BASE_MUTEX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum thaw_lock_rank {
	THAW_RANK_FUSE_TABLE = 10,  /* fuse: the inode table */
	THAW_RANK_FUSE_INODE = 15,  /* fuse: a directory handle */
	THAW_RANK_FUSE_REQUEST = 18,/* fuse: one parked request */
	THAW_RANK_FUSE_NOTIFY = 19, /* fuse: the notifier's queue */
	THAW_RANK_CONTROL = 22,     /* control: connections */
	THAW_RANK_REQUESTS = 26,    /* stage: bulk requests */
	THAW_RANK_IMPORT = 28,      /* stage: the importer's queues */
	THAW_RANK_ENGINE = 30,      /* stage: object table, flights, waiters */
	THAW_RANK_SPACE = 50,       /* cache: byte accounting */
	THAW_RANK_CHUNKS = 55,      /* cache: one part file's chunk map */
	THAW_RANK_CATALOG = 60,     /* catalog: the group-commit queue */
	THAW_RANK_READERS = 65,     /* catalog: the pool of read connections */
	THAW_RANK_ARCHIVE = 70,     /* archive: a backend's own state */
	THAW_RANK_QUEUE = 80,       /* base: thread pools and queues */
	THAW_RANK_LOG = 90,
};

struct thaw_mutex {
	pthread_mutex_t m;
	int rank;
};

struct thaw_cond {
	pthread_cond_t c; /* waits on CLOCK_MONOTONIC */
};

void thaw_mutex_init(struct thaw_mutex *mutex, enum thaw_lock_rank rank);
void thaw_mutex_destroy(struct thaw_mutex *mutex);
void thaw_mutex_lock(struct thaw_mutex *mutex);
void thaw_mutex_unlock(struct thaw_mutex *mutex);
/* Aborts in debug builds unless this thread holds it / holds none at all. */
void thaw_mutex_assert_held(const struct thaw_mutex *mutex);
void thaw_mutex_assert_none_held(void);

void thaw_cond_init(struct thaw_cond *cond);
void thaw_cond_destroy(struct thaw_cond *cond);
void thaw_cond_wait(struct thaw_cond *cond, struct thaw_mutex *mutex);
/* deadline: CLOCK_MONOTONIC nanoseconds.  False when it passed. */
bool thaw_cond_wait_until(struct thaw_cond *cond, struct thaw_mutex *mutex, int64_t deadline_ns);
void thaw_cond_signal(struct thaw_cond *cond);
void thaw_cond_broadcast(struct thaw_cond *cond);

#endif
