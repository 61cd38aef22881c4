/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * workers.c - the transfer threads and how they choose what to do next.
 *
 * Readers' flights before bulk ones.  A flight that gave a chunk away goes to
 * the end of its line, so that a large file does not keep small ones waiting.
 * How many calls run at an archive at once is bounded by its `connections`.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/thread.h"
#include "stage/impl.h"

struct job {
	struct flight *flight;
	enum flight_state step;
	size_t chunk;
};

/* engine held.  Flights whose delay is over go back in line. */
static void wake_delayed(struct thaw_stage *stage, int64_t *ret_next_ns)
{
	int64_t now = thaw_clock_mono_ns();
	struct flight *flight = stage->queue.delayed.head;

	*ret_next_ns = INT64_MAX;
	while (flight) {
		struct flight *next = flight->next;
		bool last = next == stage->queue.delayed.head;

		if (flight->due_ns <= now) {
			stage_flight_unline(stage, flight);
			stage_flight_line_up(stage, flight);
		} else if (flight->due_ns < *ret_next_ns) {
			*ret_next_ns = flight->due_ns;
		}
		flight = last ? NULL : next;
	}
}

static size_t pick_chunk(struct flight *flight)
{
	size_t i = flight->wanted;

	flight->wanted = SIZE_MAX;
	if (i < flight->chunk_count && flight->chunks[i] == CHUNK_TODO) {
		/* What is read next will be wanted next. */
		if (i + 1 < flight->chunk_count)
			flight->next_chunk = i + 1;
		return i;
	}
	for (i = 0; i < flight->chunk_count; i++) {
		size_t at = (flight->next_chunk + i) % flight->chunk_count;

		if (flight->chunks[at] == CHUNK_TODO) {
			flight->next_chunk = at + 1;
			return at;
		}
	}
	assert(!"a flight in line without a chunk to do");
	return 0;
}

static void take(struct thaw_stage *stage, struct flight *flight, struct job *job)
{
	*job = (struct job){ .flight = flight, .step = flight->state };
	stage_flight_unline(stage, flight);
	if (flight->state == FLIGHT_RUN) {
		job->chunk = pick_chunk(flight);
		flight->chunks[job->chunk] = CHUNK_RUNNING;
		flight->todo--;
		flight->running++;
		stage_flight_line_up(stage, flight);
	}
	stage_flight_archive(flight)->active++;
	stage->queue.running++;
}

static bool take_from(struct thaw_stage *stage, struct flight_list *list, struct job *job)
{
	struct flight *flight = list->head;

	if (!flight)
		return false;
	do {
		struct stage_archive *archive = stage_flight_archive(flight);

		if (archive->active < archive->conf->connections) {
			take(stage, flight, job);
			return true;
		}
		flight = flight->next;
	} while (flight != list->head);
	return false;
}

static bool next_job(struct thaw_stage *stage, struct job *job)
{
	int64_t next_ns;

	while (!stage->stopping) {
		wake_delayed(stage, &next_ns);
		if (take_from(stage, &stage->queue.ready, job) ||
		    take_from(stage, &stage->queue.ready_bulk, job))
			return true;
		if (next_ns == INT64_MAX)
			thaw_cond_wait(&stage->work, &stage->lock);
		else
			thaw_cond_wait_until(&stage->work, &stage->lock, next_ns);
	}
	return false;
}

static void run(struct thaw_stage *stage, const struct job *job)
{
	switch (job->step) {
	case FLIGHT_PREPARE:
		stage_flight_prepare(stage, job->flight);
		break;
	case FLIGHT_RECALL:
		stage_flight_recall(stage, job->flight);
		break;
	case FLIGHT_RUN:
		stage_flight_chunk(stage, job->flight, job->chunk);
		break;
	case FLIGHT_SPACE:
	case FLIGHT_FINISH:
		assert(!"no step for a worker");
	}
}

static void *worker(void *arg)
{
	struct thaw_stage *stage = arg;
	struct job job;

	thaw_mutex_lock(&stage->lock);
	while (next_job(stage, &job)) {
		struct stage_archive *archive = stage_flight_archive(job.flight);

		thaw_mutex_unlock(&stage->lock);
		run(stage, &job); /* the flight may be gone after this */
		thaw_mutex_lock(&stage->lock);
		archive->active--;
		stage->queue.running--;
		thaw_cond_signal(&stage->work);
	}
	thaw_mutex_unlock(&stage->lock);
	return NULL;
}

int stage_workers_start(struct thaw_stage *stage, unsigned n)
{
	if (n > STAGE_MAX_THREADS)
		n = STAGE_MAX_THREADS;
	for (unsigned i = 0; i < n; i++) {
		char name[24];
		int r;

		snprintf(name, sizeof(name), "thaw-get-%u", i);
		r = thaw_thread_start(&stage->workers[i], name, worker, stage);
		if (r < 0)
			return r;
		stage->worker_count++;
	}
	return 0;
}

static struct flight *any_waiting(struct thaw_stage *stage)
{
	struct flight_queue *q = &stage->queue;
	struct flight *flight = q->space.head;

	flight = flight ? flight : q->ready.head;
	flight = flight ? flight : q->ready_bulk.head;
	return flight ? flight : q->delayed.head;
}

/* Flights that no worker holds any more are ended here. */
static void end_all(struct thaw_stage *stage)
{
	struct flight *flight;

	thaw_mutex_lock(&stage->lock);
	while ((flight = any_waiting(stage))) {
		stage_flight_unline(stage, flight);
		thaw_mutex_unlock(&stage->lock);
		stage_flight_end(stage, flight, -ESHUTDOWN);
		thaw_mutex_lock(&stage->lock);
	}
	thaw_mutex_unlock(&stage->lock);
}

void stage_workers_stop(struct thaw_stage *stage)
{
	struct thaw_obj *obj, *next;

	thaw_mutex_lock(&stage->lock);
	stage->stopping = true;
	HASH_ITER(hh, stage->objects, obj, next)
		if (obj->flight)
			atomic_store(&obj->flight->cancel, 1);
	thaw_cond_broadcast(&stage->work);
	thaw_mutex_unlock(&stage->lock);
	for (unsigned i = 0; i < stage->worker_count; i++)
		pthread_join(stage->workers[i], NULL);
	stage->worker_count = 0;
	end_all(stage);
}
