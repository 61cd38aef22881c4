/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stub_stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

/* --- building ------------------------------------------------------------- */

struct thaw_stage *stub_new(void)
{
	struct thaw_stage *stage = calloc(1, sizeof(*stage));

	pthread_mutex_init(&stage->lock, NULL);
	stage->conf.allow_other = true;
	stage->conf.mountpoint = strdup("/mnt/stub");
	stage->import_looks = 2;
	stage->status = (struct thaw_status){.size = 1000, .used = 600, .started = 1700000000};
	stub_add(stage, 0, "", THAW_TYPE_DIR, 0755, 0, 0, 0);
	return stage;
}

struct thaw_stage *stub_free(struct thaw_stage *stage)
{
	for (size_t i = 0; i < STUB_REQUESTS; i++)
		free(stage->requests[i].files);
	free(stage->conf.mountpoint);
	pthread_mutex_destroy(&stage->lock);
	free(stage);
	return NULL;
}

struct stub_node *stub_at(struct thaw_stage *stage, uint64_t id)
{
	return &stage->nodes[id - 1];
}

uint64_t stub_add(struct thaw_stage *stage, uint64_t parent, const char *name,
		  enum thaw_entry_type type, uint32_t mode, uint32_t uid, uint32_t gid,
		  uint64_t size)
{
	struct stub_node *at = &stage->nodes[stage->count++];

	at->node = (struct thaw_node){.id = stage->count,
				      .parent = parent,
				      .type = type,
				      .mode = mode,
				      .uid = uid,
				      .gid = gid,
				      .size = size,
				      .listed = THAW_LISTED};
	at->name_len = strlen(name);
	memcpy(at->name, name, at->name_len);
	at->state = THAW_STATE_OFFLINE;
	return stage->count;
}

bool stub_listed(struct thaw_stage *stage, int status)
{
	struct thaw_wait *wait;

	pthread_mutex_lock(&stage->lock);
	wait = stage->waiting;
	stage->waiting = NULL;
	if (wait && !status)
		stub_at(stage, stage->waiting_dir)->node.listed = THAW_LISTED;
	pthread_mutex_unlock(&stage->lock);
	if (wait)
		wait->done(wait, status);
	return wait;
}

bool stub_is_waited_for(struct thaw_stage *stage)
{
	bool answer;

	pthread_mutex_lock(&stage->lock);
	answer = stage->waiting;
	pthread_mutex_unlock(&stage->lock);
	return answer;
}

/* --- stage.h, names.h, open.h --------------------------------------------- */

uint64_t thaw_stage_root(const struct thaw_stage *stage)
{
	(void)stage;
	return 1;
}

const struct thaw_conf *thaw_stage_conf(const struct thaw_stage *stage)
{
	return &stage->conf;
}

int thaw_stage_node(struct thaw_stage *stage, uint64_t id, struct thaw_node *ret)
{
	if (!id || id > stage->count)
		return -ENOENT;
	*ret = stub_at(stage, id)->node;
	return 0;
}

static int find_child(struct thaw_stage *stage, uint64_t dir, const char *name, size_t len,
		      struct thaw_node *ret)
{
	for (size_t i = 1; i < stage->count; i++) {
		const struct stub_node *at = &stage->nodes[i];

		if (at->node.parent == dir && at->name_len == len && !memcmp(at->name, name, len)) {
			*ret = at->node;
			return 0;
		}
	}
	return -ENOENT;
}

int thaw_stage_resolve(struct thaw_stage *stage, const char *path, size_t len,
		       int (*visit)(void *ctx, const struct thaw_node *node, bool last), void *ctx,
		       struct thaw_node *ret)
{
	struct thaw_node node = stub_at(stage, 1)->node;
	size_t at = 0, part;
	int rc;

	for (;;) {
		while (at < len && (path[at] == '/' ||
				    (path[at] == '.' && (at + 1 == len || path[at + 1] == '/'))))
			at++;
		if (visit && (rc = visit(ctx, &node, at == len)))
			return rc;
		if (at == len)
			break;
		for (part = 0; at + part < len && path[at + part] != '/'; part++)
			;
		if (node.type != THAW_TYPE_DIR)
			return -ENOTDIR;
		pthread_mutex_lock(&stage->lock);
		rc = stub_at(stage, node.id)->node.listed ? 0 : -EINPROGRESS;
		pthread_mutex_unlock(&stage->lock);
		if (!rc)
			rc = find_child(stage, node.id, path + at, part, &node);
		if (rc)
			return rc;
		at += part;
	}
	*ret = node;
	return 0;
}

