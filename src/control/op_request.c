/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * op_request.c - requests, request, cancel.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/control_proto.h>

#include "base/buf.h"
#include "control/op.h"
#include "control/wire.h"
#include "stage/admin.h"
#include "stage/view.h"

#define LIST_DEFAULT  100
#define LIST_MAX      100000
#define PATH_TEXT_MAX (64 * 1024)

static const char *const state_words[THAW_FILE_STATES] = {
	[THAW_FILE_SUBMITTED] = "SUBMITTED", [THAW_FILE_STARTED] = "STARTED",
	[THAW_FILE_COMPLETED] = "COMPLETED", [THAW_FILE_FAILED] = "FAILED",
	[THAW_FILE_CANCELLED] = "CANCELLED",
};

static json_t *counts_of(const struct thaw_request *r)
{
	json_t *counts = json_object();

	for (size_t i = 0; counts && i < THAW_FILE_STATES; i++)
		(void)json_object_set_new(counts, state_words[i],
					  json_integer((json_int_t)r->files[i]));
	return counts;
}

/* Times in milliseconds, as the WLCG Tape REST API has them. */
static json_t *summary_of(const struct thaw_request *r)
{
	json_t *summary = json_pack("{s:s, s:I}", "requestId", r->id, "createdAt",
				    (json_int_t)r->created * 1000);

	if (!summary)
		return NULL;
	if (r->expanded) /* work began when its files were found, right after */
		(void)json_object_set_new(summary, "startedAt", json_integer(r->created * 1000));
	if (r->finished)
		(void)json_object_set_new(summary, "completedAt", json_integer(r->finished * 1000));
	(void)json_object_set_new(summary, "owner", json_integer(r->owner));
	(void)json_object_set_new(summary, "expanded", json_boolean(r->expanded));
	(void)json_object_set_new(summary, "cancelled", json_boolean(r->cancelled));
	(void)json_object_set_new(summary, "bytes", json_integer((json_int_t)r->bytes));
	(void)json_object_set_new(summary, "done_bytes", json_integer((json_int_t)r->done_bytes));
	if (json_object_set_new(summary, "counts", counts_of(r))) {
		json_decref(summary);
		return NULL;
	}
	return summary;
}

struct listing {
	struct thaw_session *session;
	uint64_t left;
};

static int list_one(void *ctx, const struct thaw_request *r)
{
	struct listing *listing = ctx;

	if (!listing->left)
		return 1;
	if (!thaw_peer_owns(&listing->session->peer, r->owner))
		return 0;
	thaw_reply_item(listing->session, summary_of(r));
	listing->left--;
	return 0;
}

int thaw_op_requests_start(struct thaw_job *job)
{
	struct listing listing = {.session = job->session, .left = LIST_DEFAULT};
	int rc = thaw_param_u64(job, "limit", &listing.left);

	if (rc)
		return rc;
	if (listing.left > LIST_MAX)
		listing.left = LIST_MAX;
	/* the engine's limit counts those of others too */
	rc = thaw_stage_requests(job->session->stage, LIST_MAX, list_one, &listing);
	if (rc < 0)
		return rc;
	thaw_reply_ok(job->session, json_object());
	return THAW_STEP_DONE;
}

/* The request named by "id", if the peer may look into it. */
static int find(struct thaw_job *job, struct thaw_request *ret)
{
	const char *id = "";
	int rc = thaw_param_need_text(job, "id", &id);

	if (rc)
		return rc;
	rc = strlen(id) < THAW_REQUEST_ID_TEXT
		     ? thaw_stage_request_get(job->session->stage, id, ret)
		     : -ENOENT;
	if (rc == -ENOENT)
		return thaw_err_set(&job->err, rc, "no such request");
	if (!rc && !thaw_peer_owns(&job->session->peer, ret->owner))
		return thaw_err_set(&job->err, -EPERM, "it is another user's request");
	return rc;
}

int thaw_op_cancel_start(struct thaw_job *job)
{
	struct thaw_request request;
	int rc = find(job, &request);

	if (!rc)
		rc = thaw_stage_request_cancel(job->session->stage, request.id);
	if (rc)
		return rc;
	thaw_reply_ok(job->session, json_pack("{s:s}", "requestId", request.id));
	return THAW_STEP_DONE;
}

/* A page of files, fetched first: naming a path while the engine's cursor is
 * open would take two of its connections. */
struct page {
	struct thaw_request request;
	struct thaw_request_file *files;
	size_t count, room, next;
};

