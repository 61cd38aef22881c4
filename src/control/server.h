/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * server.h - the state that control.c, poller.c and worker.c share, private
 * to this room.
 *
 *   WAITING --socket is ready--> READY --worker takes it--> RUNNING
 *      ^                           ^                          |
 *      +--- re-armed --------------|--------------------------+
 *                                  +-- wait.done -- PARKED <--+
 *
 * Only the poller takes a connection out of WAITING, and only workers out of
 * READY; so a connection has one owner at any time.  Its socket is armed for
 * one event at a time (EPOLLONESHOT), under the lock, with the change to
 * WAITING.
 */
#ifndef THAW_CONTROL_SERVER_H
#define THAW_CONTROL_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mutex.h"
#include "control/conn.h"
#include "control/control.h"
#include "control/socket.h"

#define THAW_CONTROL_WORKERS 4

struct thaw_control {
	struct thaw_stage *stage;          /* const */
	struct thaw_control_limits limits; /* const */
	struct thaw_socket socket;         /* const while threads run */
	int epoll, event;                  /* const; event wakes the poller */
	pthread_t poller, workers[THAW_CONTROL_WORKERS];
	unsigned threads; /* started: the workers, then the poller */

	struct thaw_mutex lock;
	struct thaw_cond work;            /* lock: run queue or stopping changed */
	struct thaw_cond woken;           /* lock: some conn->woken changed */
	bool stopping;                    /* lock */
	struct thaw_conn *all;            /* lock */
	unsigned count;                   /* lock: of all */
	struct thaw_conn *run, **run_end; /* lock */
};

void *thaw_control_poller(void *control);
void *thaw_control_worker(void *control);

/* All with the lock held. */
void thaw_control_make_ready(struct thaw_control *control, struct thaw_conn *conn);
void thaw_control_unlink(struct thaw_control *control, struct thaw_conn *conn);
/* Arms the socket and hands the connection to the poller. */
int thaw_control_arm(struct thaw_control *control, struct thaw_conn *conn, int how,
		     uint32_t events);

/* wait.done of every session. */
void thaw_control_dir_listed(struct thaw_wait *wait, int status);

#endif
