/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * import.c - the import's sessions and who waits for them; see import.h.
 */
#include "stage/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "catalog/tree.h"
#include "stage/impl.h"

static void push(struct stage_import *im, struct import_dir *dir)
{
	dir->prev = NULL;
	dir->next = im->stack;
	if (im->stack)
		im->stack->prev = dir;
	im->stack = dir;
}

static void unstack(struct stage_import *im, struct import_dir *dir)
{
	if (dir->prev)
		dir->prev->next = dir->next;
	else
		im->stack = dir->next;
	if (dir->next)
		dir->next->prev = dir->prev;
	dir->prev = dir->next = NULL;
}

static void begin_session(struct stage_import *im)
{
	im->running = true;
	im->ticket++;
	im->progress = (struct thaw_import_progress){
		.running = true,
		.started = thaw_clock_real_s(),
	};
}

struct import_dir *stage_import_add(struct stage_import *im, uint64_t node, uint32_t collection,
				    bool recursive, bool allow_empty)
{
	struct import_dir *dir;

	thaw_mutex_assert_held(&im->lock);
	HASH_FIND(hh, im->dirs, &node, sizeof(node), dir);
	if (dir) {
		dir->recursive |= recursive;
		dir->allow_empty |= allow_empty;
		return dir;
	}
	dir = calloc(1, sizeof(*dir));
	if (!dir)
		return NULL;
	dir->node = node;
	dir->collection = collection;
	dir->recursive = recursive;
	dir->allow_empty = allow_empty;
	if (!im->running)
		begin_session(im);
	HASH_ADD(hh, im->dirs, node, sizeof(dir->node), dir);
	push(im, dir);
	thaw_cond_signal(&im->work);
	return dir;
}

void stage_import_to_top(struct stage_import *im, struct import_dir *dir)
{
	if (dir->state != IMPORT_QUEUED || im->stack == dir)
		return;
	unstack(im, dir);
	push(im, dir);
}

void stage_import_remove(struct stage_import *im, struct import_dir *dir, int status,
			 struct wait_list *out)
{
	thaw_mutex_assert_held(&im->lock);
	stage_wait_take_all(&dir->waits, status, out);
	if (dir->state == IMPORT_QUEUED)
		unstack(im, dir);
	HASH_DELETE(hh, im->dirs, dir);
	thaw_listing_free(dir->listing);
	free(dir);
}

void stage_import_note_error(struct stage_import *im, int error, const char *text)
{
	im->progress.errors++;
	if (im->progress.message[0])
		return;
	im->progress.error = error;
	snprintf(im->progress.message, sizeof(im->progress.message), "%s", text);
}

/* ---- asking for an import ---- */

static int ask_for(struct stage_import *im, uint64_t node, uint32_t collection, bool recursive,
		   bool allow_empty)
{
	int r = 0;

	thaw_mutex_lock(&im->lock);
	if (im->stopping)
		r = -ESHUTDOWN;
	else if (!stage_import_add(im, node, collection, recursive, allow_empty))
		r = -ENOMEM;
	thaw_mutex_unlock(&im->lock);
	return r;
}

/* Every collection that stands at or below `node`. */
static int add_collections(struct thaw_stage *stage, uint64_t node, bool allow_empty)
{
	struct stage_import *im = stage->import;
	int r = 0, added = 0;

	for (size_t i = 0; i < stage->collection_count && r == 0; i++) {
		const struct stage_collection *c = &stage->collections[i];
		bool below = node == stage->root;

		if (!below)
			r = thaw_catalog_is_below(stage->catalog, c->root, node, &below);
		if (r < 0 || !below)
			continue;
		r = ask_for(im, c->root, c->id, true, allow_empty);
		added++;
	}
	return r < 0 ? r : added ? 0 : -ENOENT;
}

int thaw_stage_import(struct thaw_stage *stage, uint64_t node, bool allow_empty,
		      uint64_t *ret_ticket)
{
	struct stage_import *im = stage->import;
	struct thaw_node at;
	int r = thaw_catalog_node(stage->catalog, node, &at);

	if (r < 0)
		return r;
	if (node == stage->root || !stage_collection_of(stage, at.collection)) {
		r = add_collections(stage, node, allow_empty);
	} else {
		bool is_dir = at.type == THAW_TYPE_DIR;

		r = ask_for(im, is_dir ? node : at.parent, at.collection, is_dir, allow_empty);
	}
	if (r < 0)
		return r;
	thaw_mutex_lock(&im->lock);
	*ret_ticket = im->ticket;
	thaw_mutex_unlock(&im->lock);
	return 0;
}

int thaw_stage_import_progress(struct thaw_stage *stage, uint64_t ticket,
			       struct thaw_import_progress *ret)
{
	struct stage_import *im = stage->import;
	int r = 0;

	thaw_mutex_lock(&im->lock);
	if (ticket != im->ticket) {
		r = -ENOENT;
	} else {
		*ret = im->progress;
		ret->running = im->running;
		ret->dirs_waiting = HASH_COUNT(im->dirs);
	}
	thaw_mutex_unlock(&im->lock);
	return r;
}

bool stage_import_running(struct thaw_stage *stage)
{
	bool running;

	thaw_mutex_lock(&stage->import->lock);
	running = stage->import->running;
	thaw_mutex_unlock(&stage->import->lock);
	return running;
}

static int found_one(void *ctx, const struct thaw_node *node)
{
	(void)ctx;
	return node->listed == THAW_UNLISTED;
}

