/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * open.c - readers come and go: finding the object, joining or starting its
 * flight, waiting, and leaving.
 */
#include "stage/open.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "catalog/object.h"
#include "catalog/tree.h"
#include "stage/impl.h"


struct open_call {
	unsigned flags;
	bool bulk;
	struct thaw_wait *wait;
};

struct stage_collection *stage_collection_of(struct thaw_stage *stage, uint32_t id)
{
	for (size_t i = 0; i < stage->collection_count; i++)
		if (stage->collections[i].id == id)
			return &stage->collections[i];
	return NULL;
}

/* What keeps a node from being opened at all, by the catalog. */
static int may_open(struct thaw_stage *stage, const struct thaw_node *node,
		    const struct thaw_object *object)
{
	if (!object->current)
		return -ESTALE;
	if (node->lost || object->lost)
		return -EIO;
	return stage_collection_of(stage, node->collection) ? 0 : -ESTALE;
}

/* A file and its current version.  -ESTALE: it has none, or another node has it. */
static int find_object(struct thaw_stage *stage, uint64_t id, struct thaw_object *ret)
{
	struct thaw_node node;
	int r = thaw_catalog_node(stage->catalog, id, &node);

	if (r == 0 && node.type != THAW_TYPE_FILE)
		return node.type == THAW_TYPE_DIR ? -EISDIR : -EINVAL;
	if (r == 0)
		r = thaw_catalog_object(stage->catalog, node.object, ret);
	if (r < 0)
		return r == -ENOENT ? -ESTALE : r;
	return may_open(stage, &node, ret);
}

/* A row that says resident is believed when the file is there and has its size. */
static int open_resident(struct thaw_stage *stage, const struct thaw_object *object, int *ret_fd)
{
	int r = thaw_store_open_object(stage->store, object->id, object->size, ret_fd);

	if (r != -ENOENT && r != -EUCLEAN)
		return r;
	thaw_warn("object %llu is in the catalog but not in the cache: staging it again",
		  (unsigned long long)object->id);
	(void)thaw_store_remove(stage->store, object->id);
	r = thaw_catalog_left(stage->catalog, &object->id, 1);
	if (r < 0)
		return r;
	thaw_space_release(&stage->space, object->bytes);
	return 0;
}

/* engine held.  What the catalog said of an object that was LOADING moves it on. */
static int move_on(struct thaw_stage *stage, struct thaw_obj *obj, const struct thaw_object *object,
		   int *fd, int r)
{
	if (r == 0) /* an import may have been faster */
		r = atomic_load(&obj->error);
	if (r == 0) {
		obj->id = object->id;
		obj->size = object->size;
		obj->collection = object->collection;
		obj->tag = object->tag;
		obj->suspect = object->verify_failed;
		obj->bytes = *fd >= 0 ? object->bytes : 0;
	} else {
		stage_obj_unhash(stage, obj);
	}
	stage_obj_set_state(stage, obj, OBJ_ABSENT);
	if (r == 0 && *fd >= 0) {
		atomic_store(&obj->fd, thaw_steal_fd(fd));
		stage_obj_set_state(stage, obj, OBJ_RESIDENT);
	}
	return r;
}

/* engine held.  True when an open need not wait for the flight. */
static bool can_stream(const struct thaw_stage *stage, const struct thaw_obj *obj, unsigned flags)
{
	return !(flags & THAW_OPEN_WHOLE) && obj->size >= stage->conf->stream_min &&
	       atomic_load(&obj->part_fd) >= 0;
}

static enum thaw_offline offline_mode(struct thaw_stage *stage, const struct thaw_obj *obj)
{
	struct stage_collection *c = stage_collection_of(stage, obj->collection);

	return c ? c->conf->on_offline : stage->conf->on_offline;
}

/* engine held. */
static int park(struct thaw_stage *stage, struct thaw_obj *obj, const struct open_call *call)
{
	call->wait->obj = NULL;
	call->wait->flags = call->flags | (call->bulk ? OPEN_BULK : 0);
	stage_wait_park(&obj->waiting, call->wait, WAIT_OPEN);
	stage->waiters++;
	return -EINPROGRESS;
}

