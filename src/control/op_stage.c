/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * op_stage.c - stage in one request, or in many lines for many paths.  Both
 * gather nodes in the session's batch.
 */
#include <errno.h>
#include <stdlib.h>
#include <thaw/control_proto.h>

#include "control/op.h"
#include "stage/admin.h"

#define FIRST_NODES 64

static void drop_batch(struct thaw_batch *batch)
{
	free(batch->nodes);
	*batch = (struct thaw_batch){0};
}

static int add_node(struct thaw_job *job, const struct thaw_node *node, json_t *item)
{
	struct thaw_batch *batch = &job->session->batch;
	size_t room = batch->room ? batch->room * 2 : FIRST_NODES;
	uint64_t *nodes;

	(void)item;
	if (batch->count == THAW_CONTROL_BATCH_MAX)
		return thaw_err_set(&job->err, -E2BIG, "more than %d paths in one request",
				    THAW_CONTROL_BATCH_MAX);
	if (batch->count == batch->room) {
		nodes = reallocarray(batch->nodes, room, sizeof(*nodes));
		if (!nodes)
			return -ENOMEM;
		batch->nodes = nodes;
		batch->room = room;
	}
	batch->nodes[batch->count++] = node->id;
	return 0;
}

static int submit(struct thaw_job *job)
{
	struct thaw_session *session = job->session;
	struct thaw_batch *batch = &session->batch;
	char id[THAW_REQUEST_ID_TEXT];
	int rc = thaw_stage_request(session->stage, session->peer.uid, batch->nodes, batch->count,
				    id, &job->err);

	if (!rc)
		thaw_reply_ok(session, json_pack("{s:s, s:I}", "requestId", id, "paths",
						 (json_int_t)batch->count));
	drop_batch(batch);
	return rc ? rc : THAW_STEP_DONE;
}

static int finish_one(struct thaw_job *job)
{
	if (job->session->batch.count)
		return submit(job);
	job->err = job->targets.first_text;
	return job->targets.first_error;
}

static int no_batch(struct thaw_job *job)
{
	return thaw_err_set(&job->err, -EINVAL, "no stage_begin before it");
}

static int have_batch(struct thaw_job *job)
{
	return thaw_err_set(&job->err, -EBUSY, "stage_begin without stage_end before it");
}

int thaw_op_stage_start(struct thaw_job *job)
{
	if (job->session->batch.open)
		return have_batch(job);
	drop_batch(&job->session->batch);
	return thaw_targets_start(job, THAW_MAY_READ, add_node, finish_one);
}

int thaw_op_stage_begin_start(struct thaw_job *job)
{
	if (job->session->batch.open)
		return have_batch(job);
	drop_batch(&job->session->batch);
	job->session->batch.open = true;
	thaw_reply_ok(job->session, json_object());
	return THAW_STEP_DONE;
}

int thaw_op_stage_paths_start(struct thaw_job *job)
{
	if (!job->session->batch.open)
		return no_batch(job);
	return thaw_targets_start(job, THAW_MAY_READ, add_node, thaw_targets_reply);
}

int thaw_op_stage_end_start(struct thaw_job *job)
{
	struct thaw_batch *batch = &job->session->batch;

	if (!batch->open)
		return no_batch(job);
	if (batch->count) {
		job->targets.done = batch->count; /* for the log */
		return submit(job);
	}
	drop_batch(batch);
	return thaw_err_set(&job->err, -ENOENT, "none of the paths could be taken");
}
