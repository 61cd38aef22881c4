/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * import_merge.c - the committer: finished listings go into the catalog, and
 * those who must know of changes are told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "catalog/tree.h"
#include "stage/impl.h"
#include "stage/import.h"

#define BATCH_DIRS 512
#define BATCH_ENTRIES 20000

struct batch {
	struct import_dir *dirs[BATCH_DIRS];
	struct thaw_listing *listings[BATCH_DIRS];
	int results[BATCH_DIRS];
	size_t n;
};

/* import held.  False: stop. */
static bool take_batch(struct stage_import *im, struct batch *batch)
{
	size_t entries = 0;

	batch->n = 0;
	while (!im->merge_first && !im->stopping)
		thaw_cond_wait(&im->listed, &im->lock);
	if (im->stopping)
		return false;
	while (im->merge_first && batch->n < BATCH_DIRS && entries < BATCH_ENTRIES) {
		struct import_dir *dir = im->merge_first;

		im->merge_first = dir->merge_next;
		if (!im->merge_first)
			im->merge_last = NULL;
		if (dir->listing)
			entries += dir->listing->count;
		batch->dirs[batch->n++] = dir;
	}
	im->merge_entries -= entries;
	thaw_cond_broadcast(&im->drained);
	return true;
}

static void ingest_one_by_one(struct stage_import *im, struct batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		batch->results[i] =
			batch->dirs[i]->listing ?
				thaw_catalog_ingest(im->stage->catalog,
						    &batch->dirs[i]->listing, 1) :
				-ENOMEM;
}

static void ingest(struct stage_import *im, struct batch *batch)
{
	bool whole = true;
	int r = -ENOMEM;

	for (size_t i = 0; i < batch->n; i++) {
		batch->listings[i] = batch->dirs[i]->listing;
		whole &= batch->listings[i] != NULL;
	}
	if (whole)
		r = thaw_catalog_ingest(im->stage->catalog, batch->listings, batch->n);
	/* All or nothing: one that cannot be merged must not hold up the rest. */
	if (r < 0)
		ingest_one_by_one(im, batch);
	else
		memset(batch->results, 0, sizeof(batch->results));
}

/* The object in memory of a node that must not be opened any more. */
static void retire(struct thaw_stage *stage, uint64_t node, int error)
{
	struct thaw_obj *obj;
	int state;

	thaw_mutex_lock(&stage->lock);
	obj = stage_obj_find(stage, node);
	/* Or the next open could bring the object anew while it settles: two
	 * parts of one name. */
	if (obj && obj->settling) {
		thaw_mutex_unlock(&stage->lock);
		stage_durable_wait(stage);
		thaw_mutex_lock(&stage->lock);
	}
	state = obj ? atomic_load(&obj->state) : OBJ_ABSENT;
	if (state == OBJ_RESIDENT || state == OBJ_LOADING) {
		atomic_store(&obj->error, error);
		stage_obj_unhash(stage, obj);
	}
	if (state == OBJ_RESIDENT)
		stage_obj_set_state(stage, obj, OBJ_DEAD);
	thaw_mutex_unlock(&stage->lock);
	if (!obj)
		return;
	if (stage->events.leaving)
		stage->events.leaving(stage->events.ctx, node);
	thaw_obj_put(stage, obj);
}

/* The nodes of all objects in memory; *ret: owned. */
static size_t nodes_in_memory(struct thaw_stage *stage, uint64_t **ret)
{
	struct thaw_obj *obj, *next;
	size_t n = 0;

	thaw_mutex_lock(&stage->lock);
	*ret = calloc(HASH_COUNT(stage->objects) + 1, sizeof(**ret));
	if (*ret)
		HASH_ITER(hh, stage->objects, obj, next)
			(*ret)[n++] = obj->node;
	thaw_mutex_unlock(&stage->lock);
	return n;
}

/* A directory that went takes its tree with it, of which no change tells. */
static void retire_lost_trees(struct thaw_stage *stage)
{
	_cleanup_free_ uint64_t *nodes = NULL;
	size_t n = nodes_in_memory(stage, &nodes);
	struct thaw_node node;

	for (size_t i = 0; i < n; i++)
		if (thaw_catalog_node(stage->catalog, nodes[i], &node) == 0 && node.lost)
			retire(stage, nodes[i], -EIO);
}

static bool is_dir(struct thaw_stage *stage, uint64_t id)
{
	struct thaw_node node;

	return thaw_catalog_node(stage->catalog, id, &node) == 0 && node.type == THAW_TYPE_DIR;
}

/* Did the change take a directory away, or put something else in its place? */
static bool takes_tree(struct thaw_stage *stage, const struct thaw_change *change)
{
	if (change->kind == THAW_CHANGE_LOST)
		return is_dir(stage, change->node);
	return change->kind == THAW_CHANGE_REPLACED && is_dir(stage, change->old_node);
}

static void tell(struct thaw_stage *stage, const struct thaw_listing *listing,
		 const struct thaw_change *change)
{
	const struct thaw_stage_events *ev = &stage->events;

	switch (change->kind) {
	case THAW_CHANGE_CONTENT:
	case THAW_CHANGE_REPLACED:
		retire(stage, change->old_node, -ESTALE);
		/* fall through */
	case THAW_CHANGE_NEW:
		if (ev->entry_changed)
			ev->entry_changed(ev->ctx, listing->dir, listing->names + change->name_off,
					  change->name_len);
		break;
	case THAW_CHANGE_LOST:
		retire(stage, change->node, -EIO);
		/* fall through */
	case THAW_CHANGE_ATTR:
	case THAW_CHANGE_FOUND:
		if (ev->node_changed)
			ev->node_changed(ev->ctx, change->node);
		break;
	}
}