int thaw_stage_lookup(struct thaw_stage *stage, uint64_t dir, const char *name, size_t len,
		      struct thaw_node *ret)
{
	int rc = find_child(stage, dir, name, len, ret);

	return rc && !stub_at(stage, dir)->node.listed ? -EINPROGRESS : rc;
}

int thaw_stage_children(struct thaw_stage *stage, uint64_t dir, const char *after, size_t after_len,
			size_t limit, thaw_child_fn *fn, void *ctx)
{
	bool begun = !after_len;
	int rc;

	if (!stub_at(stage, dir)->node.listed)
		return -EINPROGRESS;
	for (size_t i = 1; i < stage->count && limit; i++) {
		const struct stub_node *at = &stage->nodes[i];

		if (at->node.parent != dir)
			continue;
		if (!begun) {
			begun = at->name_len == after_len && !memcmp(at->name, after, after_len);
			continue;
		}
		rc = fn(ctx, at->name, at->name_len, &at->node);
		if (rc)
			return rc;
		limit--;
	}
	return 0;
}

int thaw_stage_path(struct thaw_stage *stage, uint64_t id, struct thaw_buf *buf)
{
	if (id == 1)
		return buf->len ? 0 : thaw_buf_adds(buf, "/");
	if (stub_at(stage, id)->node.parent != 1)
		(void)thaw_stage_path(stage, stub_at(stage, id)->node.parent, buf);
	(void)thaw_buf_adds(buf, "/");
	return thaw_buf_add(buf, stub_at(stage, id)->name, stub_at(stage, id)->name_len);
}

int thaw_stage_want_dir(struct thaw_stage *stage, uint64_t dir, struct thaw_wait *wait)
{
	int rc = -EINPROGRESS;

	pthread_mutex_lock(&stage->lock);
	if (stage->list_at_once) {
		stub_at(stage, dir)->node.listed = THAW_LISTED;
		rc = 0;
	} else {
		stage->waiting = wait;
		stage->waiting_dir = dir;
	}
	pthread_mutex_unlock(&stage->lock);
	return rc;
}

bool thaw_stage_cancel(struct thaw_stage *stage, struct thaw_wait *wait)
{
	bool ours;

	pthread_mutex_lock(&stage->lock);
	ours = stage->waiting == wait;
	if (ours)
		stage->waiting = NULL;
	pthread_mutex_unlock(&stage->lock);
	atomic_fetch_add(&stage->cancelled_waits, 1);
	return ours;
}

/* --- view.h --------------------------------------------------------------- */

const char *thaw_state_name(enum thaw_state state)
{
	static const char *const names[] = {"online",   "offline", "queued", "recalling",
					    "fetching", "partial", "failed", "lost"};

	return names[state];
}

static bool is_below(struct thaw_stage *stage, uint64_t id, uint64_t top)
{
	while (id && id != top)
		id = stub_at(stage, id)->node.parent;
	return id == top;
}

static void add_to_view(const struct stub_node *at, struct thaw_view *view)
{
	view->files++;
	view->size += at->node.size;
	if (at->state == THAW_STATE_ONLINE) {
		view->online_files++;
		view->cached_bytes += at->node.size;
	}
}

static void view_tree(struct thaw_stage *stage, uint64_t top, struct thaw_view *view)
{
	for (size_t i = 0; i < stage->count; i++) {
		const struct stub_node *at = &stage->nodes[i];

		if (at->node.type == THAW_TYPE_FILE && is_below(stage, at->node.id, top))
			add_to_view(at, view);
	}
}

int thaw_stage_view(struct thaw_stage *stage, const struct thaw_node *node, struct thaw_view *ret)
{
	struct thaw_view view = {.state = stub_at(stage, node->id)->state};

	if (node->type == THAW_TYPE_FILE)
		add_to_view(stub_at(stage, node->id), &view);
	else
		view_tree(stage, node->id, &view);
	if (node->type == THAW_TYPE_DIR)
		view.state = view.online_files == view.files ? THAW_STATE_ONLINE
			     : view.online_files             ? THAW_STATE_PARTIAL
							     : THAW_STATE_OFFLINE;
	for (size_t i = 0; i < stage->pin_count; i++) {
		if (is_below(stage, node->id, stage->pins[i].node)) {
			view.pinned = true;
			view.pin_expires = stage->pins[i].expires;
		}
	}
	*ret = view;
	return 0;
}

int thaw_stage_xattr_get(struct thaw_stage *stage, uint64_t node, const char *name,
			 struct thaw_buf *value)
{
	const char *error = stub_at(stage, node)->error;

	if (strcmp(name, "error") != 0 || !error)
		return -ENODATA;
	return thaw_buf_adds(value, error);
}

/* --- admin.h: requests ---------------------------------------------------- */

