/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conn.h - a session on a socket: reading lines, sending what piles up.
 *
 * Nothing here blocks.  thaw_conn_run() goes as far as it can and says what
 * it needs to go on.  While answers are not taken no further request is read
 * and a running one makes no more of them.
 */
#ifndef THAW_CONTROL_CONN_H
#define THAW_CONTROL_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/lines.h"
#include "control/session.h"

struct thaw_control;

enum thaw_conn_state {
	THAW_CONN_WAITING,    /* for its socket; with the poller */
	THAW_CONN_READY,      /* in the run queue */
	THAW_CONN_RUNNING,    /* with a worker */
	THAW_CONN_PARKED,     /* for a listing; with the engine */
	THAW_CONN_CANCELLING, /* with the poller, which takes it from the engine */
};

struct thaw_conn {
	/* whoever runs it */
	int fd;
	struct thaw_session session;
	struct thaw_lines in;
	size_t sent;     /* of session.out */
	bool eof;        /* the peer sends no more */
	bool closing;    /* once everything is sent */
	bool progressed; /* a line was taken or bytes were sent since it was reset */

	/* the server's, control->lock */
	struct thaw_control *control; /* const */
	struct thaw_conn *prev, *next;
	struct thaw_conn *run_next;
	enum thaw_conn_state state;
	bool woken; /* wait.done came */
	int64_t deadline_ns;
};

enum thaw_conn_wants {
	THAW_CONN_READ,
	THAW_CONN_WRITE,
	THAW_CONN_TURN, /* others first, then again */
	THAW_CONN_PARK,
	THAW_CONN_CLOSE,
};

/* Takes the descriptor, also when it fails. */
struct thaw_conn *thaw_conn_new(int fd, struct thaw_stage *stage, size_t line_max);
struct thaw_conn *thaw_conn_free(struct thaw_conn *conn);
enum thaw_conn_wants thaw_conn_run(struct thaw_conn *conn);

#endif
