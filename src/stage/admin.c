/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stage/admin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/units.h"
#include "stage/impl.h"

/* ---- requests ---- */

int thaw_stage_request(struct thaw_stage *stage, uint32_t uid, const uint64_t *nodes, size_t n,
		       char ret_id[THAW_REQUEST_ID_TEXT], struct thaw_err *err)
{
	int r = thaw_catalog_request_new(stage->catalog, uid, thaw_clock_real_s(), nodes, n, ret_id);

	if (r < 0)
		return thaw_err_set(err, r, "the catalog could not take the request: %s",
				    strerror(-r));
	stage_requests_kick(stage);
	return 0;
}

int thaw_stage_request_cancel(struct thaw_stage *stage, const char *id)
{
	int r = thaw_catalog_request_cancel(stage->catalog, id, thaw_clock_real_s());

	stage_requests_kick(stage);
	return r;
}

int thaw_stage_request_get(struct thaw_stage *stage, const char *id, struct thaw_request *ret)
{
	return thaw_catalog_request(stage->catalog, id, ret);
}

int thaw_stage_requests(struct thaw_stage *stage, size_t limit,
			int (*fn)(void *ctx, const struct thaw_request *r), void *ctx)
{
	return thaw_catalog_requests(stage->catalog, limit, fn, ctx);
}

int thaw_stage_request_files(struct thaw_stage *stage, const char *id, uint64_t after_seq,
			     size_t limit,
			     int (*fn)(void *ctx, const struct thaw_request_file *f), void *ctx)
{
	return thaw_catalog_request_files(stage->catalog, id, after_seq, limit, fn, ctx);
}

/* ---- pins ---- */

struct overlap {
	struct thaw_stage *stage;
	uint64_t node; /* not pinned itself, nor above */
	int64_t now;
	uint64_t bytes;
};

static int add_overlap(void *ctx, const struct thaw_pin *pin)
{
	struct overlap *o = ctx;
	struct thaw_catalog *cat = o->stage->catalog;
	struct thaw_tree_sum sum;
	struct thaw_node node;
	struct thaw_pin above;
	bool below;
	int r;

	if (pin->expires <= o->now)
		return 0;
	r = thaw_catalog_is_below(cat, pin->node, o->node, &below);
	if (r < 0 || !below)
		return r;
	r = thaw_catalog_node(cat, pin->node, &node);
	if (r == 0 && thaw_catalog_pin_of(cat, node.parent, o->now, &above) == 0)
		return 0; /* counted there */
	if (r == 0)
		r = thaw_catalog_sum(cat, pin->node, &sum);
	if (r == 0)
		o->bytes += sum.bytes;
	return r;
}

/* Would all that is pinned, with this tree, still fit? */
static int check_fit(struct thaw_stage *stage, uint64_t node, struct thaw_err *err)
{
	char need[THAW_SIZE_TEXT], have[THAW_SIZE_TEXT], size[THAW_SIZE_TEXT];
	int64_t now = thaw_clock_real_s();
	struct overlap within = { .stage = stage, .node = node, .now = now };
	struct thaw_tree_sum sum;
	struct thaw_pin pin;
	uint64_t pinned = 0;
	int r = thaw_catalog_pin_of(stage->catalog, node, now, &pin);

	if (r != -ENOENT)
		return r; /* covered already: nothing is added */
	r = thaw_catalog_sum(stage->catalog, node, &sum);
	if (r == 0)
		r = thaw_catalog_pinned_bytes(stage->catalog, now, &pinned);
	if (r == 0)
		r = thaw_catalog_pins(stage->catalog, add_overlap, &within);
	if (r < 0)
		return r;
	pinned -= within.bytes < pinned ? within.bytes : pinned;
	if (sum.bytes <= stage->space.size && pinned <= stage->space.size - sum.bytes)
		return 0;
	return thaw_err_set(err, -ENOSPC, "needs %s, %s of the cache's %s are pinned already",
			    thaw_format_size(need, sum.bytes), thaw_format_size(have, pinned),
			    thaw_format_size(size, stage->space.size));
}

int thaw_stage_pin(struct thaw_stage *stage, uint64_t node, uint32_t uid, int64_t expires,
		   const char *label, char ret_request[THAW_REQUEST_ID_TEXT], struct thaw_err *err)
{
	struct thaw_pin pin = {
		.node = node, .owner = uid, .created = thaw_clock_real_s(), .expires = expires,
	};
	size_t len = label ? strlen(label) : 0;
	int r;

	if (len >= sizeof(pin.label))
		return thaw_err_set(err, -EINVAL, "a label has at most %d bytes",
				    THAW_PIN_LABEL_MAX - 1);
	memcpy(pin.label, label ? label : "", len);
	r = check_fit(stage, node, err);
	if (r == 0)
		r = thaw_catalog_pin_set(stage->catalog, &pin);
	if (r == 0)
		r = thaw_stage_request(stage, uid, &node, 1, ret_request, err);
	if (r < 0 && err && !err->text[0])
		thaw_err_set(err, r, "%s", strerror(-r));
	return r;
}

int thaw_stage_unpin(struct thaw_stage *stage, uint64_t node)
{
	int r = thaw_catalog_pin_clear(stage->catalog, node);

	if (r == 0) {
		thaw_mutex_lock(&stage->lock);
		stage_evict_may_free(stage);
		thaw_mutex_unlock(&stage->lock);
	}
	return r == -ENOENT ? -ENODATA : r;
}

int thaw_stage_pins(struct thaw_stage *stage, int (*fn)(void *ctx, const struct thaw_pin *pin),
		    void *ctx)
{
	return thaw_catalog_pins(stage->catalog, fn, ctx);
}

