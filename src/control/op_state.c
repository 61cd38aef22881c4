/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * op_state.c - where files are, one item each; a walk in tree order.
 *
 * The walk is a stack of directories, each with a page of its children, so
 * that it can stop after any item and costs memory for its depth only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "catalog/pin.h"
#include "control/op.h"
#include "control/wire.h"
#include "stage/view.h"

#define PAGE          128
#define NAMES_MAX     (16 * 1024 * 1024)
#define PATH_TEXT_MAX (1024 * 1024)

struct child {
	struct thaw_node node;
	size_t name, len; /* in names */
};

struct frame {
	uint64_t dir;
	size_t path_len; /* of the directory, in walk->path */
	struct child page[PAGE];
	size_t count, next;
	bool last; /* no page after this one */
	struct thaw_buf names;
	char *after; /* owned: last name of the page before; NULL: the first */
	size_t after_len;
};

enum depth { SELF, CHILDREN, TREE };

struct walk {
	enum depth depth;
	bool begun;
	struct thaw_buf path; /* where the walk is */
	struct frame **frames;
	size_t count, room;
};

static void pop(struct walk *walk)
{
	struct frame *frame = walk->frames[--walk->count];

	thaw_buf_release(&frame->names);
	free(frame->after);
	free(frame);
}

void thaw_op_state_release(struct thaw_job *job)
{
	struct walk *walk = job->state;

	if (!walk)
		return;
	while (walk->count)
		pop(walk);
	free(walk->frames);
	thaw_buf_release(&walk->path);
	free(walk);
}

static int push(struct walk *walk, uint64_t dir)
{
	struct frame *frame;

	if (walk->count == walk->room) {
		size_t room = walk->room ? walk->room * 2 : 16;
		struct frame **frames = reallocarray(walk->frames, room, sizeof(struct frame *));

		if (!frames)
			return -ENOMEM;
		walk->frames = frames;
		walk->room = room;
	}
	frame = calloc(1, sizeof(*frame));
	if (!frame)
		return -ENOMEM;
	frame->dir = dir;
	frame->path_len = walk->path.len;
	thaw_buf_init(&frame->names, NAMES_MAX);
	walk->frames[walk->count++] = frame;
	return 0;
}

/* --- items ---------------------------------------------------------------- */

static const char *type_word(enum thaw_entry_type type)
{
	return type == THAW_TYPE_DIR ? "dir" : type == THAW_TYPE_SYMLINK ? "symlink" : "file";
}

static const char *pin_word(char text[THAW_INSTANT_TEXT], const struct thaw_view *view)
{
	if (!view->pinned)
		return "none";
	if (view->pin_expires == THAW_PIN_FOREVER)
		return "forever";
	return thaw_format_instant(text, view->pin_expires);
}

static json_t *item_at(const struct walk *walk)
{
	json_t *item = json_object();

	if (item && thaw_wire_set(item, "path", walk->path.data, walk->path.len)) {
		json_decref(item);
		return NULL;
	}
	return item;
}

static void report_error(struct thaw_job *job, int rc, const char *text)
{
	json_t *item = item_at(job->state);

	if (item)
		(void)json_object_set_new(item, "error", thaw_reply_error_object(rc, text));
	job->targets.failed++;
	thaw_reply_item(job->session, item);
}

static void report(struct thaw_job *job, const struct thaw_node *node)
{
	struct thaw_view view;
	char pin[THAW_INSTANT_TEXT];
	json_t *item, *fields;
	int rc = thaw_stage_view(job->session->stage, node, &view);

	if (rc) {
		report_error(job, rc, "");
		return;
	}
	item = item_at(job->state);
	fields = json_pack("{s:s, s:s, s:I, s:I, s:s, s:I, s:I}", "type", type_word(node->type),
			   "state", thaw_state_name(view.state), "size", (json_int_t)view.size,
			   "cached_bytes", (json_int_t)view.cached_bytes, "pin",
			   pin_word(pin, &view), "files", (json_int_t)view.files, "online_files",
			   (json_int_t)view.online_files);
	if (!item || json_object_update(item, fields)) {
		json_decref(item);
		item = NULL;
	}
	json_decref(fields);
	job->targets.done++;
	thaw_reply_item(job->session, item);
}

/* --- the walk ------------------------------------------------------------- */

static int add_child(void *ctx, const char *name, size_t len, const struct thaw_node *node)
{
	struct frame *frame = ctx;
	struct child *child = &frame->page[frame->count];

	if (frame->count == PAGE)
		return 1;
	*child = (struct child){.node = *node, .name = frame->names.len, .len = len};
	if (thaw_buf_add(&frame->names, name, len))
		return frame->names.error;
	frame->count++;
	return 0;
}

static int remember_last(struct frame *frame)
{
	const struct child *last = &frame->page[frame->count - 1];
	char *copy = strndup(frame->names.data + last->name, last->len);

	if (!copy)
		return -ENOMEM;
	free(frame->after);
	frame->after = copy;
	frame->after_len = last->len;
	return 0;
}