/* engine held; obj is COMING.  What a reader gets who finds it so. */
static int wait_or_refuse(struct thaw_stage *stage, struct thaw_obj *obj,
			  const struct open_call *call)
{
	enum thaw_offline mode = offline_mode(stage, obj);

	if (call->bulk)
		return park(stage, obj, call);
	stage_flight_promote(stage, obj->flight);
	if (mode == THAW_OFFLINE_EACCES)
		return -EACCES;
	if (mode != THAW_OFFLINE_BLOCK || (call->flags & THAW_OPEN_NONBLOCK))
		return -EAGAIN;
	return park(stage, obj, call);
}

/* Could it ever be staged, were nothing else there? */
static bool fits(struct thaw_stage *stage, const struct thaw_obj *obj)
{
	uint64_t need = thaw_store_need(stage->store, obj->size);
	struct thaw_space_use use;

	thaw_space_get(&stage->space, &use);
	return use.overhead <= use.size && need <= use.size - use.overhead;
}

/* engine held; obj is ABSENT. */
static int start(struct thaw_stage *stage, struct thaw_obj *obj, const struct open_call *call)
{
	enum thaw_offline mode = offline_mode(stage, obj);

	if (stage->stopping)
		return -ESHUTDOWN;
	/* Every copy failed its digest: asking the archive again for each
	 * reader would wear the tape for nothing.  An explicit request may. */
	if (!call->bulk && obj->suspect)
		return -EIO;
	if (!call->bulk && mode == THAW_OFFLINE_EACCES)
		return -EACCES;
	if (!call->bulk && mode == THAW_OFFLINE_EAGAIN)
		return -EAGAIN;
	if (!fits(stage, obj))
		return -ENOSPC;
	return stage_flight_launch(stage, obj, call->bulk);
}

/* engine held.  0: a use was taken. */
static int join(struct thaw_stage *stage, struct thaw_obj *obj, const struct open_call *call)
{
	int r;

	switch ((enum obj_state)atomic_load(&obj->state)) {
	case OBJ_RESIDENT:
		if (call->bulk && obj->settling)
			return park(stage, obj, call); /* staged means safe */
		stage_obj_use(obj);
		stage_obj_touch(obj);
		atomic_fetch_add(&stage->count.hits, 1);
		return 0;
	case OBJ_ABSENT:
		r = start(stage, obj, call);
		if (r < 0)
			return r;
		atomic_fetch_add(&stage->count.misses, 1);
		return wait_or_refuse(stage, obj, call);
	case OBJ_COMING:
		if (can_stream(stage, obj, call->flags)) {
			stage_obj_use(obj);
			stage_obj_touch(obj);
			atomic_fetch_add(&stage->count.streams, 1);
			return 0;
		}
		return wait_or_refuse(stage, obj, call);
	case OBJ_LOADING:
	case OBJ_LEAVING:
		return park(stage, obj, call); /* not for long: then it asks again */
	case OBJ_DEAD:
		break;
	}
	return atomic_load(&obj->error);
}

/* engine held.  Those who parked on an object while it was LOADING ask again, each by its own flags. */
static void answer_parked(struct thaw_stage *stage, struct thaw_obj *obj, int status,
			  struct wait_list *done)
{
	struct wait_list asking = { NULL };

	stage_wait_take_all(&obj->waiting, 0, &asking);
	while (asking.head) {
		struct thaw_wait *wait = asking.head;
		struct open_call call = { wait->flags & ~OPEN_BULK, wait->flags & OPEN_BULK, wait };
		int r = status;

		asking.head = wait->next;
		stage->waiters--;
		if (r == 0)
			r = join(stage, obj, &call);
		if (r == 0)
			wait->obj = obj;
		if (r != -EINPROGRESS)
			stage_wait_add(wait, r, done);
	}
}

/*
 * Asks the catalog about an object that is LOADING and moves it on.  Who loads
 * (call, may be NULL) and all who parked meanwhile join in the same breath:
 * between two, the object could leave the cache or lose its flight and its
 * place in the table, and a flight of an object nobody can find would be one
 * of two.
 */
static int load(struct thaw_stage *stage, struct thaw_obj *obj, const struct open_call *call)
{
	struct wait_list done = { NULL };
	struct thaw_object object;
	_cleanup_close_ int fd = -1;
	int r = find_object(stage, obj->node, &object), loaded;

	if (r == 0 && object.residency == THAW_RES_RESIDENT)
		r = open_resident(stage, &object, &fd);
	thaw_mutex_lock(&stage->lock);
	r = loaded = move_on(stage, obj, &object, &fd, r);
	if (r == 0 && call)
		r = join(stage, obj, call);
	answer_parked(stage, obj, loaded, &done);
	thaw_mutex_unlock(&stage->lock);
	stage_wait_finish(&done);
	return r;
}

