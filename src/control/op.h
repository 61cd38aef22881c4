/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * op.h - requests: the table of them, what each is made of, and the helpers
 * that their implementations (op_*.c) share.
 *
 * start() looks at the request and may answer it (THAW_STEP_DONE).  Otherwise
 * step() is called until it says so.  Both may return -errno instead, with a
 * text in job->err if strerror would say too little; the dispatcher then
 * writes the error line.
 */
#ifndef THAW_CONTROL_OP_H
#define THAW_CONTROL_OP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "control/session.h"
#include "stage/names.h"

enum {
	THAW_OPF_ADMIN = 1 << 0,   /* root and the daemon's user only */
	THAW_OPF_PUBLIC = 1 << 1,  /* also for those whom the mount is not shared with */
	THAW_OPF_CHANGES = 1 << 2, /* worth a line in the log */
};

struct thaw_job;

struct thaw_op {
	const char *name;
	unsigned flags;
	int (*start)(struct thaw_job *job);
	int (*step)(struct thaw_job *job);     /* NULL: start answers */
	void (*release)(struct thaw_job *job); /* NULL: no state of its own */
};

/* Walks the request's "paths", one a step. */
struct thaw_targets {
	unsigned need; /* on each of them */
	int (*each)(struct thaw_job *job, const struct thaw_node *node, json_t *item);
	int (*finish)(struct thaw_job *job);
	size_t next;
	uint64_t done, failed;
	int first_error;
	struct thaw_err first_text;
};

struct thaw_job {
	struct thaw_session *session;
	const struct thaw_op *op;
	json_t *req; /* owned */
	struct thaw_err err;
	struct thaw_targets targets;
	void *state; /* the op's own */
};

/* NULL-terminated by name. */
extern const struct thaw_op thaw_ops[];
const struct thaw_op *thaw_op_named(const char *name);

/* reply.c.  All take the reference; NULL is an allocation that failed. */
void thaw_reply_item(struct thaw_session *session, json_t *item);
void thaw_reply_ok(struct thaw_session *session, json_t *fields);
void thaw_reply_error(struct thaw_session *session, int rc, const char *text);
/* {"code": "ENOENT", "text": ...}; "" stands for the usual text of rc. */
json_t *thaw_reply_error_object(int rc, const char *text);

/* param.c: members of a request.  Absent: *ret is left as it is.  -EINVAL with
 * a text when it is of another type. */
int thaw_param_bool(struct thaw_job *job, const char *key, bool *ret);
int thaw_param_u64(struct thaw_job *job, const char *key, uint64_t *ret);
int thaw_param_text(struct thaw_job *job, const char *key, const char **ret); /* borrowed */
/* As above, but it must be there. */
int thaw_param_need_text(struct thaw_job *job, const char *key, const char **ret);

/*
 * targets.c.  each() is called for every path that can be reached, with an
 * item {"index": i, "path": ...} to add to (borrowed): 0 sends nothing, 1
 * sends the item, -errno (text in job->err) sends it with an "error".
 * finish() answers; thaw_targets_reply() is the usual one.
 */
int thaw_targets_start(struct thaw_job *job, unsigned need,
		       int (*each)(struct thaw_job *, const struct thaw_node *, json_t *),
		       int (*finish)(struct thaw_job *));
int thaw_targets_step(struct thaw_job *job);
int thaw_targets_reply(struct thaw_job *job);

/* The starts, steps and releases that the table in ops.c names. */
int thaw_op_ping_start(struct thaw_job *job);
int thaw_op_status_start(struct thaw_job *job);
int thaw_op_metrics_start(struct thaw_job *job);
int thaw_op_state_start(struct thaw_job *job);
int thaw_op_state_step(struct thaw_job *job);
void thaw_op_state_release(struct thaw_job *job);
int thaw_op_stage_start(struct thaw_job *job);
int thaw_op_stage_begin_start(struct thaw_job *job);
int thaw_op_stage_paths_start(struct thaw_job *job);
int thaw_op_stage_end_start(struct thaw_job *job);
int thaw_op_requests_start(struct thaw_job *job);
int thaw_op_request_start(struct thaw_job *job);
int thaw_op_request_step(struct thaw_job *job);
void thaw_op_request_release(struct thaw_job *job);
int thaw_op_cancel_start(struct thaw_job *job);
int thaw_op_pin_start(struct thaw_job *job);
int thaw_op_unpin_start(struct thaw_job *job);
void thaw_op_pin_release(struct thaw_job *job);
int thaw_op_pins_start(struct thaw_job *job);
int thaw_op_pins_step(struct thaw_job *job);
int thaw_op_evict_start(struct thaw_job *job);
void thaw_op_evict_release(struct thaw_job *job);
int thaw_op_import_start(struct thaw_job *job);
int thaw_op_import_progress_start(struct thaw_job *job);

#endif