/* The next page.  -EINPROGRESS: parked. */
static int fetch(struct thaw_session *session, struct frame *frame, struct thaw_err *err)
{
	int rc;

	do {
		frame->count = frame->next = 0;
		thaw_buf_clear(&frame->names);
		rc = thaw_stage_children(session->stage, frame->dir, frame->after, frame->after_len,
					 PAGE, add_child, frame);
		if (rc != -EINPROGRESS) {
			thaw_session_found(session);
			break;
		}
		rc = thaw_session_want_dir(session, frame->dir, err);
	} while (!rc);
	if (rc < 0)
		return rc;
	frame->last = frame->count < PAGE;
	return frame->count ? remember_last(frame) : 0;
}

static int set_path(struct walk *walk, size_t dir_len, const char *name, size_t len)
{
	walk->path.len = dir_len;
	if (dir_len != 1 || walk->path.data[0] != '/') /* the root has its slash already */
		(void)thaw_buf_add(&walk->path, "/", 1);
	return thaw_buf_add(&walk->path, name, len);
}

/* Into a directory, if the peer may list it. */
static int enter(struct thaw_job *job, const struct thaw_node *node)
{
	if (!thaw_peer_may(&job->session->peer, node, THAW_MAY_READ | THAW_MAY_SEARCH)) {
		report_error(job, -EACCES, "");
		return 0;
	}
	return push(job->state, node->id);
}

static int visit(struct thaw_job *job, const struct thaw_node *node)
{
	const struct walk *walk = job->state;
	bool into = node->type == THAW_TYPE_DIR &&
		    (walk->depth == TREE || (walk->depth == CHILDREN && !walk->count));

	report(job, node);
	return into ? enter(job, node) : 0;
}

static int next_child(struct thaw_job *job, struct frame *frame)
{
	struct walk *walk = job->state;
	const struct child *child = &frame->page[frame->next++];
	int rc = set_path(walk, frame->path_len, frame->names.data + child->name, child->len);

	return rc ? rc : visit(job, &child->node);
}

static int next_page(struct thaw_job *job, struct frame *frame)
{
	struct walk *walk = job->state;
	int rc = frame->last ? 0 : fetch(job->session, frame, &job->err);

	if (rc == -EINPROGRESS)
		return THAW_STEP_PARKED;
	if (rc) {
		walk->path.len = frame->path_len;
		report_error(job, rc, job->err.text);
		job->err.text[0] = '\0';
	}
	if (rc || !frame->count || frame->next == frame->count)
		pop(walk);
	return THAW_STEP_MORE;
}

/* "/a//b/" -> "/a/b": what paths of items begin with. */
static int normalise(const char *path, size_t len, struct thaw_buf *out)
{
	for (size_t at = 0; at < len;) {
		const char *slash = memchr(path + at, '/', len - at);
		size_t part = slash ? (size_t)(slash - path) - at : len - at;

		if (part && !(part == 1 && path[at] == '.')) {
			(void)thaw_buf_add(out, "/", 1);
			(void)thaw_buf_add(out, path + at, part);
		}
		at += part + 1;
	}
	return out->len ? out->error : thaw_buf_add(out, "/", 1);
}

static int begin(struct thaw_job *job)
{
	struct walk *walk = job->state;
	struct thaw_node node;
	int rc = thaw_session_resolve(job->session, walk->path.data, walk->path.len, 0, &node,
				      &job->err);

	if (rc == -EINPROGRESS)
		return THAW_STEP_PARKED;
	if (!rc)
		rc = visit(job, &node);
	walk->begun = true;
	return rc ? rc : THAW_STEP_MORE;
}

int thaw_op_state_step(struct thaw_job *job)
{
	struct walk *walk = job->state;
	struct frame *top;
	int rc;

	if (!walk->begun)
		return begin(job);
	if (!walk->count)
		return thaw_targets_reply(job);
	top = walk->frames[walk->count - 1];
	if (top->next == top->count)
		return next_page(job, top);
	rc = next_child(job, top);
	return rc ? rc : THAW_STEP_MORE;
}

static int read_depth(struct thaw_job *job, enum depth *ret)
{
	const char *word = "self";
	int rc = thaw_param_text(job, "depth", &word);

	if (rc)
		return rc;
	if (strcmp(word, "self") == 0)
		*ret = SELF;
	else if (strcmp(word, "children") == 0)
		*ret = CHILDREN;
	else if (strcmp(word, "tree") == 0)
		*ret = TREE;
	else
		return thaw_err_set(&job->err, -EINVAL, "\"depth\" must be self, children or tree");
	return 0;
}

int thaw_op_state_start(struct thaw_job *job)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	_cleanup_free_ char *path = NULL;
	size_t len = 0;
	int rc;

	if (!walk)
		return -ENOMEM;
	thaw_buf_init(&walk->path, PATH_TEXT_MAX);
	job->state = walk;
	rc = read_depth(job, &walk->depth);
	if (!rc)
		rc = thaw_wire_get(job->req, "path", &path, &len);
	if (rc == -ENOENT || (rc == -EINVAL && !job->err.text[0]))
		return thaw_err_set(&job->err, -EINVAL, "\"path\" is missing or no path");
	if (!rc)
		rc = normalise(path, len, &walk->path);
	return rc ? rc : THAW_STEP_MORE;
}
