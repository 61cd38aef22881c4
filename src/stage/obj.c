/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stage/obj.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "stage/impl.h"

struct thaw_obj *stage_obj_find(struct thaw_stage *stage, uint64_t node)
{
	struct thaw_obj *obj = NULL;

	thaw_mutex_assert_held(&stage->lock);
	HASH_FIND(hh, stage->objects, &node, sizeof(node), obj);
	return obj ? thaw_obj_get(obj) : NULL;
}

struct thaw_obj *stage_obj_add(struct thaw_stage *stage, uint64_t node)
{
	struct thaw_obj *obj = calloc(1, sizeof(*obj));

	thaw_mutex_assert_held(&stage->lock);
	if (!obj)
		return NULL;
	obj->node = node;
	atomic_init(&obj->state, OBJ_LOADING);
	atomic_init(&obj->refs, 1);
	atomic_init(&obj->fd, -1);
	atomic_init(&obj->part_fd, -1);
	obj->hashed = true;
	HASH_ADD(hh, stage->objects, node, sizeof(obj->node), obj);
	return obj;
}

void stage_obj_unhash(struct thaw_stage *stage, struct thaw_obj *obj)
{
	thaw_mutex_assert_held(&stage->lock);
	if (!obj->hashed)
		return;
	HASH_DELETE(hh, stage->objects, obj);
	obj->hashed = false;
}

void stage_obj_check(const struct thaw_obj *obj)
{
#ifndef NDEBUG
	int state = atomic_load(&obj->state);
	int uses = atomic_load(&obj->uses);

	switch (state) {
	case OBJ_LOADING:
	case OBJ_ABSENT:
		assert(uses == 0 && !obj->flight);
		assert(atomic_load(&obj->fd) < 0 && atomic_load(&obj->part_fd) < 0);
		break;
	case OBJ_COMING: /* found by all, or there could be a second flight */
		assert(uses >= 0 && obj->flight && obj->hashed);
		break;
	case OBJ_RESIDENT:
		assert(uses >= 0 && !obj->flight);
		break;
	case OBJ_LEAVING:
		assert(uses == OBJ_USES_GONE && !obj->flight);
		break;
	case OBJ_DEAD:
		assert(!obj->flight && !obj->hashed);
		break;
	default:
		assert(!"object state");
	}
#else
	(void)obj;
#endif
}

void stage_obj_set_state(struct thaw_stage *stage, struct thaw_obj *obj, enum obj_state state)
{
	thaw_mutex_assert_held(&stage->lock);
	atomic_store(&obj->state, state);
	stage_obj_check(obj);
}

void stage_obj_use(struct thaw_obj *obj)
{
	thaw_obj_get(obj);
	atomic_fetch_add(&obj->uses, 1);
}

void stage_obj_touch(struct thaw_obj *obj)
{
	atomic_store_explicit(&obj->last_used, thaw_clock_real_s(), memory_order_relaxed);
	atomic_fetch_add_explicit(&obj->new_hits, 1, memory_order_relaxed);
}

bool thaw_obj_try_use(struct thaw_obj *obj)
{
	int uses = atomic_load(&obj->uses);

	/* RESIDENT ends only by uses going from 0 to GONE, so a use taken
	 * while it is RESIDENT holds it there. */
	do {
		if (uses == OBJ_USES_GONE || atomic_load(&obj->state) != OBJ_RESIDENT)
			return false;
	} while (!atomic_compare_exchange_weak(&obj->uses, &uses, uses + 1));
	thaw_obj_get(obj);
	stage_obj_touch(obj);
	return true;
}

struct thaw_obj *thaw_obj_get(struct thaw_obj *obj)
{
	atomic_fetch_add_explicit(&obj->refs, 1, memory_order_relaxed);
	return obj;
}

/* engine held.  What was not counted yet goes with the next flush. */
static void keep_touches(struct thaw_stage *stage, struct thaw_obj *obj)
{
	uint64_t hits = atomic_exchange(&obj->new_hits, 0);

	if (!hits || !obj->id || stage->touch_count == STAGE_TOUCHES)
		return;
	stage->touches[stage->touch_count++] = (struct thaw_touch){
		.object = obj->id,
		.last_used = atomic_load(&obj->last_used),
		.hits = hits,
	};
}

/* True when this was not the last one.  The last is given up under the lock
 * only, so that a find cannot bring back what is being freed. */
static bool put_one_of_many(struct thaw_obj *obj)
{
	int refs = atomic_load(&obj->refs);

	while (refs > 1)
		if (atomic_compare_exchange_weak(&obj->refs, &refs, refs - 1))
			return true;
	return false;
}

static void free_obj(struct thaw_obj *obj)
{
	int fd;

	assert(!obj->flight && !obj->waiting.head && !obj->reading.head);
	if ((fd = atomic_load(&obj->fd)) >= 0)
		close(fd);
	if ((fd = atomic_load(&obj->part_fd)) >= 0)
		close(fd);
	free(obj);
}

struct thaw_obj *thaw_obj_put(struct thaw_stage *stage, struct thaw_obj *obj)
{
	bool last;

	if (!obj || put_one_of_many(obj))
		return NULL;
	thaw_mutex_lock(&stage->lock);
	last = atomic_fetch_sub(&obj->refs, 1) == 1;
	if (last) {
		keep_touches(stage, obj);
		stage_obj_unhash(stage, obj);
	}
	thaw_mutex_unlock(&stage->lock);
	if (last)
		free_obj(obj);
	return NULL;
}

/* Not by its state: one that lost its name under open handles is DEAD and whole. */
bool thaw_obj_is_whole(const struct thaw_obj *obj)
{
	return atomic_load(&obj->fd) >= 0;
}

int thaw_obj_fd(struct thaw_obj *obj)
{
	int fd = atomic_load(&obj->fd);

	return fd >= 0 ? fd : atomic_load(&obj->part_fd);
}

uint64_t thaw_obj_size(const struct thaw_obj *obj)
{
	return obj->size;
}

uint64_t thaw_obj_node(const struct thaw_obj *obj)
{
	return obj->node;
}

void stage_wait_park(struct wait_list *list, struct thaw_wait *wait, enum wait_kind kind)
{
	if (wait->kind != (int)kind) /* parked again: a cancel may be looking at it */
		wait->kind = kind;
	wait->owner = list;
	wait->since_ns = thaw_clock_mono_ns();
	wait->prev = NULL;
	wait->next = list->head;
	if (list->head)
		list->head->prev = wait;
	list->head = wait;
}

static void unlink_wait(struct thaw_wait *wait)
{
	struct wait_list *list = wait->owner;

	if (wait->prev)
		wait->prev->next = wait->next;
	else
		list->head = wait->next;
	if (wait->next)
		wait->next->prev = wait->prev;
	wait->owner = NULL;
	wait->prev = wait->next = NULL;
}

void stage_wait_add(struct thaw_wait *wait, int status, struct wait_list *out)
{
	wait->status = status;
	wait->next = out->head;
	out->head = wait;
}

void stage_wait_take(struct thaw_wait *wait, int status, struct wait_list *out)
{
	unlink_wait(wait);
	stage_wait_add(wait, status, out);
}

void stage_wait_take_all(struct wait_list *list, int status, struct wait_list *out)
{
	while (list->head)
		stage_wait_take(list->head, status, out);
}

void stage_wait_finish(struct wait_list *done)
{
	thaw_mutex_assert_none_held();
	while (done->head) {
		struct thaw_wait *wait = done->head;

		done->head = wait->next;
		wait->next = NULL;
		wait->done(wait, wait->status);
	}
}
