/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * requests.c - bulk requests, fed to the engine a window at a time.
 *
 * One thread.  The rows in the catalog are the queue: it reads the next
 * submitted files, opens them as a reader would (only without haste), and
 * writes down how each ended.  A file's task lives from its open to its
 * update; what was STARTED when the daemon died is SUBMITTED again at start.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "catalog/request.h"
#include "stage/admin.h"
#include "stage/impl.h"

#define WINDOW 256      /* files under way at once */
#define PER_TURN 64     /* of one request, so that all get on */
#define OPEN_REQUESTS 64
#define UPDATES 256
#define RETRY_NS THAW_NS_PER_S /* after the catalog failed */

struct task {
	struct thaw_wait wait;
	struct stage_requests *requests;
	char id[THAW_REQUEST_ID_TEXT];
	uint64_t seq, node;
	unsigned tries;
	int status;
	struct task *next; /* requests: in the list it is in */
};

/* How far a request has been read. */
struct cursor {
	char id[THAW_REQUEST_ID_TEXT];
	uint64_t seq;
};

struct stage_requests {
	struct thaw_stage *stage;
	struct thaw_mutex lock;   /* rank REQUESTS */
	struct thaw_cond work;
	struct task *ended;       /* lock */
	bool kicked, stopping;    /* lock */
	struct task *active[WINDOW]; /* feeder: those under way */
	size_t under_way;         /* feeder */
	struct cursor cursors[OPEN_REQUESTS]; /* feeder */
	size_t cursor_count;
	struct thaw_file_update updates[UPDATES]; /* feeder */
	size_t update_count;
	bool trouble;             /* feeder: the catalog failed in this turn */
	pthread_t feeder;
	bool runs;
};

void stage_requests_kick(struct thaw_stage *stage)
{
	struct stage_requests *rq = stage->requests;

	thaw_mutex_lock(&rq->lock);
	rq->kicked = true;
	thaw_cond_signal(&rq->work);
	thaw_mutex_unlock(&rq->lock);
}

/* ---- writing down ---- */

/* What the catalog did not take is kept for the next time. */
static void flush_updates(struct stage_requests *rq)
{
	static struct thaw_log_limit limit;
	int r;

	if (!rq->update_count)
		return;
	r = thaw_catalog_request_update(rq->stage->catalog, rq->updates, rq->update_count,
					thaw_clock_real_s());
	if (r == 0) {
		rq->update_count = 0;
		return;
	}
	rq->trouble = true;
	thaw_log_limited(&limit, LOG_ERR, "catalog: noting %zu files of requests: %s",
			 rq->update_count, strerror(-r));
}

static void note(struct stage_requests *rq, const struct task *task, enum thaw_file_state state,
		 int error)
{
	struct thaw_file_update *u;

	if (rq->update_count == UPDATES)
		flush_updates(rq);
	if (rq->update_count == UPDATES) /* these files are asked for again at the next start */
		rq->update_count = 0;
	u = &rq->updates[rq->update_count++];
	*u = (struct thaw_file_update){ .seq = task->seq, .state = state, .error = error };
	memcpy(u->id, task->id, sizeof(u->id));
}

/* ---- one file ---- */

/* An engine thread, no lock held. */
static void ended(struct thaw_wait *wait, int status)
{
	struct task *task = (struct task *)wait; /* its first member */
	struct stage_requests *rq = task->requests;

	task->status = status;
	thaw_mutex_lock(&rq->lock);
	task->next = rq->ended;
	rq->ended = task;
	thaw_cond_signal(&rq->work);
	thaw_mutex_unlock(&rq->lock);
}

static void launch(struct stage_requests *rq, struct task *task);

/* A file that changed: what its name leads to now.  One that a reader shared, whose patience
 * for room ended: ours has not. */
static bool try_again(struct stage_requests *rq, struct task *task, int status)
{
	uint64_t now;

	if (status == -EAGAIN) {
		launch(rq, task);
		return true;
	}
	if (status != -ESTALE || task->tries++ >= 5)
		return false;
	if (thaw_catalog_successor(rq->stage->catalog, task->node, &now) < 0)
		return false;
	task->node = now;
	launch(rq, task);
	return true;
}