void thaw_op_request_release(struct thaw_job *job)
{
	struct page *page = job->state;

	if (page)
		free(page->files);
	free(page);
}

static int take_file(void *ctx, const struct thaw_request_file *f)
{
	struct page *page = ctx;

	if (page->count == page->room)
		return 1;
	page->files[page->count++] = *f;
	return 0;
}

static int load_page(struct thaw_job *job, uint64_t after, uint64_t limit)
{
	struct page *page = job->state;
	int rc;

	page->room = limit && limit < THAW_CONTROL_FILES_MAX ? limit : THAW_CONTROL_FILES_MAX;
	page->files = calloc(page->room, sizeof(*page->files));
	if (!page->files)
		return -ENOMEM;
	rc = thaw_stage_request_files(job->session->stage, page->request.id, after, page->room,
				      take_file, page);
	return rc < 0 ? rc : 0;
}

int thaw_op_request_start(struct thaw_job *job)
{
	struct page *page = calloc(1, sizeof(*page));
	bool files = true;
	uint64_t after = 0, limit = 0;
	int rc;

	if (!page)
		return -ENOMEM;
	job->state = page;
	rc = find(job, &page->request);
	if (!rc)
		rc = thaw_param_bool(job, "files", &files);
	if (!rc)
		rc = thaw_param_u64(job, "after", &after);
	if (!rc)
		rc = thaw_param_u64(job, "limit", &limit);
	if (!rc && files)
		rc = load_page(job, after, limit);
	return rc ? rc : THAW_STEP_MORE;
}

/* What went wrong with a file: its own last error, or the code in words. */
static void add_error(struct thaw_session *session, const struct thaw_request_file *f, json_t *item)
{
	const char *usual = strerrordesc_np(f->error < 0 ? -f->error : f->error);
	struct thaw_buf text;

	thaw_buf_init(&text, PATH_TEXT_MAX);
	if (thaw_stage_xattr_get(session->stage, f->node, "error", &text) || !text.len) {
		thaw_buf_clear(&text);
		(void)thaw_buf_adds(&text, usual ? usual : "failed");
	}
	(void)thaw_wire_set(item, "error", text.data, text.len);
	(void)json_object_set_new(item, "code", json_string(thaw_err_name(f->error)));
	thaw_buf_release(&text);
}

/* What a file that is not there yet waits for, as the word for its state. */
static void add_waits(struct thaw_session *session, const struct thaw_request_file *f, json_t *item)
{
	struct thaw_node node;
	struct thaw_view view;

	if (thaw_stage_node(session->stage, f->node, &node) == 0 &&
	    thaw_stage_view(session->stage, &node, &view) == 0)
		(void)json_object_set_new(item, "waits", json_string(thaw_state_name(view.state)));
}

/* A tree that was asked for may hold places where the peer cannot look: such
 * files are counted but not named. */
static void add_path(struct thaw_session *session, const struct thaw_request_file *f, json_t *item)
{
	struct thaw_buf path;

	thaw_buf_init(&path, PATH_TEXT_MAX);
	if (thaw_stage_path(session->stage, f->node, &path) == 0 &&
	    thaw_session_reaches(session, path.data, path.len))
		(void)thaw_wire_set(item, "path", path.data, path.len);
	thaw_buf_release(&path);
}

static json_t *file_item(struct thaw_session *session, const struct thaw_request_file *f)
{
	json_t *item = json_pack("{s:s, s:I, s:I}", "state", state_words[f->state], "size",
				 (json_int_t)f->size, "seq", (json_int_t)f->seq);

	if (!item)
		return NULL;
	add_path(session, f, item);
	if (f->state == THAW_FILE_FAILED)
		add_error(session, f, item);
	if (f->state == THAW_FILE_SUBMITTED || f->state == THAW_FILE_STARTED)
		add_waits(session, f, item);
	return item;
}

int thaw_op_request_step(struct thaw_job *job)
{
	struct page *page = job->state;
	json_t *fields;

	if (page->next < page->count) {
		thaw_reply_item(job->session, file_item(job->session, &page->files[page->next++]));
		return THAW_STEP_MORE;
	}
	fields = summary_of(&page->request);
	if (fields && page->count && page->count == page->room)
		(void)json_object_set_new(
			fields, "next", json_integer((json_int_t)page->files[page->count - 1].seq));
	thaw_reply_ok(job->session, fields);
	return THAW_STEP_DONE;
}
