/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * evict.c - making room.
 *
 * One thread.  It looks at the budget whenever it is kicked, asks the catalog
 * for candidates, the policy for victims, and takes those away that nobody
 * uses; then it lets in the flights that waited for room.
 *
 * A victim goes like this: uses 0 -> GONE (no open can take it any more), row
 * LEAVING, front doors let go, unlink, row away, budget released.  A crash
 * leaves a LEAVING row, which recovery finishes.  When the file turns out to
 * be mapped somewhere it stays: the row goes back and opens go on.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "catalog/pin.h"
#include "policy/evict.h"
#include "stage/admin.h"
#include "stage/impl.h"

#define CANDIDATES 2048
#define BATCH 256
#define BARREN_PAUSE_NS (200 * THAW_NS_PER_MS)

struct victim {
	struct thaw_obj *obj;
	bool brought; /* not in memory before: its row may have gone since it was read */
	bool ours;    /* the row is LEAVING, by us */
	bool gone;
};

void stage_evict_kick(struct thaw_stage *stage)
{
	thaw_mutex_assert_held(&stage->lock);
	stage->evict_asked = true;
	thaw_cond_signal(&stage->evict_wanted);
}

void stage_evict_may_free(struct thaw_stage *stage)
{
	stage->evict_hope = true;
	stage_evict_kick(stage);
}

/* ---- taking victims ---- */

/* engine held.  The object for a row nobody has in memory. */
static struct thaw_obj *bring_in(struct thaw_stage *stage, const struct thaw_candidate *row)
{
	struct thaw_obj *obj = stage_obj_add(stage, row->node);

	if (!obj)
		return NULL;
	obj->id = row->object;
	obj->collection = row->collection;
	obj->bytes = row->bytes;
	stage_obj_set_state(stage, obj, OBJ_RESIDENT);
	return obj;
}

static struct thaw_obj *claim(struct thaw_stage *stage, const struct thaw_candidate *row,
			      bool *ret_brought)
{
	struct thaw_obj *obj;
	int none = 0;

	thaw_mutex_lock(&stage->lock);
	obj = stage_obj_find(stage, row->node);
	*ret_brought = !obj;
	if (!obj)
		obj = bring_in(stage, row);
	if (obj && (atomic_load(&obj->state) != OBJ_RESIDENT || obj->settling ||
		    obj->id != row->object ||
		    !atomic_compare_exchange_strong(&obj->uses, &none, OBJ_USES_GONE))) {
		thaw_mutex_unlock(&stage->lock);
		thaw_obj_put(stage, obj);
		return NULL;
	}
	if (obj)
		stage_obj_set_state(stage, obj, OBJ_LEAVING);
	thaw_mutex_unlock(&stage->lock);
	return obj;
}

static void let_go_of(struct thaw_stage *stage, struct thaw_obj *obj)
{
	int fd;

	if (stage->events.leaving)
		stage->events.leaving(stage->events.ctx, obj->node);
	if ((fd = atomic_exchange(&obj->fd, -1)) >= 0)
		close(fd);
	if ((fd = atomic_exchange(&obj->part_fd, -1)) >= 0)
		close(fd);
}

/*
 * Gone, or staying after all: either way the next open asks the catalog, so
 * the object in memory is forgotten.  If somebody waits already, his open is
 * the next one.
 */
static void forget(struct thaw_stage *stage, struct thaw_obj *obj, bool is_gone)
{
	bool waited_for;

	thaw_mutex_lock(&stage->lock);
	waited_for = obj->waiting.head;
	atomic_store(&obj->uses, 0);
	if (!waited_for)
		stage_obj_unhash(stage, obj);
	stage_obj_set_state(stage, obj, waited_for ? OBJ_LOADING : OBJ_ABSENT);
	if (is_gone)
		thaw_space_release(&stage->space, obj->bytes);
	thaw_mutex_unlock(&stage->lock);
	if (waited_for)
		stage_open_again(stage, obj);
}

/* A row that somebody else took away since we read it is not ours to take again.  True: the
 * file may be unlinked. */