static void drop_active(struct stage_requests *rq, const struct task *task)
{
	size_t i = 0;

	while (rq->active[i] != task)
		i++;
	rq->active[i] = rq->active[--rq->under_way];
}

static void conclude(struct stage_requests *rq, struct task *task, int status, struct thaw_obj *obj)
{
	drop_active(rq, task);
	if (status == 0)
		thaw_stage_close(rq->stage, obj);
	else if (try_again(rq, task, status))
		return;
	if (status == 0)
		note(rq, task, THAW_FILE_COMPLETED, 0);
	else if (status != -ESHUTDOWN) /* STARTED rows are taken up at the next start */
		note(rq, task, THAW_FILE_FAILED, status);
	free(task);
}

static void launch(struct stage_requests *rq, struct task *task)
{
	struct thaw_obj *obj = NULL;
	int r;

	rq->active[rq->under_way++] = task;
	r = stage_open_bulk(rq->stage, task->node, &task->wait, &obj);
	if (r != -EINPROGRESS)
		conclude(rq, task, r, obj);
}

static struct task *new_task(struct stage_requests *rq, const char *id,
			     const struct thaw_request_file *file)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->requests = rq;
	task->wait.done = ended;
	memcpy(task->id, id, sizeof(task->id));
	task->seq = file->seq;
	task->node = file->node;
	return task;
}

/* ---- turns ---- */

static struct cursor *cursor_of(struct stage_requests *rq, const char *id)
{
	struct cursor *c;

	for (size_t i = 0; i < rq->cursor_count; i++)
		if (strcmp(rq->cursors[i].id, id) == 0)
			return &rq->cursors[i];
	if (rq->cursor_count == OPEN_REQUESTS)
		return NULL; /* its turn comes when another has ended */
	c = &rq->cursors[rq->cursor_count++];
	memcpy(c->id, id, sizeof(c->id));
	c->seq = 0;
	return c;
}

static void drop_ended_cursors(struct stage_requests *rq,
			       char (*ids)[THAW_REQUEST_ID_TEXT], size_t n)
{
	for (size_t i = 0; i < rq->cursor_count;) {
		bool open = false;

		for (size_t k = 0; k < n && !open; k++)
			open = strcmp(rq->cursors[i].id, ids[k]) == 0;
		if (open)
			i++;
		else
			rq->cursors[i] = rq->cursors[--rq->cursor_count];
	}
}

static bool feeding_failed(struct stage_requests *rq, const char *id, int r)
{
	static struct thaw_log_limit limit;

	if (r == -ENOENT) /* forgotten meanwhile */
		return false;
	rq->trouble = true;
	thaw_log_limited(&limit, LOG_ERR, "request %s: the catalog: %s", id, strerror(-r));
	return false;
}

/* True when it gave work to the engine. */
static bool feed_from(struct stage_requests *rq, const char *id)
{
	struct thaw_catalog *cat = rq->stage->catalog;
	struct thaw_request_file files[PER_TURN];
	struct cursor *c = cursor_of(rq, id);
	struct thaw_request request;
	size_t room = WINDOW - rq->under_way, n = 0;
	int r;

	if (!c || rq->under_way >= WINDOW)
		return false;
	r = thaw_catalog_request(cat, id, &request);
	if (r == 0 && !request.expanded && stage_import_knows_more_soon(rq->stage))
		return false; /* the end of the import kicks */
	if (r == 0 && !request.expanded)
		r = thaw_catalog_request_expand(cat, id, thaw_clock_real_s());
	if (r == 0)
		r = thaw_catalog_request_next(cat, id, c->seq, files,
					      room < PER_TURN ? room : PER_TURN, &n);
	if (r < 0)
		return feeding_failed(rq, id, r);
	for (size_t i = 0; i < n; i++) {
		struct task *task = new_task(rq, id, &files[i]);

		if (!task)
			return feeding_failed(rq, id, -ENOMEM);
		c->seq = files[i].seq;
		note(rq, task, THAW_FILE_STARTED, 0);
		launch(rq, task);
	}
	return n > 0;
}