/* ---- evicting by hand ---- */

#define EVICT_BATCH 256

struct evicting {
	struct thaw_stage *stage;
	bool force;
	struct thaw_evict_result *sum;
	struct thaw_candidate rows[EVICT_BATCH];
	size_t n;
};

static int evict_rows(struct evicting *e)
{
	int r = stage_evict_objects(e->stage, e->rows, e->n, e->sum);

	e->n = 0;
	return r;
}

static int evict_file(void *ctx, const struct thaw_node *node)
{
	struct evicting *e = ctx;
	struct thaw_object object;
	struct thaw_pin pin;
	int r = thaw_catalog_object(e->stage->catalog, node->object, &object);

	if (r < 0 || object.residency != THAW_RES_RESIDENT)
		return r == -ENOENT ? 0 : r;
	/* When the catalog cannot say, it is pinned. */
	if (!e->force && thaw_catalog_has_pins(e->stage->catalog) &&
	    thaw_catalog_pin_of(e->stage->catalog, node->id, thaw_clock_real_s(), &pin) !=
		    -ENOENT) {
		e->sum->pinned_files++;
		return 0;
	}
	e->rows[e->n++] = (struct thaw_candidate){
		.object = object.id,
		.node = node->id,
		.bytes = object.bytes,
		.collection = object.collection,
	};
	return e->n == EVICT_BATCH ? evict_rows(e) : 0;
}

int thaw_stage_evict(struct thaw_stage *stage, uint64_t node, bool force,
		     struct thaw_evict_result *ret)
{
	_cleanup_free_ struct evicting *e = calloc(1, sizeof(*e));
	int r;

	*ret = (struct thaw_evict_result){ 0 };
	if (!e)
		return -ENOMEM;
	stage_durable_wait(stage); /* what was read just now may go, too */
	e->stage = stage;
	e->force = force;
	e->sum = ret;
	r = thaw_catalog_each_file(stage->catalog, node, evict_file, e);
	if (r == 0 && e->n)
		r = evict_rows(e);
	thaw_mutex_lock(&stage->lock);
	stage_flight_admit(stage); /* somebody may wait for the room */
	stage_evict_may_free(stage);
	thaw_mutex_unlock(&stage->lock);
	return r;
}

/* ---- status ---- */

/* Those that have not begun: they wait for room, or for a worker. */
static size_t count_idle(const struct flight_list *list)
{
	const struct flight *f = list->head;
	size_t n = 0;

	while (f) {
		n += f->state == FLIGHT_SPACE || f->state == FLIGHT_PREPARE;
		f = f->next == list->head ? NULL : f->next;
	}
	return n;
}

static void count_flights(struct thaw_stage *stage, struct thaw_status *s)
{
	thaw_mutex_lock(&stage->lock);
	s->flights = stage->queue.count;
	s->waiters = stage->waiters;
	s->flights_waiting_space = count_idle(&stage->queue.space);
	s->queue = s->flights_waiting_space + count_idle(&stage->queue.ready) +
		   count_idle(&stage->queue.ready_bulk);
	thaw_mutex_unlock(&stage->lock);
}

static int count_request(void *ctx, const struct thaw_request *r)
{
	struct thaw_status *s = ctx;

	s->requests_open += r->finished == 0;
	return 0;
}

int thaw_stage_status(struct thaw_stage *stage, struct thaw_status *ret)
{
	struct thaw_status s = { .started = stage->started };
	struct thaw_space_use use;
	uint64_t bytes;
	int r;

	stage_durable_wait(stage);
	thaw_space_get(&stage->space, &use);
	s.size = use.size;
	s.resident_bytes = use.resident;
	s.reserved_bytes = use.reserved;
	s.overhead_bytes = use.overhead;
	s.used = use.resident + use.reserved + use.overhead;
	count_flights(stage, &s);
	s.importing = stage_import_running(stage);
	s.hits = atomic_load(&stage->count.hits);
	s.misses = atomic_load(&stage->count.misses);
	s.streams = atomic_load(&stage->count.streams);
	s.staged_files = atomic_load(&stage->count.staged_files);
	s.staged_bytes = atomic_load(&stage->count.staged_bytes);
	s.evicted_files = atomic_load(&stage->count.evicted_files);
	s.evicted_bytes = atomic_load(&stage->count.evicted_bytes);
	s.failures = atomic_load(&stage->count.failures);
	r = thaw_catalog_resident_totals(stage->catalog, &s.resident_files, &bytes);
	if (r == 0)
		r = thaw_catalog_pinned_bytes(stage->catalog, thaw_clock_real_s(), &s.pinned_bytes);
	if (r == 0)
		r = thaw_catalog_totals(stage->catalog, &s.files, &s.bytes);
	if (r == 0)
		r = thaw_catalog_requests(stage->catalog, 1000, count_request, &s);
	if (r == 0)
		*ret = s;
	return r;
}

int thaw_stage_archives(struct thaw_stage *stage,
			int (*fn)(void *ctx, const struct thaw_archive_status *s), void *ctx)
{
	int r = 0;

	for (size_t i = 0; i < stage->archive_count && r == 0; i++) {
		struct stage_archive *a = &stage->archives[i];
		struct thaw_archive_status s = { .name = a->conf->name, .type = a->conf->type };

		thaw_mutex_lock(&stage->lock);
		s.reachable = a->reachable;
		s.error_at = a->error_at;
		memcpy(s.error, a->error, sizeof(s.error));
		s.active = a->active;
		thaw_mutex_unlock(&stage->lock);
		r = fn(ctx, &s);
	}
	return r;
}