static bool check_row(struct thaw_stage *stage, struct victim *victim)
{
	struct thaw_object row;
	int r;

	victim->ours = true;
	if (!victim->brought)
		return true;
	r = thaw_catalog_object(stage->catalog, victim->obj->id, &row);
	victim->ours = r == 0 ? row.residency == THAW_RES_LEAVING : r != -ENOENT;
	if (r == 0)
		victim->obj->bytes = row.bytes;
	return r == 0 && victim->ours;
}

/* Unlinks the files of those that are LEAVING; what is in use stays. */
static int remove_files(struct thaw_stage *stage, struct victim *victims, size_t n)
{
	uint64_t ids[BATCH];
	struct victim *of[BATCH];
	int codes[BATCH], r;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (check_row(stage, &victims[i])) {
			of[count] = &victims[i];
			ids[count++] = victims[i].obj->id;
		}
	}
	r = thaw_store_remove_many(stage->store, ids, count, codes);
	for (size_t i = 0; i < count; i++) {
		of[i]->gone = r == 0 && codes[i] == 0;
		/* Without a sync a name may come back: its row stays LEAVING. */
		of[i]->ours = r == 0 || codes[i] != 0;
	}
	return r;
}

/* What became of them goes into the rows. */
static int settle_rows(struct thaw_stage *stage, const struct victim *victims, size_t n)
{
	uint64_t left[BATCH], stay[BATCH];
	size_t n_left = 0, n_stay = 0;
	int r = 0, r2 = 0;

	for (size_t i = 0; i < n; i++) {
		if (victims[i].gone)
			left[n_left++] = victims[i].obj->id;
		else if (victims[i].ours)
			stay[n_stay++] = victims[i].obj->id;
	}
	if (n_left)
		r = thaw_catalog_left(stage->catalog, left, n_left);
	if (n_stay)
		r2 = thaw_catalog_stay(stage->catalog, stay, n_stay);
	return r < 0 ? r : r2;
}

static void count_victims(struct thaw_stage *stage, const struct victim *victims, size_t n,
			  struct thaw_evict_result *sum)
{
	for (size_t i = 0; i < n; i++) {
		if (!victims[i].gone) {
			sum->busy_files += victims[i].ours;
			continue;
		}
		sum->evicted_files++;
		sum->evicted_bytes += victims[i].obj->bytes;
		atomic_fetch_add(&stage->count.evicted_files, 1);
		atomic_fetch_add(&stage->count.evicted_bytes, victims[i].obj->bytes);
	}
}

/* Rows first, then files, then rows: see the top. */
static int remove_batch(struct thaw_stage *stage, struct victim *victims, size_t n,
			struct thaw_evict_result *sum)
{
	uint64_t ids[BATCH];
	int r, r2 = 0;

	for (size_t i = 0; i < n; i++)
		ids[i] = victims[i].obj->id;
	r = thaw_catalog_leaving(stage->catalog, ids, n);
	for (size_t i = 0; i < n; i++)
		let_go_of(stage, victims[i].obj);
	if (r == 0) {
		r = remove_files(stage, victims, n);
		r2 = settle_rows(stage, victims, n);
	}
	count_victims(stage, victims, n, sum);
	for (size_t i = 0; i < n; i++) {
		forget(stage, victims[i].obj, victims[i].gone);
		thaw_obj_put(stage, victims[i].obj);
	}
	return r < 0 ? r : r2;
}

int stage_evict_objects(struct thaw_stage *stage, const struct thaw_candidate *rows, size_t n,
			struct thaw_evict_result *sum)
{
	struct victim victims[BATCH];
	int r = 0;

	for (size_t i = 0; i < n && r == 0;) {
		size_t taken = 0;

		for (; i < n && taken < BATCH; i++) {
			bool brought;
			struct thaw_obj *obj = claim(stage, &rows[i], &brought);

			if (obj)
				victims[taken++] = (struct victim){ .obj = obj, .brought = brought };
			else
				sum->busy_files++;
		}
		if (taken)
			r = remove_batch(stage, victims, taken, sum);
	}
	if (r < 0)
		thaw_error("evicting: the catalog: %s", strerror(-r));
	return r;
}

/* ---- choosing them ---- */

static bool is_pinned(struct thaw_stage *stage, uint64_t node, int64_t now)
{
	struct thaw_pin pin;

	/* When the catalog cannot say, it is pinned. */
	return thaw_catalog_has_pins(stage->catalog) &&
	       thaw_catalog_pin_of(stage->catalog, node, now, &pin) != -ENOENT;
}