/* Files of cancelled requests are waited for no longer; their transfers go on. */
static void drop_cancelled(struct stage_requests *rq)
{
	for (size_t i = rq->under_way; i-- > 0;) {
		struct task *task = rq->active[i];
		struct thaw_request request;
		int r = thaw_catalog_request(rq->stage->catalog, task->id, &request);

		if (r == 0 ? !request.cancelled : r != -ENOENT)
			continue;
		if (thaw_stage_cancel(rq->stage, &task->wait)) {
			drop_active(rq, task);
			free(task);
		}
	}
}

static bool feed(struct stage_requests *rq)
{
	char ids[OPEN_REQUESTS][THAW_REQUEST_ID_TEXT];
	bool fed = false;
	size_t n = 0;

	if (thaw_catalog_requests_open(rq->stage->catalog, ids, OPEN_REQUESTS, &n) < 0) {
		rq->trouble = true;
		return false;
	}
	drop_ended_cursors(rq, ids, n);
	for (size_t i = 0; i < n && rq->under_way < WINDOW; i++)
		fed |= feed_from(rq, ids[i]);
	flush_updates(rq);
	return fed && rq->under_way < WINDOW;
}

static void conclude_ended(struct stage_requests *rq, struct task *list)
{
	while (list) {
		struct task *task = list;

		list = task->next;
		conclude(rq, task, task->status, task->wait.obj);
	}
	flush_updates(rq);
}

/* REQUESTS held.  False: time to try again what the catalog refused. */
static bool wait_for_work(struct stage_requests *rq)
{
	if (rq->trouble)
		return thaw_cond_wait_until(&rq->work, &rq->lock,
					    thaw_clock_mono_ns() + RETRY_NS);
	thaw_cond_wait(&rq->work, &rq->lock);
	return true;
}

static void *feeder(void *arg)
{
	struct stage_requests *rq = arg;
	bool more = true;

	thaw_mutex_lock(&rq->lock);
	while (!rq->stopping || rq->under_way) {
		struct task *list = rq->ended;
		bool stopping = rq->stopping, kicked = rq->kicked;

		rq->ended = NULL;
		if (!list && (stopping || (!rq->kicked && !more))) {
			more = !wait_for_work(rq) && !rq->stopping;
			continue;
		}
		rq->kicked = false;
		rq->trouble = false;
		thaw_mutex_unlock(&rq->lock);
		conclude_ended(rq, list);
		if (kicked)
			drop_cancelled(rq);
		more = !stopping && feed(rq);
		thaw_mutex_lock(&rq->lock);
	}
	thaw_mutex_unlock(&rq->lock);
	return NULL;
}

/* ---- life ---- */

int stage_requests_new(struct thaw_stage *stage)
{
	struct stage_requests *rq = calloc(1, sizeof(*rq));

	if (!rq)
		return -ENOMEM;
	rq->stage = stage;
	thaw_mutex_init(&rq->lock, THAW_RANK_REQUESTS);
	thaw_cond_init(&rq->work);
	stage->requests = rq;
	return 0;
}

int stage_requests_start(struct thaw_stage *stage)
{
	struct stage_requests *rq = stage->requests;
	int r = thaw_catalog_requests_recover(stage->catalog);

	if (r == 0)
		r = thaw_thread_start(&rq->feeder, "thaw-requests", feeder, rq);
	rq->runs = r == 0;
	return r;
}

/* After the workers have stopped: every task has ended by then or ends at once. */
void stage_requests_stop(struct thaw_stage *stage)
{
	struct stage_requests *rq = stage->requests;

	if (!rq || !rq->runs)
		return;
	thaw_mutex_lock(&rq->lock);
	rq->stopping = true;
	thaw_cond_broadcast(&rq->work);
	thaw_mutex_unlock(&rq->lock);
	pthread_join(rq->feeder, NULL);
	rq->runs = false;
}

void stage_requests_free(struct thaw_stage *stage)
{
	struct stage_requests *rq = stage->requests;

	if (!rq)
		return;
	thaw_cond_destroy(&rq->work);
	thaw_mutex_destroy(&rq->lock);
	free(rq);
	stage->requests = NULL;
}
