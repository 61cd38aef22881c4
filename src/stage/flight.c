/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flight.c - where flights wait, and how they begin and end.  The steps in
 * between are in transfer.c.
 */
#include "stage/flight.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "stage/impl.h"

static struct flight_list *list_of(struct thaw_stage *stage, const struct flight *flight,
				   enum flight_place place)
{
	switch (place) {
	case AT_SPACE:
		return &stage->queue.space;
	case AT_READY:
		return flight->bulk ? &stage->queue.ready_bulk : &stage->queue.ready;
	case AT_DELAYED:
		return &stage->queue.delayed;
	case AT_NONE:
		break;
	}
	return NULL;
}

/* Circular list: head->prev is the last. */
static void append(struct flight_list *list, struct flight *flight)
{
	if (!list->head) {
		list->head = flight->prev = flight->next = flight;
		return;
	}
	flight->next = list->head;
	flight->prev = list->head->prev;
	flight->prev->next = flight;
	list->head->prev = flight;
}

static void take_out(struct flight_list *list, struct flight *flight)
{
	if (flight->next == flight) {
		list->head = NULL;
	} else {
		flight->prev->next = flight->next;
		flight->next->prev = flight->prev;
		if (list->head == flight)
			list->head = flight->next;
	}
	flight->prev = flight->next = NULL;
}

static void put_at(struct thaw_stage *stage, struct flight *flight, enum flight_place place,
		   bool front)
{
	struct flight_list *list = list_of(stage, flight, place);

	thaw_mutex_assert_held(&stage->lock);
	assert(flight->place == AT_NONE && list);
	append(list, flight);
	if (front)
		list->head = flight;
	flight->place = place;
}

void stage_flight_unline(struct thaw_stage *stage, struct flight *flight)
{
	thaw_mutex_assert_held(&stage->lock);
	if (flight->place == AT_NONE)
		return;
	take_out(list_of(stage, flight, flight->place), flight);
	flight->place = AT_NONE;
}

void stage_flight_line_up(struct thaw_stage *stage, struct flight *flight)
{
	bool wanted = flight->wanted != SIZE_MAX;

	switch (flight->state) {
	case FLIGHT_SPACE:
		put_at(stage, flight, AT_SPACE, false);
		stage_evict_kick(stage);
		return;
	case FLIGHT_RUN:
		if (!flight->todo)
			return;
		break;
	case FLIGHT_PREPARE:
	case FLIGHT_RECALL:
	case FLIGHT_FINISH:
		break;
	}
	if (flight->due_ns > thaw_clock_mono_ns())
		put_at(stage, flight, AT_DELAYED, false);
	else
		put_at(stage, flight, AT_READY, wanted);
	thaw_cond_signal(&stage->work);
}

/* engine held.  Bulk work waits as long as it takes; a reader, space_wait. */
static void set_space_deadline(struct thaw_stage *stage, struct flight *flight)
{
	flight->space_deadline_ns =
		flight->bulk ? 0 : thaw_clock_mono_ns() + stage->conf->space_wait * THAW_NS_PER_S;
}

/* Up to the high mark; beyond it only what eviction could make no room for. */
static bool reserve(struct thaw_stage *stage, struct flight *flight)
{
	uint64_t need = thaw_store_need(stage->store, flight->obj->size);
	uint64_t size = stage->space.size;
	/* To the byte the one at which thaw_policy_excess() begins: between the
	 * two nobody would make room and nobody could enter. */
	uint64_t limit = (uint64_t)((unsigned __int128)size * stage->conf->high / 100);

	if (thaw_clock_mono_ns() < stage->evict_barren_until_ns)
		limit = size;
	if (thaw_space_reserve_below(&stage->space, need, limit) < 0)
		return false;
	flight->reserved = need;
	flight->state = FLIGHT_PREPARE;
	return true;
}

int stage_flight_launch(struct thaw_stage *stage, struct thaw_obj *obj, bool bulk)
{
	struct flight *flight = calloc(1, sizeof(*flight));

	thaw_mutex_assert_held(&stage->lock);
	if (!flight)
		return -ENOMEM;
	flight->obj = thaw_obj_get(obj);
	flight->collection = stage_collection_of(stage, obj->collection);
	flight->bulk = bulk;
	flight->wanted = SIZE_MAX;
	flight->created_ns = thaw_clock_mono_ns();
	thaw_buf_init(&flight->key, 1 << 20);
	obj->flight = flight;
	stage->queue.count++;
	stage_obj_set_state(stage, obj, OBJ_COMING);
	/* Nobody overtakes those who wait for room, or a large file would
	 * never find any. */
	if (stage->queue.space.head || !reserve(stage, flight)) {
		flight->state = FLIGHT_SPACE;
		set_space_deadline(stage, flight);
	}
	stage_flight_line_up(stage, flight);
	return 0;
}