static bool is_busy(struct thaw_stage *stage, uint64_t node)
{
	struct thaw_obj *obj;
	bool busy = false;

	thaw_mutex_lock(&stage->lock);
	HASH_FIND(hh, stage->objects, &node, sizeof(node), obj);
	if (obj)
		busy = atomic_load(&obj->state) != OBJ_RESIDENT || obj->settling ||
		       atomic_load(&obj->uses) != 0;
	thaw_mutex_unlock(&stage->lock);
	return busy;
}

static enum thaw_policy policy_of(const struct thaw_stage *stage)
{
	switch (stage->conf->policy) {
	case THAW_EVICT_FIFO:
		return THAW_POLICY_FIFO;
	case THAW_EVICT_RANDOM:
		return THAW_POLICY_RANDOM;
	case THAW_EVICT_LRU:
	case THAW_EVICT_ORDER:
		break;
	}
	return THAW_POLICY_LRU;
}

static void describe(struct thaw_stage *stage, const struct thaw_candidate *row, int64_t now,
		     struct thaw_policy_candidate *ret)
{
	*ret = (struct thaw_policy_candidate){
		.object = row->object,
		.bytes = row->bytes,
		.last_used = row->last_used,
		.staged_at = row->staged_at,
		.hits = row->hits,
		.cost = 1.0,
		.busy = is_busy(stage, row->node),
		.pinned = !row->dead && is_pinned(stage, row->node, now),
		.dead = row->dead,
	};
}

struct round {
	struct thaw_candidate rows[CANDIDATES];
	struct thaw_policy_candidate seen[CANDIDATES];
	struct thaw_candidate victims[CANDIDATES];
	size_t order[CANDIDATES];
};

/* One page of candidates.  Takes victims from it until the sum is `need`, if it can: those
 * that turn out to be mapped make way for the next in order. */
static int evict_from(struct thaw_stage *stage, struct round *round, size_t n, uint64_t need,
		      struct thaw_evict_result *sum)
{
	int64_t now = thaw_clock_real_s();
	uint64_t bytes, seed = (uint64_t)thaw_clock_mono_ns();
	size_t chosen = 1;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		describe(stage, &round->rows[i], now, &round->seen[i]);
	while (r == 0 && chosen && sum->evicted_bytes < need) {
		chosen = thaw_policy_victims(policy_of(stage), round->seen, n,
					     need - sum->evicted_bytes, seed, round->order, &bytes);
		for (size_t i = 0; i < chosen; i++) {
			round->victims[i] = round->rows[round->order[i]];
			round->seen[round->order[i]].busy = true; /* not again */
		}
		r = stage_evict_objects(stage, round->victims, chosen, sum);
	}
	return r;
}

static int evict_bytes(struct thaw_stage *stage, uint64_t need, struct thaw_evict_result *sum)
{
	_cleanup_free_ struct round *round = malloc(sizeof(*round));
	enum thaw_candidate_order order = policy_of(stage) == THAW_POLICY_FIFO ?
						  THAW_BY_STAGED_AT :
						  THAW_BY_LAST_USED;
	int64_t after_time = 0;
	uint64_t after_id = 0;
	size_t n = 0;
	int r = round ? 0 : -ENOMEM;

	stage_touch_flush(stage);
	while (r == 0 && sum->evicted_bytes < need) {
		r = thaw_catalog_candidates(stage->catalog, order, after_time, after_id,
					    round->rows, CANDIDATES, &n);
		if (r < 0 || n == 0)
			break;
		after_time = order == THAW_BY_STAGED_AT ? round->rows[n - 1].staged_at :
							  round->rows[n - 1].last_used;
		after_id = round->rows[n - 1].object;
		r = evict_from(stage, round, n, need, sum);
	}
	return r;
}

/* ---- the thread ---- */

static uint64_t excess(struct thaw_stage *stage)
{
	struct thaw_space_use use;

	thaw_space_get(&stage->space, &use);
	return thaw_policy_excess(use.size, use.resident + use.reserved + use.overhead,
				  stage->conf->high, stage->conf->low,
				  stage_flight_space_wanted(stage));
}

