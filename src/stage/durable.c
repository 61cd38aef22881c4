/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stage/durable.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/thread.h"
#include "stage/impl.h"

#define BATCH 128
#define PATIENCE_NS (5 * THAW_NS_PER_S)
#define LINE_MAX 512 /* each holds a descriptor and counts on memory */

/* engine held. */
static void append(struct stage_durable *d, struct flight *flight)
{
	flight->settle_next = NULL;
	if (d->last)
		d->last->settle_next = flight;
	else
		d->first = flight;
	d->last = flight;
	d->count++;
	d->in++;
	thaw_cond_signal(&d->work);
}

void stage_durable_take(struct thaw_stage *stage, struct flight *flight)
{
	struct stage_durable *d = &stage->durable;
	struct wait_list done = { NULL };

	thaw_mutex_lock(&stage->lock);
	flight->obj->flight = NULL;
	flight->obj->settling = true;
	stage_obj_set_state(stage, flight->obj, OBJ_RESIDENT);
	stage_flight_tell(stage, flight->obj, 0, /* bulk= */ false, &done);
	append(d, flight);
	thaw_mutex_unlock(&stage->lock);
	stage_wait_finish(&done);

	thaw_mutex_lock(&stage->lock);
	while (d->count > LINE_MAX)
		thaw_cond_wait(&d->progress, &stage->lock);
	thaw_mutex_unlock(&stage->lock);
}

void stage_durable_wait(struct thaw_stage *stage)
{
	struct stage_durable *d = &stage->durable;
	int64_t deadline = thaw_clock_mono_ns() + PATIENCE_NS;
	uint64_t until;

	thaw_mutex_lock(&stage->lock);
	until = d->in;
	while (d->out < until && thaw_cond_wait_until(&d->progress, &stage->lock, deadline))
		;
	thaw_mutex_unlock(&stage->lock);
}

/* ---- a batch ---- */

struct batch {
	struct flight *flights[BATCH];
	struct thaw_published rows[BATCH];
	int results[BATCH];
	size_t n;
};

/* engine held. */
static void take_batch(struct stage_durable *d, struct batch *batch)
{
	batch->n = 0;
	while (d->first && batch->n < BATCH) {
		batch->flights[batch->n++] = d->first;
		d->first = d->first->settle_next;
	}
	if (!d->first)
		d->last = NULL;
	d->count -= batch->n;
}

static void sync_files(struct batch *batch)
{
	struct thaw_part *parts[BATCH];
	uint64_t bytes[BATCH] = { 0 };

	for (size_t i = 0; i < batch->n; i++)
		parts[i] = batch->flights[i]->part;
	thaw_part_sync_many(parts, batch->n, bytes, batch->results);
	for (size_t i = 0; i < batch->n; i++) {
		batch->rows[i] = batch->flights[i]->published;
		batch->rows[i].bytes = bytes[i];
	}
}

/* A catalog that cannot be written (its disk is full) is asked again: what is
 * there was brought from an archive, and readers have it already. */
static bool pause_unless_stopping(struct thaw_stage *stage, int r)
{
	static struct thaw_log_limit limit;
	bool stopping;

	thaw_log_limited(&limit, LOG_ERR, "catalog: staged files cannot be recorded: %s; trying on",
			 strerror(-r));
	thaw_mutex_lock(&stage->lock);
	if (!stage->stopping)
		thaw_cond_wait_until(&stage->durable.work, &stage->lock,
				     thaw_clock_mono_ns() + THAW_NS_PER_S);
	stopping = stage->stopping;
	thaw_mutex_unlock(&stage->lock);
	return !stopping;
}

static void publish_rows(struct thaw_stage *stage, struct batch *batch)
{
	struct thaw_published rows[BATCH];
	size_t of[BATCH], n = 0;
	int results[BATCH];
	int r;

	for (size_t i = 0; i < batch->n; i++) {
		if (batch->results[i] == 0) {
			of[n] = i;
			rows[n++] = batch->rows[i];
		}
	}
	if (!n)
		return;
	while ((r = thaw_catalog_publish_many(stage->catalog, rows, n, results)) < 0 &&
	       pause_unless_stopping(stage, r))
		;
	thaw_crash_point("stage.published");
	for (size_t k = 0; k < n; k++)
		batch->results[of[k]] = r < 0 ? r : results[k];
}