/* import held. */
static void count(struct thaw_import_progress *p, const struct thaw_listing *listing)
{
	p->dirs++;
	p->entries += listing->count;
	for (size_t i = 0; i < listing->change_count; i++) {
		switch (listing->changes[i].kind) {
		case THAW_CHANGE_NEW:
			p->added++;
			break;
		case THAW_CHANGE_CONTENT:
		case THAW_CHANGE_REPLACED:
		case THAW_CHANGE_ATTR:
			p->changed++;
			break;
		case THAW_CHANGE_LOST:
			p->lost++;
			break;
		case THAW_CHANGE_FOUND:
			p->found++;
			break;
		}
	}
}

static const char *merge_error_text(int r)
{
	return r == -ENODATA ? "the archive lists nothing where the catalog knows files; "
			       "if that is true, import with --allow-empty" :
			       strerror(-r);
}

/* import held.  The directory leaves the session; its subdirectories join. */
static void settle(struct stage_import *im, struct import_dir *dir, int r, struct wait_list *done)
{
	struct thaw_listing *listing = dir->listing;
	int status = r < 0 ? -EIO : listing->error < 0 ? -EIO : 0;

	if (r < 0)
		stage_import_note_error(im, r, merge_error_text(r));
	else
		count(&im->progress, listing);
	if (r == 0 && dir->recursive)
		/* The last pushed is listed first: names in order. */
		for (size_t i = listing->subdir_count; i-- > 0;)
			if (!stage_import_add(im, listing->subdirs[i].node, dir->collection, true,
					      false))
				stage_import_note_error(im, -ENOMEM, "out of memory");
	stage_import_remove(im, dir, status, done);
}

static void begin(struct stage_import *im)
{
	const struct thaw_stage_events *ev = &im->stage->events;

	if (!im->begun && ev->import_begin)
		ev->import_begin(ev->ctx);
	im->begun = true;
}

static void end(struct stage_import *im, const struct thaw_import_progress *p)
{
	const struct thaw_stage_events *ev = &im->stage->events;

	if (ev->import_end)
		ev->import_end(ev->ctx);
	im->begun = false;
	thaw_info("import: %llu directories, %llu entries: %llu new, %llu changed, %llu lost, "
		  "%llu found again, %llu errors",
		  (unsigned long long)p->dirs, (unsigned long long)p->entries,
		  (unsigned long long)p->added, (unsigned long long)p->changed,
		  (unsigned long long)p->lost, (unsigned long long)p->found,
		  (unsigned long long)p->errors);
}

static void tell_all(struct thaw_stage *stage, const struct batch *batch)
{
	bool trees = false;

	for (size_t i = 0; i < batch->n; i++) {
		const struct thaw_listing *listing = batch->dirs[i]->listing;

		for (size_t k = 0; batch->results[i] == 0 && k < listing->change_count; k++) {
			tell(stage, listing, &listing->changes[k]);
			trees = trees || takes_tree(stage, &listing->changes[k]);
		}
	}
	if (trees)
		retire_lost_trees(stage);
}

/* import held.  True when nothing is left to list. */
static bool session_over(struct stage_import *im)
{
	return im->running && !im->dirs;
}

/* Mode, owner and times of a collection's top directory. */
static void take_own_attributes(struct stage_import *im, const struct import_dir *dir)
{
	const struct thaw_stage_events *ev = &im->stage->events;
	const struct thaw_entry *self = &dir->self;
	struct thaw_node known;
	uint64_t node;

	if (!dir->has_self ||
	    thaw_catalog_node(im->stage->catalog, dir->node, &known) < 0 ||
	    (known.mode == self->mode && known.uid == self->uid && known.gid == self->gid &&
	     known.mtime_ns == self->mtime_ns && known.ctime_ns == self->ctime_ns))
		return;
	if (thaw_catalog_reexamined(im->stage->catalog, dir->node, self, &node) == 0 &&
	    ev->node_changed)
		ev->node_changed(ev->ctx, node);
}

static void merge(struct stage_import *im, struct batch *batch)
{
	struct wait_list done = { NULL };

	begin(im);
	ingest(im, batch);
	tell_all(im->stage, batch);
	for (size_t i = 0; i < batch->n; i++)
		if (batch->results[i] == 0)
			take_own_attributes(im, batch->dirs[i]);
	thaw_mutex_lock(&im->lock);
	for (size_t i = 0; i < batch->n; i++)
		settle(im, batch->dirs[i], batch->results[i], &done);
	thaw_mutex_unlock(&im->lock);
	stage_wait_finish(&done);
}

/* import held.  More may have been asked for meanwhile: then it goes on. */
static void close_session(struct stage_import *im)
{
	if (!session_over(im))
		return;
	im->running = false;
	im->progress.running = false;
	im->progress.finished = thaw_clock_real_s();
}

void *stage_import_committer(void *arg)
{
	struct stage_import *im = arg;
	struct thaw_import_progress last;
	struct batch batch;

	thaw_mutex_lock(&im->lock);
	while (take_batch(im, &batch)) {
		thaw_mutex_unlock(&im->lock);
		merge(im, &batch);
		thaw_mutex_lock(&im->lock);
		if (!session_over(im))
			continue;
		last = im->progress;
		thaw_mutex_unlock(&im->lock);
		end(im, &last);
		thaw_mutex_lock(&im->lock);
		close_session(im);
		thaw_mutex_unlock(&im->lock);
		stage_requests_kick(im->stage); /* some wait for all names */
		thaw_mutex_lock(&im->lock);
	}
	thaw_mutex_unlock(&im->lock);
	return NULL;
}
