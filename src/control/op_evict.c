/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * op_evict.c - evict, import, import_progress: for root and the daemon's user.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "control/op.h"
#include "control/wire.h"
#include "stage/admin.h"
#include "stage/stage.h"

struct evict {
	bool force;
	struct thaw_evict_result sum;
};

void thaw_op_evict_release(struct thaw_job *job)
{
	free(job->state);
}

static void add_result(json_t *object, const struct thaw_evict_result *result)
{
	json_t *fields = json_pack(
		"{s:I, s:I, s:I, s:I}", "evicted_files", (json_int_t)result->evicted_files,
		"evicted_bytes", (json_int_t)result->evicted_bytes, "pinned_files",
		(json_int_t)result->pinned_files, "busy_files", (json_int_t)result->busy_files);

	(void)json_object_update(object, fields);
	json_decref(fields);
}

static int evict_one(struct thaw_job *job, const struct thaw_node *node, json_t *item)
{
	struct evict *evict = job->state;
	struct thaw_evict_result result = {0};
	int rc = thaw_stage_evict(job->session->stage, node->id, evict->force, &result);

	if (rc)
		return rc;
	evict->sum.evicted_files += result.evicted_files;
	evict->sum.evicted_bytes += result.evicted_bytes;
	evict->sum.pinned_files += result.pinned_files;
	evict->sum.busy_files += result.busy_files;
	add_result(item, &result);
	return 1;
}

static int finish_evict(struct thaw_job *job)
{
	const struct evict *evict = job->state;
	json_t *fields = json_pack("{s:I, s:I}", "done", (json_int_t)job->targets.done, "failed",
				   (json_int_t)job->targets.failed);

	if (fields)
		add_result(fields, &evict->sum);
	thaw_reply_ok(job->session, fields);
	return THAW_STEP_DONE;
}

int thaw_op_evict_start(struct thaw_job *job)
{
	struct evict *evict = calloc(1, sizeof(*evict));
	int rc;

	if (!evict)
		return -ENOMEM;
	job->state = evict;
	rc = thaw_param_bool(job, "force", &evict->force);
	return rc ? rc : thaw_targets_start(job, 0, evict_one, finish_evict);
}

static int import_one(struct thaw_job *job, const struct thaw_node *node, json_t *item)
{
	bool allow_empty = json_is_true(json_object_get(job->req, "allow_empty"));
	uint64_t ticket;
	int rc = thaw_stage_import(job->session->stage, node->id, allow_empty, &ticket);

	if (rc)
		return rc;
	(void)json_object_set_new(item, "ticket", json_integer((json_int_t)ticket));
	return 1;
}

static const struct thaw_conf_collection *collection_named(const struct thaw_conf *conf,
							   const char *name)
{
	for (size_t i = 0; i < conf->collection_count; i++) {
		if (strcmp(conf->collections[i].name, name) == 0)
			return &conf->collections[i];
	}
	return NULL;
}

/* A collection is taken as the path where it stands. */
static int add_collections(struct thaw_job *job, json_t *paths)
{
	const struct thaw_conf *conf = thaw_stage_conf(job->session->stage);
	const json_t *names = json_object_get(job->req, "collections"), *name;
	const struct thaw_conf_collection *found;
	size_t i;

	if (names && !json_is_array(names))
		return thaw_err_set(&job->err, -EINVAL,
				    "\"collections\" must be an array of names");
	json_array_foreach(names, i, name)
	{
		found = json_is_string(name) ? collection_named(conf, json_string_value(name))
					     : NULL;
		if (!found)
			return thaw_err_set(&job->err, -ENOENT, "no collection is called \"%s\"",
					    json_is_string(name) ? json_string_value(name) : "?");
		if (json_array_append_new(paths, thaw_wire_path(found->path, strlen(found->path))))
			return -ENOMEM;
	}
	return 0;
}

/* Neither paths nor collections: all there is. */
int thaw_op_import_start(struct thaw_job *job)
{
	json_t *paths = json_object_get(job->req, "paths");
	bool allow_empty = false; /* import_one reads it from the request */
	int rc = thaw_param_bool(job, "allow_empty", &allow_empty);

	if (rc)
		return rc;
	if (!paths) {
		paths = json_array();
		if (json_object_set_new(job->req, "paths", paths))
			return -ENOMEM;
	}
	if (!json_is_array(paths))
		return thaw_err_set(&job->err, -EINVAL, "\"paths\" must be an array of paths");
	rc = add_collections(job, paths);
	if (!rc && !json_array_size(paths) && json_array_append_new(paths, json_string("/")))
		rc = -ENOMEM;
	return rc ? rc : thaw_targets_start(job, 0, import_one, thaw_targets_reply);
}

static json_t *progress_fields(const struct thaw_import_progress *p)
{
	json_t *fields = json_pack(
		"{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "running",
		p->running ? 1 : 0, "directories", (json_int_t)p->dirs, "entries",
		(json_int_t)p->entries, "directories_waiting", (json_int_t)p->dirs_waiting, "added",
		(json_int_t)p->added, "changed", (json_int_t)p->changed, "lost",
		(json_int_t)p->lost, "found", (json_int_t)p->found, "errors", (json_int_t)p->errors,
		"started", (json_int_t)p->started, "finished", (json_int_t)p->finished);

	if (fields && p->error)
		(void)json_object_set_new(fields, "code", json_string(thaw_err_name(p->error)));
	if (fields && p->message[0])
		(void)thaw_wire_set(fields, "message", p->message, strlen(p->message));
	return fields;
}

int thaw_op_import_progress_start(struct thaw_job *job)
{
	struct thaw_import_progress progress;
	uint64_t ticket = 0;
	int rc;

	if (!json_object_get(job->req, "ticket"))
		return thaw_err_set(&job->err, -EINVAL, "\"ticket\" is missing");
	rc = thaw_param_u64(job, "ticket", &ticket);
	if (!rc)
		rc = thaw_stage_import_progress(job->session->stage, ticket, &progress);
	if (rc)
		return rc;
	thaw_reply_ok(job->session, progress_fields(&progress));
	return THAW_STEP_DONE;
}