static void add_files(struct thaw_stage *stage, struct stub_request *request, uint64_t top)
{
	for (size_t i = 0; i < stage->count; i++) {
		const struct thaw_node *node = &stage->nodes[i].node;
		struct thaw_request_file *file;

		if (node->type != THAW_TYPE_FILE || !is_below(stage, node->id, top))
			continue;
		file = &request->files[request->count++];
		*file = (struct thaw_request_file){
			.seq = request->count, .node = node->id, .size = node->size};
		request->request.bytes += node->size;
		request->request.files[THAW_FILE_SUBMITTED]++;
	}
}

int thaw_stage_request(struct thaw_stage *stage, uint32_t uid, const uint64_t *nodes, size_t n,
		       char ret_id[THAW_REQUEST_ID_TEXT], struct thaw_err *err)
{
	struct stub_request *request;

	(void)err;
	pthread_mutex_lock(&stage->lock);
	request = &stage->requests[stage->request_count++ % STUB_REQUESTS];
	free(request->files);
	*request = (struct stub_request){.files = calloc(STUB_NODES, sizeof(*request->files))};
	snprintf(request->request.id, sizeof(request->request.id), "00000000-0000-4000-8000-%012zu",
		 stage->request_count);
	request->request.owner = uid;
	request->request.created = 1700000000;
	request->request.expanded = true;
	for (size_t i = 0; i < n && request->count < STUB_NODES / 2; i++)
		add_files(stage, request, nodes[i]);
	memcpy(ret_id, request->request.id, THAW_REQUEST_ID_TEXT);
	pthread_mutex_unlock(&stage->lock);
	return 0;
}

static struct stub_request *find_request(struct thaw_stage *stage, const char *id)
{
	for (size_t i = 0; i < stage->request_count && i < STUB_REQUESTS; i++) {
		if (strcmp(stage->requests[i].request.id, id) == 0)
			return &stage->requests[i];
	}
	return NULL;
}

static void end_file(struct thaw_stage *stage, struct stub_request *r,
		     struct thaw_request_file *file, enum thaw_file_state state)
{
	r->request.files[file->state]--;
	r->request.files[state]++;
	file->state = state;
	if (state == THAW_FILE_COMPLETED) {
		r->request.done_bytes += file->size;
		stub_at(stage, file->node)->state = THAW_STATE_ONLINE;
	}
	if (state == THAW_FILE_FAILED)
		file->error = -EIO;
	if (!r->request.files[THAW_FILE_SUBMITTED] && !r->request.files[THAW_FILE_STARTED])
		r->request.finished = 1700000060;
}

static void step(struct thaw_stage *stage, struct stub_request *r)
{
	unsigned left = stage->step_files;

	for (size_t i = 0; i < r->count && left; i++) {
		bool fails = stage->fail_every && (i + 1) % stage->fail_every == 0;

		if (r->files[i].state > THAW_FILE_STARTED)
			continue;
		end_file(stage, r, &r->files[i], fails ? THAW_FILE_FAILED : THAW_FILE_COMPLETED);
		left--;
	}
}

int thaw_stage_request_get(struct thaw_stage *stage, const char *id, struct thaw_request *ret)
{
	struct stub_request *request;

	atomic_fetch_add(&stage->request_looks, 1);
	pthread_mutex_lock(&stage->lock);
	request = find_request(stage, id);
	if (request) {
		step(stage, request);
		*ret = request->request;
	}
	pthread_mutex_unlock(&stage->lock);
	return request ? 0 : -ENOENT;
}

int thaw_stage_request_cancel(struct thaw_stage *stage, const char *id)
{
	struct stub_request *request;

	pthread_mutex_lock(&stage->lock);
	request = find_request(stage, id);
	for (size_t i = 0; request && i < request->count; i++) {
		if (request->files[i].state <= THAW_FILE_STARTED)
			end_file(stage, request, &request->files[i], THAW_FILE_CANCELLED);
	}
	if (request)
		request->request.cancelled = true;
	pthread_mutex_unlock(&stage->lock);
	return request ? 0 : -ENOENT;
}

int thaw_stage_requests(struct thaw_stage *stage, size_t limit,
			int (*fn)(void *ctx, const struct thaw_request *r), void *ctx)
{
	int rc = 0;

	for (size_t i = stage->request_count; i-- && limit-- && !rc;)
		rc = fn(ctx, &stage->requests[i % STUB_REQUESTS].request);
	return rc;
}

