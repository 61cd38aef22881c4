/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "control/op.h"
#include "control/wire.h"

int thaw_targets_start(struct thaw_job *job, unsigned need,
		       int (*each)(struct thaw_job *, const struct thaw_node *, json_t *),
		       int (*finish)(struct thaw_job *))
{
	const json_t *paths = json_object_get(job->req, "paths");

	if (!json_is_array(paths) || !json_array_size(paths))
		return thaw_err_set(&job->err, -EINVAL, "\"paths\" must be an array of paths");
	job->targets = (struct thaw_targets){.need = need, .each = each, .finish = finish};
	return THAW_STEP_MORE;
}

static json_t *make_item(size_t index, const char *path, size_t len)
{
	json_t *item = json_pack("{s:I}", "index", (json_int_t)index);

	if (item && path && thaw_wire_set(item, "path", path, len)) {
		json_decref(item);
		return NULL;
	}
	return item;
}

static void note_error(struct thaw_job *job, json_t *item, int rc)
{
	struct thaw_targets *targets = &job->targets;

	targets->failed++;
	if (!targets->first_error) {
		targets->first_error = rc;
		targets->first_text = job->err;
	}
	(void)json_object_set_new(item, "error", thaw_reply_error_object(rc, job->err.text));
}

/* -EINPROGRESS: parked, the same path again later. */
static int visit(struct thaw_job *job, const char *path, size_t len, json_t *item)
{
	struct thaw_node node;
	int rc = thaw_session_resolve(job->session, path, len, job->targets.need, &node, &job->err);

	return rc ? rc : job->targets.each(job, &node, item);
}

static int one_path(struct thaw_job *job, const json_t *element)
{
	_cleanup_free_ char *path = NULL;
	json_t *item;
	size_t len = 0;
	int rc = thaw_wire_path_get(element, &path, &len);

	item = make_item(job->targets.next, path, len);
	if (!item)
		return -ENOMEM;
	job->err.text[0] = '\0';
	if (!rc)
		rc = visit(job, path, len, item);
	if (rc == -EINPROGRESS) {
		json_decref(item);
		return THAW_STEP_PARKED;
	}
	job->targets.next++;
	if (rc < 0)
		note_error(job, item, rc);
	else
		job->targets.done++;
	if (rc)
		thaw_reply_item(job->session, item);
	else
		json_decref(item);
	return THAW_STEP_MORE;
}

int thaw_targets_step(struct thaw_job *job)
{
	const json_t *paths = json_object_get(job->req, "paths");

	if (job->targets.next < json_array_size(paths))
		return one_path(job, json_array_get(paths, job->targets.next));
	return job->targets.finish(job);
}

int thaw_targets_reply(struct thaw_job *job)
{
	thaw_reply_ok(job->session, json_pack("{s:I, s:I}", "done", (json_int_t)job->targets.done,
					      "failed", (json_int_t)job->targets.failed));
	return THAW_STEP_DONE;
}