/* engine held.  True when waiting longer could help: something is in use or on its way. */
static bool may_free_later(const struct thaw_stage *stage)
{
	size_t waiting = 0;

	if (stage->queue.space.head) {
		const struct flight *f = stage->queue.space.head;

		do {
			waiting++;
			f = f->next;
		} while (f != stage->queue.space.head);
	}
	if (stage->queue.count > waiting)
		return true;
	for (const struct thaw_obj *o = stage->objects; o; o = o->hh.next)
		if (atomic_load(&o->uses) > 0)
			return true;
	return false;
}

/* engine held.  A flight that has waited long enough for room, or would for ever. */
static struct flight *take_hopeless(struct thaw_stage *stage, bool hopeless, int64_t now,
				    int64_t *ret_next)
{
	struct flight *f = stage->queue.space.head;

	*ret_next = INT64_MAX;
	while (f) {
		if (f->bulk ? hopeless : f->space_deadline_ns <= now) {
			stage_flight_unline(stage, f);
			return f;
		}
		if (!f->bulk && f->space_deadline_ns < *ret_next)
			*ret_next = f->space_deadline_ns;
		f = f->next == stage->queue.space.head ? NULL : f->next;
	}
	return NULL;
}

/* engine held on entry and exit.  barren: a pass just found nothing that may go, now or
 * once somebody is done with it. */
static int64_t refuse_hopeless(struct thaw_stage *stage, bool barren)
{
	struct flight *flight;
	int64_t next;

	for (;;) {
		bool hopeless = barren && !stage->evict_hope && !may_free_later(stage);
		int status;

		flight = take_hopeless(stage, hopeless, thaw_clock_mono_ns(), &next);
		if (!flight)
			return next;
		status = flight->bulk ? -ENOSPC : -EAGAIN;
		thaw_mutex_unlock(&stage->lock);
		stage_flight_end(stage, flight, status);
		thaw_mutex_lock(&stage->lock);
	}
}

/* engine held on entry and exit. */
static int64_t make_room(struct thaw_stage *stage)
{
	uint64_t need = excess(stage);
	struct thaw_evict_result sum = { 0 };
	bool barren = false;

	stage->evict_asked = false;
	/* A full pass over the candidates that freed nothing is not repeated at once. */
	if (need && thaw_clock_mono_ns() >= stage->evict_barren_until_ns) {
		stage->evict_hope = false;
		stage->evict_barren_until_ns = 0;
		thaw_mutex_unlock(&stage->lock);
		barren = evict_bytes(stage, need, &sum) == 0 && !sum.busy_files;
		thaw_mutex_lock(&stage->lock);
		if (!sum.evicted_files)
			stage->evict_barren_until_ns = thaw_clock_mono_ns() + BARREN_PAUSE_NS;
	}
	stage_flight_admit(stage);
	if (sum.evicted_files)
		return 0; /* look again at once */
	return refuse_hopeless(stage, barren);
}

static void *evictor(void *arg)
{
	struct thaw_stage *stage = arg;

	thaw_mutex_lock(&stage->lock);
	while (!stage->stopping) {
		int64_t next = make_room(stage);
		/* Mappings end without telling anybody: look again now and then. */
		int64_t poll = stage->queue.space.head ?
				       thaw_clock_mono_ns() + BARREN_PAUSE_NS :
				       INT64_MAX;

		if (poll < next)
			next = poll;
		if (next == 0 || stage->evict_asked || stage->stopping)
			continue;
		if (next == INT64_MAX)
			thaw_cond_wait(&stage->evict_wanted, &stage->lock);
		else
			thaw_cond_wait_until(&stage->evict_wanted, &stage->lock, next);
	}
	thaw_mutex_unlock(&stage->lock);
	return NULL;
}

int stage_evict_start(struct thaw_stage *stage)
{
	int r = thaw_thread_start(&stage->evictor, "thaw-evict", evictor, stage);

	stage->evictor_runs = r == 0;
	return r;
}

void stage_evict_stop(struct thaw_stage *stage)
{
	if (!stage->evictor_runs)
		return;
	thaw_mutex_lock(&stage->lock);
	stage->stopping = true;
	thaw_cond_broadcast(&stage->evict_wanted);
	thaw_mutex_unlock(&stage->lock);
	pthread_join(stage->evictor, NULL);
	stage->evictor_runs = false;
}