int thaw_stage_request_files(struct thaw_stage *stage, const char *id, uint64_t after_seq,
			     size_t limit, int (*fn)(void *ctx, const struct thaw_request_file *f),
			     void *ctx)
{
	struct stub_request *request = find_request(stage, id);
	int rc = 0;

	if (!request)
		return -ENOENT;
	for (size_t i = after_seq; i < request->count && limit-- && !rc; i++)
		rc = fn(ctx, &request->files[i]);
	return rc;
}

/* --- admin.h: the rest ---------------------------------------------------- */

int thaw_stage_pin(struct thaw_stage *stage, uint64_t node, uint32_t uid, int64_t expires,
		   const char *label, char ret_request[THAW_REQUEST_ID_TEXT], struct thaw_err *err)
{
	struct thaw_pin *pin = stage->pins;

	if (stage->pins_do_not_fit)
		return thaw_err_set(err, -ENOSPC, "the pins would need 3T of a cache of 2T");
	while (pin < stage->pins + stage->pin_count && pin->node != node)
		pin++;
	if (pin == stage->pins + stage->pin_count)
		stage->pin_count++;
	*pin = (struct thaw_pin){
		.node = node, .owner = uid, .created = 1700000000, .expires = expires};
	snprintf(pin->label, sizeof(pin->label), "%s", label);
	return thaw_stage_request(stage, uid, &node, 1, ret_request, err);
}

int thaw_stage_unpin(struct thaw_stage *stage, uint64_t node)
{
	for (size_t i = 0; i < stage->pin_count; i++) {
		if (stage->pins[i].node == node) {
			stage->pins[i] = stage->pins[--stage->pin_count];
			return 0;
		}
	}
	return -ENODATA;
}

int thaw_stage_pins(struct thaw_stage *stage, int (*fn)(void *ctx, const struct thaw_pin *pin),
		    void *ctx)
{
	int rc = 0;

	for (size_t i = 0; i < stage->pin_count && !rc; i++)
		rc = fn(ctx, &stage->pins[i]);
	return rc;
}

static bool is_pinned(struct thaw_stage *stage, uint64_t node)
{
	for (size_t i = 0; i < stage->pin_count; i++) {
		if (is_below(stage, node, stage->pins[i].node))
			return true;
	}
	return false;
}

int thaw_stage_evict(struct thaw_stage *stage, uint64_t node, bool force,
		     struct thaw_evict_result *ret)
{
	struct thaw_evict_result result = {0};

	stage->last_force = force;
	for (size_t i = 0; i < stage->count; i++) {
		struct stub_node *at = &stage->nodes[i];

		if (at->state != THAW_STATE_ONLINE || at->node.type != THAW_TYPE_FILE ||
		    !is_below(stage, at->node.id, node))
			continue;
		if (!force && is_pinned(stage, at->node.id)) {
			result.pinned_files++;
			continue;
		}
		at->state = THAW_STATE_OFFLINE;
		result.evicted_files++;
		result.evicted_bytes += at->node.size;
	}
	*ret = result;
	return 0;
}

int thaw_stage_import(struct thaw_stage *stage, uint64_t node, bool allow_empty,
		      uint64_t *ret_ticket)
{
	stage->last_import = node;
	stage->last_allow_empty = allow_empty;
	*ret_ticket = 42;
	return 0;
}

int thaw_stage_import_progress(struct thaw_stage *stage, uint64_t ticket,
			       struct thaw_import_progress *ret)
{
	if (ticket != 42)
		return -ENOENT;
	*ret = (struct thaw_import_progress){.running = stage->import_looks,
					     .dirs = 3,
					     .entries = 1000,
					     .added = 990,
					     .changed = 4,
					     .lost = 1,
					     .errors = stage->import_errors,
					     .started = 1700000000};
	if (stage->import_looks)
		stage->import_looks--;
	else
		ret->finished = 1700000002;
	if (stage->import_errors)
		snprintf(ret->message, sizeof(ret->message), "a/b: Permission denied");
	return 0;
}

int thaw_stage_status(struct thaw_stage *stage, struct thaw_status *ret)
{
	int rc;

	pthread_mutex_lock(&stage->lock);
	rc = stage->status_error;
	if (!rc) {
		*ret = stage->status;
		ret->files = stage->count;
	}
	pthread_mutex_unlock(&stage->lock);
	return rc;
}

int thaw_stage_archives(struct thaw_stage *stage,
			int (*fn)(void *ctx, const struct thaw_archive_status *s), void *ctx)
{
	struct thaw_archive_status vault = {.name = "vault", .type = "posix", .reachable = true};
	struct thaw_archive_status tape = {.name = "tape", .type = "s3", .error_at = 1700000000};

	(void)stage;
	snprintf(tape.error, sizeof(tape.error), "connection refused");
	int rc = fn(ctx, &vault);

	return rc ? rc : fn(ctx, &tape);
}
