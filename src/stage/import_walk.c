/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * import_walk.c - the walkers: one directory after the other is listed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/path.h"
#include "catalog/tree.h"
#include "stage/impl.h"
#include "stage/import.h"

/* Names that wait for the committer; more hold the walkers back. */
#define MERGE_BACKLOG 200000

struct listing_sink {
	struct stage_import *im;
	struct thaw_listing *listing;
};

static int add_entry(void *ctx, const struct thaw_entry *entry)
{
	struct listing_sink *to = ctx;
	char name[256];
	char text[400];
	int r = thaw_listing_add(to->listing, entry);

	if (r != -EINVAL)
		return r;
	thaw_path_quote(name, sizeof(name), entry->name, entry->name_len);
	snprintf(text, sizeof(text), "a name that no directory can hold was left out: %s", name);
	thaw_mutex_lock(&to->im->lock);
	stage_import_note_error(to->im, -EINVAL, text);
	thaw_mutex_unlock(&to->im->lock);
	return 0;
}

/* What it says of the top directory itself; nothing that points anywhere is kept. */
static bool stat_top(struct stage_import *im, struct stage_archive *archive, struct thaw_key at,
		     struct thaw_entry *ret)
{
	struct thaw_call call = { .cancel = &im->cancel };

	if (thaw_archive_stat(archive->ar, at, ret, &call) < 0)
		return false;
	ret->name = ret->target = ret->storage_class = NULL;
	ret->name_len = ret->target_len = 0;
	return true;
}

/* engine-free: archive and catalog calls, no lock. */
static int list(struct stage_import *im, struct import_dir *dir, struct thaw_err *err)
{
	struct stage_collection *c = stage_collection_of(im->stage, dir->collection);
	struct listing_sink to = { im, dir->listing };
	struct thaw_call call = { .cancel = &im->cancel, .err = err };
	struct thaw_buf key;
	int r;

	if (!c)
		return thaw_err_set(err, -ESTALE, "its collection is not configured any more");
	thaw_buf_init(&key, 1 << 20);
	r = stage_key(im->stage, c, dir->node, &key);
	if (r == 0) {
		struct thaw_key at = { key.data, key.len };

		r = thaw_archive_list(c->copies[0]->ar, at, add_entry, &to, &call);
		if (r == 0 && dir->node == c->root)
			dir->has_self = stat_top(im, c->copies[0], at, &dir->self);
		stage_archive_result(im->stage, c->copies[0], r, err->text);
	}
	thaw_buf_release(&key);
	return r;
}

/* import held.  NULL: stop. */
static struct import_dir *next_dir(struct stage_import *im)
{
	struct import_dir *dir;

	while (!im->stopping && !im->stack)
		thaw_cond_wait(&im->work, &im->lock);
	if (im->stopping)
		return NULL;
	dir = im->stack;
	im->stack = dir->next;
	if (im->stack)
		im->stack->prev = NULL;
	dir->next = dir->prev = NULL;
	dir->state = IMPORT_LISTING;
	return dir;
}

/* import held. */
static void hand_over(struct stage_import *im, struct import_dir *dir)
{
	while (im->merge_entries > MERGE_BACKLOG && !im->stopping)
		thaw_cond_wait(&im->drained, &im->lock);
	dir->state = IMPORT_MERGING;
	dir->merge_next = NULL;
	if (im->merge_last)
		im->merge_last->merge_next = dir;
	else
		im->merge_first = dir;
	im->merge_last = dir;
	im->merge_entries += dir->listing ? dir->listing->count : 0;
	thaw_cond_signal(&im->listed);
}

static void describe_failure(struct stage_import *im, struct import_dir *dir, int r,
			     const struct thaw_err *err)
{
	static struct thaw_log_limit limit;
	char text[1024], quoted[256];
	struct thaw_buf path;

	thaw_buf_init(&path, 1 << 20);
	if (thaw_catalog_path(im->stage->catalog, dir->node, &path) < 0)
		thaw_buf_clear(&path);
	thaw_path_quote(quoted, sizeof(quoted), path.data ? path.data : "", path.len);
	snprintf(text, sizeof(text), "listing %s: %s", quoted,
		 err->text[0] ? err->text : strerror(-r));
	thaw_buf_release(&path);
	thaw_log_limited(&limit, LOG_WARNING, "import: %s", text);
	thaw_mutex_lock(&im->lock);
	stage_import_note_error(im, r, text);
	thaw_mutex_unlock(&im->lock);
}

void *stage_import_walker(void *arg)
{
	struct stage_import *im = arg;
	struct import_dir *dir;

	thaw_mutex_lock(&im->lock);
	while ((dir = next_dir(im))) {
		struct thaw_err err = { "" };
		int r = -ENOMEM;

		thaw_mutex_unlock(&im->lock);
		dir->listing = thaw_listing_new(dir->collection, dir->node);
		if (dir->listing) {
			dir->listing->allow_empty = dir->allow_empty;
			dir->listing->error = r = list(im, dir, &err);
		}
		if (r < 0 && r != -ECANCELED)
			describe_failure(im, dir, r, &err);
		thaw_mutex_lock(&im->lock);
		hand_over(im, dir);
	}
	thaw_mutex_unlock(&im->lock);
	return NULL;
}
