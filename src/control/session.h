/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * session.h - one peer's conversation, without the socket under it.
 *
 * Lines go in, reply lines pile up in `out`.  A request runs as a job in small
 * steps, so that whoever drives the session can send what there is, let others
 * have their turn, and hold a job whose peer does not take its answers.
 *
 * A job that needs a directory nobody has listed yet is PARKED: `wait` is with
 * the engine, and the session must be left alone until wait.done was called
 * (its status goes to wake_status) or thaw_stage_cancel() returned true.
 *
 * Not thread-safe: one thread at a time.
 */
#ifndef THAW_CONTROL_SESSION_H
#define THAW_CONTROL_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "control/peer.h"
#include "stage/open.h"

struct thaw_err;
struct thaw_job;
struct thaw_node;
struct thaw_stage;

enum thaw_step {
	THAW_STEP_DONE,   /* answered */
	THAW_STEP_MORE,   /* call again */
	THAW_STEP_PARKED, /* call again after wait.done */
};

/* The paths between stage_begin and stage_end. */
struct thaw_batch {
	bool open;
	uint64_t *nodes; /* owned */
	size_t count, room;
};

/* The directory of the path before: lists name many files of one.  Good for
 * one request, in which permissions count as they were when it was entered. */
struct thaw_entered {
	char *path; /* owned; NULL: none */
	size_t len;
	uint64_t dir;
};

struct thaw_session {
	struct thaw_stage *stage; /* borrowed */
	struct thaw_peer peer;    /* owned; set by the driver after init */
	struct thaw_buf out;      /* an error in it ends the conversation */
	struct thaw_wait wait;    /* done is set by the driver */
	int wake_status;
	unsigned listings; /* directories waited for since something was found */
	struct thaw_entered entered;
	struct thaw_batch batch;
	struct thaw_job *job; /* owned; NULL: between requests */
};

void thaw_session_init(struct thaw_session *session, struct thaw_stage *stage);
void thaw_session_release(struct thaw_session *session); /* not while parked */

/* Takes a request, only when no job is there; answers it or makes a job. */
void thaw_session_line(struct thaw_session *session, const char *line, size_t len);
/* A bit of the job. */
enum thaw_step thaw_session_step(struct thaw_session *session);

/*
 * The node at a path of the mount, as far as the peer may go: needs search on
 * every directory above it and `need` (THAW_MAY_...) on itself.
 * -EINPROGRESS: parked.  Else -errno with a text.
 */
int thaw_session_resolve(struct thaw_session *session, const char *path, size_t len, unsigned need,
			 struct thaw_node *ret, struct thaw_err *err);
/* Could the peer get there?  For paths the daemon names by itself. */
bool thaw_session_reaches(struct thaw_session *session, const char *path, size_t len);
/* Has the directory listed.  -EINPROGRESS: parked; 0: ask again, and tell when
 * that gave an answer, whatever it was. */
int thaw_session_want_dir(struct thaw_session *session, uint64_t dir, struct thaw_err *err);
void thaw_session_found(struct thaw_session *session);
void thaw_session_leave_dir(struct thaw_session *session); /* forgets `entered` */

#endif