static void log_failure(const struct flight *flight, int r)
{
	static struct thaw_log_limit limit;

	if (r == -ENOENT || r == -ESTALE)
		return; /* superseded meanwhile */
	thaw_log_limited(&limit, LOG_ERR, "keeping object %llu in the cache: %s",
			 (unsigned long long)flight->obj->id, strerror(-r));
}

/* engine held.  Those who have it open keep it; nobody else gets it. */
static void disown(struct thaw_stage *stage, struct thaw_obj *obj, int r)
{
	atomic_store(&obj->error, r == -ENOENT || r == -ESTALE ? -ESTALE : -EIO);
	stage_obj_unhash(stage, obj);
	stage_obj_set_state(stage, obj, OBJ_DEAD);
}

static void conclude(struct thaw_stage *stage, struct flight *flight, uint64_t bytes, int r)
{
	struct thaw_obj *obj = flight->obj;
	struct wait_list done = { NULL };

	if (r < 0) {
		log_failure(flight, r);
		thaw_part_abort(stage_flight_take_part(stage, flight));
	} else {
		thaw_part_done(stage_flight_take_part(stage, flight));
		atomic_fetch_add(&stage->count.staged_files, 1);
		atomic_fetch_add(&stage->count.staged_bytes, obj->size);
	}
	thaw_mutex_lock(&stage->lock);
	obj->settling = false;
	obj->bytes = r < 0 ? 0 : bytes;
	/* An import may have retired it while it settled. */
	if (r < 0 && atomic_load(&obj->state) == OBJ_RESIDENT)
		disown(stage, obj, r);
	stage_flight_tell(stage, obj, r < 0 ? atomic_load(&obj->error) : 0, /* bulk= */ true, &done);
	stage->queue.count--;
	stage_flight_admit(stage);
	stage_evict_may_free(stage); /* past the high mark now, or one more that may leave */
	thaw_mutex_unlock(&stage->lock);

	if (r < 0 && stage->events.leaving)
		stage->events.leaving(stage->events.ctx, obj->node);
	stage_wait_finish(&done);
	stage_flight_free(stage, flight);
}

static void settle(struct thaw_stage *stage, struct batch *batch)
{
	sync_files(batch);
	publish_rows(stage, batch);
	for (size_t i = 0; i < batch->n; i++)
		conclude(stage, batch->flights[i], batch->rows[i].bytes, batch->results[i]);
}

/* ---- the thread ---- */

static void *settler(void *arg)
{
	struct thaw_stage *stage = arg;
	struct stage_durable *d = &stage->durable;
	struct batch batch;

	thaw_mutex_lock(&stage->lock);
	for (;;) {
		while (!d->first && !d->stopping)
			thaw_cond_wait(&d->work, &stage->lock);
		if (!d->first)
			break;
		take_batch(d, &batch);
		thaw_mutex_unlock(&stage->lock);
		settle(stage, &batch);
		thaw_mutex_lock(&stage->lock);
		d->out += batch.n;
		thaw_cond_broadcast(&d->progress);
	}
	thaw_mutex_unlock(&stage->lock);
	return NULL;
}

void stage_durable_init(struct thaw_stage *stage)
{
	thaw_cond_init(&stage->durable.work);
	thaw_cond_init(&stage->durable.progress);
}

void stage_durable_destroy(struct thaw_stage *stage)
{
	thaw_cond_destroy(&stage->durable.work);
	thaw_cond_destroy(&stage->durable.progress);
}

int stage_durable_start(struct thaw_stage *stage)
{
	int r = thaw_thread_start(&stage->durable.thread, "thaw-settle", settler, stage);

	stage->durable.runs = r == 0;
	return r;
}

void stage_durable_stop(struct thaw_stage *stage)
{
	struct stage_durable *d = &stage->durable;

	if (!d->runs)
		return;
	thaw_mutex_lock(&stage->lock);
	d->stopping = true;
	thaw_cond_broadcast(&d->work);
	thaw_mutex_unlock(&stage->lock);
	pthread_join(d->thread, NULL);
	d->runs = false;
}