void stage_flight_promote(struct thaw_stage *stage, struct flight *flight)
{
	enum flight_place place = flight->place;

	thaw_mutex_assert_held(&stage->lock);
	if (!flight->bulk)
		return;
	stage_flight_unline(stage, flight); /* from the list its old rank stands in */
	flight->bulk = false;
	if (flight->state == FLIGHT_SPACE)
		set_space_deadline(stage, flight);
	if (place != AT_NONE)
		stage_flight_line_up(stage, flight);
}

/* Readers before bulk requests, otherwise in the order they came. */
static struct flight *first_for_space(struct thaw_stage *stage)
{
	struct flight *head = stage->queue.space.head, *f = head;

	if (!head)
		return NULL;
	do {
		if (!f->bulk)
			return f;
		f = f->next;
	} while (f != head);
	return head;
}

uint64_t stage_flight_space_wanted(struct thaw_stage *stage)
{
	struct flight *flight = first_for_space(stage);

	return flight ? thaw_store_need(stage->store, flight->obj->size) : 0;
}

void stage_flight_admit(struct thaw_stage *stage)
{
	struct flight *flight;

	thaw_mutex_assert_held(&stage->lock);
	while ((flight = first_for_space(stage))) {
		if (!reserve(stage, flight))
			return;
		stage_flight_unline(stage, flight);
		stage_flight_line_up(stage, flight);
	}
}

/* Where a digest is on record the end of a stream waits for it: nobody gets
 * all of a file that does not match. */
bool stage_flight_covers(const struct flight *flight, uint64_t off, uint64_t len)
{
	uint64_t size = flight->obj->size;

	if (flight->on_record.digests && (len >= size || off >= size - len))
		return false;
	return flight->part && thaw_part_covered(flight->part, off, len);
}

struct thaw_part *stage_flight_take_part(struct thaw_stage *stage, struct flight *flight)
{
	struct thaw_part *part;

	thaw_mutex_lock(&stage->lock);
	part = flight->part;
	flight->part = NULL;
	thaw_mutex_unlock(&stage->lock);
	return part;
}

void stage_flight_free(struct thaw_stage *stage, struct flight *flight)
{
	assert(!flight->part);
	thaw_buf_release(&flight->key);
	thaw_digest_free(flight->digest);
	free(flight->chunks);
	free(flight->at);
	thaw_obj_put(stage, flight->obj);
	free(flight);
}

/* engine held.  The object after its flight. */
static void settle_object(struct thaw_stage *stage, struct thaw_obj *obj, int status)
{
	if (atomic_load(&obj->uses) > 0 || atomic_load(&obj->part_fd) >= 0) {
		/* Readers of a stream hold it: they get the error, the next
		 * open a new object. */
		atomic_store(&obj->error, status);
		stage_obj_unhash(stage, obj);
		stage_obj_set_state(stage, obj, OBJ_DEAD);
	} else {
		stage_obj_unhash(stage, obj); /* the catalog may know better by now */
		stage_obj_set_state(stage, obj, OBJ_ABSENT);
	}
}

static void tell_openers(struct thaw_stage *stage, struct thaw_obj *obj, int status, bool bulk,
			 struct wait_list *out)
{
	struct thaw_wait *next;

	for (struct thaw_wait *w = obj->waiting.head; w; w = next) {
		next = w->next;
		if (!bulk && (w->flags & OPEN_BULK))
			continue;
		if (status == 0) {
			stage_obj_use(obj);
			stage_obj_touch(obj);
			w->obj = obj;
		}
		stage_wait_take(w, status, out);
		stage->waiters--;
	}
}

void stage_flight_tell(struct thaw_stage *stage, struct thaw_obj *obj, int status, bool bulk,
		       struct wait_list *out)
{
	thaw_mutex_assert_held(&stage->lock);
	tell_openers(stage, obj, status, bulk, out);
	for (; obj->reading.head; stage->waiters--)
		stage_wait_take(obj->reading.head, status, out);
}

void stage_flight_end(struct thaw_stage *stage, struct flight *flight, int status)
{
	struct thaw_obj *obj = flight->obj;
	struct wait_list done = { NULL };

	/* Before another flight of the object can begin: its part would have
	 * the same name. */
	thaw_part_abort(stage_flight_take_part(stage, flight));
	if (flight->reserved)
		thaw_space_unreserve(&stage->space, flight->reserved);

	thaw_mutex_lock(&stage->lock);
	assert(flight->place == AT_NONE && !flight->running);
	obj->flight = NULL;
	stage->queue.count--;
	assert(status < 0);
	settle_object(stage, obj, status);
	stage_flight_tell(stage, obj, status, true, &done);
	atomic_fetch_add(&stage->count.failures, 1);
	stage_flight_admit(stage);
	stage_evict_may_free(stage); /* past the high mark now, or more room than before */
	thaw_mutex_unlock(&stage->lock);

	stage_flight_free(stage, flight);
	stage_wait_finish(&done);
}
