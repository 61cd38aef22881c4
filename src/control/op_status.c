/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * op_status.c - ping, version, status.
 */
#include <errno.h>
#include <string.h>
#include <thaw/control_proto.h>
#include <unistd.h>

#include "conf/conf.h"
#include "control/op.h"
#include "control/wire.h"
#include "stage/admin.h"
#include "stage/stage.h"

int thaw_op_ping_start(struct thaw_job *job)
{
	const struct thaw_conf *conf = thaw_stage_conf(job->session->stage);
	json_t *fields = json_pack("{s:s, s:i, s:i}", "version", THAW_VERSION, "protocol",
				   THAW_CONTROL_PROTOCOL, "pid", (int)getpid());

	if (fields && conf->mountpoint &&
	    thaw_wire_set(fields, "mountpoint", conf->mountpoint, strlen(conf->mountpoint))) {
		json_decref(fields);
		fields = NULL;
	}
	thaw_reply_ok(job->session, fields);
	return THAW_STEP_DONE;
}

static int add_archive(void *ctx, const struct thaw_archive_status *s)
{
	json_t *archive =
		json_pack("{s:s, s:s, s:b, s:I}", "name", s->name, "type", s->type, "reachable",
			  s->reachable ? 1 : 0, "active", (json_int_t)s->active);

	if (archive && s->error[0]) {
		(void)thaw_wire_set(archive, "error", s->error, strlen(s->error));
		(void)json_object_set_new(archive, "error_at", json_integer(s->error_at));
	}
	return json_array_append_new(ctx, archive) ? -ENOMEM : 0;
}

static json_t *status_fields(const struct thaw_status *s)
{
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{"started", (uint64_t)s->started},
		{"size", s->size},
		{"used", s->used},
		{"resident_bytes", s->resident_bytes},
		{"resident_files", s->resident_files},
		{"reserved_bytes", s->reserved_bytes},
		{"overhead_bytes", s->overhead_bytes},
		{"pinned_bytes", s->pinned_bytes},
		{"files", s->files},
		{"bytes", s->bytes},
		{"flights", s->flights},
		{"flights_waiting_space", s->flights_waiting_space},
		{"waiters", s->waiters},
		{"queue", s->queue},
		{"requests_open", s->requests_open},
		{"hits", s->hits},
		{"misses", s->misses},
		{"streams", s->streams},
		{"staged_files", s->staged_files},
		{"staged_bytes", s->staged_bytes},
		{"evicted_files", s->evicted_files},
		{"evicted_bytes", s->evicted_bytes},
		{"failures", s->failures},
	};
	json_t *fields =
		json_pack("{s:s, s:b}", "version", THAW_VERSION, "importing", s->importing ? 1 : 0);

	for (size_t i = 0; fields && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)json_object_set_new(fields, numbers[i].key,
					  json_integer((json_int_t)numbers[i].value));
	return fields;
}

int thaw_op_status_start(struct thaw_job *job)
{
	struct thaw_stage *stage = job->session->stage;
	struct thaw_status status;
	json_t *fields, *archives;
	int rc = thaw_stage_status(stage, &status);

	if (rc)
		return rc;
	fields = status_fields(&status);
	archives = json_array();
	rc = fields && archives ? thaw_stage_archives(stage, add_archive, archives) : -ENOMEM;
	if (!rc && json_object_set(fields, "archives", archives))
		rc = -ENOMEM;
	json_decref(archives);
	if (rc)
		json_decref(fields);
	else
		thaw_reply_ok(job->session, fields);
	return rc ? rc : THAW_STEP_DONE;
}