void stage_open_again(struct thaw_stage *stage, struct thaw_obj *obj)
{
	(void)load(stage, obj, NULL);
}

static int open_node(struct thaw_stage *stage, uint64_t node, const struct open_call *call,
		     struct thaw_obj **ret)
{
	struct thaw_obj *obj;
	bool loading = false;
	int r = 0;

	thaw_mutex_lock(&stage->lock);
	if (stage->stopping) {
		thaw_mutex_unlock(&stage->lock);
		return -ESHUTDOWN;
	}
	obj = stage_obj_find(stage, node);
	if (!obj) {
		obj = stage_obj_add(stage, node);
		loading = obj;
	}
	if (obj && !loading)
		r = join(stage, obj, call);
	thaw_mutex_unlock(&stage->lock);
	if (!obj)
		return -ENOMEM;
	if (loading)
		r = load(stage, obj, call);
	if (r == 0)
		*ret = obj;
	thaw_obj_put(stage, obj); /* a use has a reference of its own */
	return r;
}

int thaw_stage_open(struct thaw_stage *stage, uint64_t node, unsigned flags, struct thaw_wait *wait,
		    struct thaw_obj **ret)
{
	struct open_call call = { .flags = flags & ~OPEN_BULK, .wait = wait };

	return open_node(stage, node, &call, ret);
}

int stage_open_bulk(struct thaw_stage *stage, uint64_t node, struct thaw_wait *wait,
		    struct thaw_obj **ret)
{
	struct open_call call = { .flags = THAW_OPEN_WHOLE, .bulk = true, .wait = wait };

	return open_node(stage, node, &call, ret);
}

void thaw_stage_close(struct thaw_stage *stage, struct thaw_obj *obj)
{
	/* Eviction may have waited for the last one. */
	if (atomic_fetch_sub(&obj->uses, 1) == 1) {
		thaw_mutex_lock(&stage->lock);
		if (stage->queue.space.head)
			stage_evict_may_free(stage);
		thaw_mutex_unlock(&stage->lock);
	}
	thaw_obj_put(stage, obj);
}

/* engine held.  Moves the first chunk that a reader still misses to the front. */
static void want_range(struct thaw_stage *stage, struct flight *flight, uint64_t off, uint64_t len)
{
	uint64_t end = len > flight->obj->size - off ? flight->obj->size : off + len;
	size_t i = off / flight->chunk;

	while (flight->chunks[i] == CHUNK_DONE && stage_flight_chunk_end(flight, i) < end)
		i++;
	flight->wanted = i;
	if (flight->state == FLIGHT_RUN && flight->place == AT_READY) {
		stage_flight_unline(stage, flight);
		stage_flight_line_up(stage, flight);
	}
}

int thaw_stage_read(struct thaw_stage *stage, struct thaw_obj *obj, uint64_t off, uint64_t len,
		    struct thaw_wait *wait)
{
	int r = 0;

	if (thaw_obj_is_whole(obj) || off >= obj->size)
		return 0;
	thaw_mutex_lock(&stage->lock);
	if (thaw_obj_is_whole(obj)) {
		/* since we looked */
	} else if (!obj->flight) {
		r = atomic_load(&obj->error);
	} else if (!stage_flight_covers(obj->flight, off, len)) {
		wait->off = off;
		wait->len = len;
		stage_wait_park(&obj->reading, wait, WAIT_READ);
		stage->waiters++;
		want_range(stage, obj->flight, off, len);
		r = -EINPROGRESS;
	}
	thaw_mutex_unlock(&stage->lock);
	return r;
}

bool thaw_stage_cancel(struct thaw_stage *stage, struct thaw_wait *wait)
{
	struct wait_list gone = { NULL };
	bool taken;

	if (wait->kind == WAIT_DIR)
		return stage_import_cancel(stage, wait);
	thaw_mutex_lock(&stage->lock);
	taken = wait->owner;
	if (taken) {
		stage_wait_take(wait, -ECANCELED, &gone);
		stage->waiters--;
	}
	thaw_mutex_unlock(&stage->lock);
	return taken;
}