bool stage_import_knows_more_soon(struct thaw_stage *stage)
{
	if (!stage_import_running(stage))
		return false;
	for (size_t i = 0; i < stage->collection_count; i++)
		if (thaw_catalog_each_unlisted(stage->catalog, stage->collections[i].id, found_one,
					       NULL) > 0)
			return true;
	return false;
}

/* ---- waiting for a directory ---- */

/* import held.  False: nobody is about to list it. */
static bool park_if_there(struct stage_import *im, uint64_t node, struct thaw_wait *wait)
{
	struct import_dir *dir;

	HASH_FIND(hh, im->dirs, &node, sizeof(node), dir);
	if (!dir)
		return false;
	stage_import_to_top(im, dir);
	stage_wait_park(&dir->waits, wait, WAIT_DIR);
	return true;
}

int thaw_stage_want_dir(struct thaw_stage *stage, uint64_t node, struct thaw_wait *wait)
{
	struct stage_import *im = stage->import;
	struct thaw_node at;
	bool parked;
	int r;

	thaw_mutex_lock(&im->lock);
	parked = !im->stopping && park_if_there(im, node, wait);
	thaw_mutex_unlock(&im->lock);
	if (parked)
		return -EINPROGRESS;
	/* Its listing may have been merged since the caller looked. */
	r = thaw_catalog_node(stage->catalog, node, &at);
	if (r == 0 && at.type != THAW_TYPE_DIR)
		r = -ENOTDIR;
	if (r < 0 || at.listed != THAW_UNLISTED)
		return r < 0 ? r : at.listed == THAW_LIST_FAILED ? -EIO : 0;

	thaw_mutex_lock(&im->lock);
	if (im->stopping)
		r = -ESHUTDOWN;
	else if (!stage_import_add(im, node, at.collection, true, false))
		r = -ENOMEM;
	else
		(void)park_if_there(im, node, wait);
	thaw_mutex_unlock(&im->lock);
	return r < 0 ? r : -EINPROGRESS;
}

bool stage_import_cancel(struct thaw_stage *stage, struct thaw_wait *wait)
{
	struct stage_import *im = stage->import;
	struct wait_list gone = { NULL };
	bool taken;

	thaw_mutex_lock(&im->lock);
	taken = wait->owner;
	if (taken)
		stage_wait_take(wait, -ECANCELED, &gone);
	thaw_mutex_unlock(&im->lock);
	return taken;
}

/* ---- life ---- */

int stage_import_new(struct thaw_stage *stage)
{
	struct stage_import *im = calloc(1, sizeof(*im));

	if (!im)
		return -ENOMEM;
	im->stage = stage;
	thaw_mutex_init(&im->lock, THAW_RANK_IMPORT);
	thaw_cond_init(&im->work);
	thaw_cond_init(&im->listed);
	thaw_cond_init(&im->drained);
	stage->import = im;
	return 0;
}

static int add_unlisted(void *ctx, const struct thaw_node *node)
{
	struct stage_import *im = ctx;

	return ask_for(im, node->id, node->collection, true, false);
}

/* What was never listed: all of a new collection, or what an interrupted import left. */
static int resume(struct thaw_stage *stage)
{
	int r = 0;

	for (size_t i = 0; i < stage->collection_count && r == 0; i++)
		r = thaw_catalog_each_unlisted(stage->catalog, stage->collections[i].id,
					       add_unlisted, stage->import);
	return r;
}

int stage_import_start(struct thaw_stage *stage)
{
	struct stage_import *im = stage->import;
	unsigned n = stage->conf->import_workers;
	int r;

	r = thaw_thread_start(&im->committer, "thaw-import", stage_import_committer, im);
	if (r < 0)
		return r;
	im->committer_runs = true;
	if (n > IMPORT_MAX_WALKERS)
		n = IMPORT_MAX_WALKERS;
	for (unsigned i = 0; i < n; i++) {
		char name[24];

		snprintf(name, sizeof(name), "thaw-walk-%u", i);
		r = thaw_thread_start(&im->walkers[i], name, stage_import_walker, im);
		if (r < 0)
			return r;
		im->walker_count++;
	}
	return resume(stage);
}

void stage_import_stop(struct thaw_stage *stage)
{
	struct stage_import *im = stage->import;
	struct wait_list done = { NULL };
	struct import_dir *dir, *next;

	if (!im)
		return;
	thaw_mutex_lock(&im->lock);
	im->stopping = true;
	atomic_store(&im->cancel, 1);
	thaw_cond_broadcast(&im->work);
	thaw_cond_broadcast(&im->listed);
	thaw_cond_broadcast(&im->drained);
	thaw_mutex_unlock(&im->lock);
	for (unsigned i = 0; i < im->walker_count; i++)
		pthread_join(im->walkers[i], NULL);
	im->walker_count = 0;
	if (im->committer_runs)
		pthread_join(im->committer, NULL);
	im->committer_runs = false;
	thaw_mutex_lock(&im->lock);
	HASH_ITER(hh, im->dirs, dir, next)
		stage_import_remove(im, dir, -ESHUTDOWN, &done);
	thaw_mutex_unlock(&im->lock);
	stage_wait_finish(&done);
}

void stage_import_free(struct thaw_stage *stage)
{
	struct stage_import *im = stage->import;

	if (!im)
		return;
	thaw_cond_destroy(&im->work);
	thaw_cond_destroy(&im->listed);
	thaw_cond_destroy(&im->drained);
	thaw_mutex_destroy(&im->lock);
	free(im);
	stage->import = NULL;
}
