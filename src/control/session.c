/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/path.h"
#include "conf/conf.h"
#include "control/op.h"
#include "metrics/metrics.h"
#include "stage/stage.h"

/* Only the largest answers that come in one step get near it. */
#define OUT_MAX (64 * 1024 * 1024)
#define OP_TEXT 128

void thaw_session_init(struct thaw_session *session, struct thaw_stage *stage)
{
	*session = (struct thaw_session){.stage = stage};
	thaw_buf_init(&session->out, OUT_MAX);
}

static struct thaw_job *job_free(struct thaw_job *job)
{
	if (job) {
		if (job->op->release)
			job->op->release(job);
		json_decref(job->req);
		free(job);
	}
	return NULL;
}

void thaw_session_release(struct thaw_session *session)
{
	session->job = job_free(session->job);
	thaw_session_leave_dir(session);
	free(session->batch.nodes);
	session->batch = (struct thaw_batch){0};
	thaw_buf_release(&session->out);
	thaw_peer_release(&session->peer);
}

static int refuse(struct thaw_err *err, int rc, const char *text)
{
	return thaw_err_set(err, rc, "%s", text);
}

/* The kernel lets nobody else into a mount without allow_other. */
static int may_use(const struct thaw_session *session, const struct thaw_op *op,
		   struct thaw_err *err)
{
	if (session->peer.privileged || op->flags & THAW_OPF_PUBLIC)
		return 0;
	if (op->flags & THAW_OPF_ADMIN)
		return refuse(err, -EPERM, "only root and the daemon's own user may do this");
	if (!thaw_stage_conf(session->stage)->allow_other)
		return refuse(err, -EACCES,
			      "the mount is not shared with other users (allow_other)");
	return 0;
}

static int parse(const char *line, size_t len, json_t **ret, struct thaw_err *err)
{
	json_error_t why;
	json_t *req = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);

	if (!req)
		return thaw_err_set(err, -EINVAL, "not a line of JSON: column %d: %s", why.column,
				    why.text);
	if (!json_is_object(req)) {
		json_decref(req);
		return refuse(err, -EINVAL, "a request is an object: {\"op\": ...}");
	}
	*ret = req;
	return 0;
}

static int find_op(const json_t *req, const struct thaw_op **ret, struct thaw_err *err)
{
	const json_t *name = json_object_get(req, "op");
	char quoted[OP_TEXT];

	if (!json_is_string(name))
		return refuse(err, -EINVAL, "\"op\" is missing or not a string");
	*ret = thaw_op_named(json_string_value(name));
	if (*ret)
		return 0;
	thaw_path_quote(quoted, sizeof(quoted), json_string_value(name), json_string_length(name));
	return thaw_err_set(err, -EOPNOTSUPP, "unknown op \"%s\"", quoted);
}

static void finish_job(struct thaw_session *session, int rc)
{
	struct thaw_job *job = session->job;

	if (rc < 0)
		thaw_reply_error(session, rc, job->err.text);
	if (job->op->flags & THAW_OPF_CHANGES)
		thaw_log(rc < 0 ? LOG_DEBUG : LOG_INFO,
			 "control: uid %u pid %d: %s: %s, %" PRIu64 " done, %" PRIu64 " failed",
			 session->peer.uid, session->peer.pid, job->op->name,
			 rc < 0 ? thaw_err_name(rc) : "ok", job->targets.done, job->targets.failed);
	session->job = job_free(job);
	thaw_session_leave_dir(session);
}

static int begin(struct thaw_session *session, const char *line, size_t len, struct thaw_err *err)
{
	const struct thaw_op *op = NULL;
	struct thaw_job *job;
	json_t *req = NULL;
	int rc = parse(line, len, &req, err);

	if (rc)
		return rc;
	rc = find_op(req, &op, err);
	if (!rc)
		rc = may_use(session, op, err);
	job = rc ? NULL : calloc(1, sizeof(*job));
	if (!job) {
		json_decref(req);
		return rc ? rc : -ENOMEM;
	}
	*job = (struct thaw_job){.session = session, .op = op, .req = req};
	session->job = job;
	rc = op->start(job);
	if (rc == THAW_STEP_DONE || rc < 0)
		finish_job(session, rc);
	return 0;
}

void thaw_session_line(struct thaw_session *session, const char *line, size_t len)
{
	struct thaw_err err = {""};
	int rc;

	thaw_metrics_add(THAW_M_CONTROL_REQUESTS, 1);
	rc = begin(session, line, len, &err);
	if (rc)
		thaw_reply_error(session, rc, err.text);
}

enum thaw_step thaw_session_step(struct thaw_session *session)
{
	int rc = session->job->op->step(session->job);

	if (rc == THAW_STEP_MORE || rc == THAW_STEP_PARKED)
		return (enum thaw_step)rc;
	finish_job(session, rc);
	return THAW_STEP_DONE;
}
