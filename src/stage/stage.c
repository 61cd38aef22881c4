/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stage.c - the engine's life: opening all it stands on, starting, stopping.
 */
#include "stage/stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/path.h"
#include "stage/impl.h"

/* ---- opening ---- */

static int open_archives(struct thaw_stage *stage, struct thaw_err *err)
{
	const struct thaw_conf *conf = stage->conf;

	stage->archives = calloc(conf->archive_count, sizeof(*stage->archives));
	if (!stage->archives)
		return -ENOMEM;
	for (size_t i = 0; i < conf->archive_count; i++) {
		struct stage_archive *a = &stage->archives[i];
		int r;

		a->conf = &conf->archives[i];
		a->reachable = true;
		r = thaw_archive_open(a->conf, &a->ar, err);
		if (r < 0) {
			if (conf->archive_count > 1)
				thaw_err_prefix(err, "archive %s", a->conf->name);
			return r;
		}
		stage->archive_count++;
	}
	return 0;
}

static struct stage_archive *archive_named(struct thaw_stage *stage, const char *name)
{
	for (size_t i = 0; i < stage->archive_count; i++)
		if (strcmp(stage->archives[i].conf->name, name) == 0)
			return &stage->archives[i];
	return NULL;
}

/* What makes a collection this one and no other: its first archive and prefix. */
static char *source_of(const struct stage_collection *c)
{
	const struct thaw_conf_archive *a = c->copies[0]->conf;
	const char *where = thaw_conf_archive_get(a, "path");
	const char *bucket = thaw_conf_archive_get(a, "bucket");
	char *text;

	if (!where)
		where = bucket ? bucket : a->name;
	if (asprintf(&text, "%s:%s:%s", strcmp(a->type, "fault") == 0 ? "posix" : a->type, where,
		     c->conf->prefix) < 0)
		return NULL;
	return text;
}

static int attach(struct thaw_stage *stage, struct thaw_collection_spec *specs,
		  struct thaw_err *err)
{
	int r = 0;

	for (size_t i = 0; i < stage->collection_count && r == 0; i++) {
		struct stage_collection *c = &stage->collections[i];

		specs[i].name = c->conf->name;
		specs[i].path = c->conf->path;
		specs[i].source = source_of(c);
		if (!specs[i].source)
			r = -ENOMEM;
	}
	if (r == 0)
		r = thaw_catalog_attach(stage->catalog, specs, stage->collection_count,
					&stage->root);
	if (r < 0)
		return thaw_err_set(err, r, "catalog %s: %s", stage->conf->catalog, strerror(-r));
	for (size_t i = 0; i < stage->collection_count; i++) {
		stage->collections[i].id = specs[i].id;
		stage->collections[i].root = specs[i].root;
	}
	return 0;
}

static int open_collections(struct thaw_stage *stage, struct thaw_err *err)
{
	const struct thaw_conf *conf = stage->conf;
	struct thaw_collection_spec *specs = calloc(conf->collection_count, sizeof(*specs));
	int r;

	stage->collections = calloc(conf->collection_count, sizeof(*stage->collections));
	if (!specs || !stage->collections) {
		free(specs);
		return -ENOMEM;
	}
	for (size_t i = 0; i < conf->collection_count; i++) {
		struct stage_collection *c = &stage->collections[i];

		c->conf = &conf->collections[i];
		for (size_t k = 0; k < c->conf->archive_count; k++)
			c->copies[c->copy_count++] = archive_named(stage, c->conf->archives[k]);
		if (c->copy_count > 1)
			thaw_warn("collection %s: only the first of its archives, %s, is read in "
				  "this version",
				  c->conf->name, c->conf->archives[0]);
	}
	stage->collection_count = conf->collection_count;
	r = attach(stage, specs, err);
	for (size_t i = 0; i < conf->collection_count; i++)
		free((char *)(uintptr_t)specs[i].source);
	free(specs);
	return r;
}

/* What can be written in a configuration and is not in this version is not
 * passed over in silence: somebody relies on it. */
static int check_supported(const struct thaw_conf *conf, struct thaw_err *err)
{
	if (conf->policy == THAW_EVICT_ORDER)
		return thaw_err_set(err, -EINVAL,
				    "policy = order is not in this version; take lru, fifo or random");
	for (size_t i = 0; i < conf->collection_count; i++) {
		const struct thaw_conf_collection *c = &conf->collections[i];

		if (c->fixity && *c->fixity && strcmp(c->fixity, "none") != 0)
			return thaw_err_set(err, -EINVAL,
					    "collection %s: fixity = %s is not in this version; "
					    "take none",
					    c->name, c->fixity);
		if (c->quota)
			return thaw_err_set(err, -EINVAL,
					    "collection %s: quota is not in this version; "
					    "leave it out",
					    c->name);
	}
	return 0;
}

static int open_catalog_and_store(struct thaw_stage *stage, struct thaw_err *err)
{
	const struct thaw_conf *conf = stage->conf;
	/* A new store wants an empty directory, so it comes first when the
	 * catalog is to live in it; else the catalog, whose lock says more. */
	bool store_first = thaw_path_is_under(conf->catalog, conf->cache_path);
	int r = 0;

	if (store_first)
		r = thaw_store_open(conf->cache_path, &stage->space, &stage->store, err);
	if (r == 0)
		r = thaw_catalog_open(conf->catalog, &stage->catalog, err);
	if (r == 0 && !store_first)
		r = thaw_store_open(conf->cache_path, &stage->space, &stage->store, err);
	return r;
}

static void init_locks(struct thaw_stage *stage)
{
	thaw_mutex_init(&stage->lock, THAW_RANK_ENGINE);
	thaw_cond_init(&stage->work);
	thaw_cond_init(&stage->evict_wanted);
	thaw_cond_init(&stage->tick);
	stage_durable_init(stage);
	thaw_space_init(&stage->space, stage->conf->cache_size);
}

int thaw_stage_open_all(const struct thaw_conf *conf, struct thaw_stage **ret, struct thaw_err *err)
{
	struct thaw_stage *stage = calloc(1, sizeof(*stage));
	int r;

	if (!stage)
		return -ENOMEM;
	stage->conf = conf;
	stage->started = thaw_clock_real_s();
	init_locks(stage);
	r = check_supported(conf, err);
	if (r == 0)
		r = open_archives(stage, err);
	if (r == 0)
		r = open_catalog_and_store(stage, err);
	if (r == 0)
		r = stage_pair(stage, err);
	if (r == 0)
		r = stage_recover(stage, err);
	if (r == 0)
		r = open_collections(stage, err);
	if (r == 0)
		r = stage_import_new(stage);
	if (r == 0)
		r = stage_requests_new(stage);
	if (r < 0) {
		if (err && !err->text[0])
			thaw_err_set(err, r, "%s", strerror(-r));
		thaw_stage_free(stage);
		return r;
	}
	*ret = stage;
	return 0;
}

void thaw_stage_set_events(struct thaw_stage *stage, const struct thaw_stage_events *events)
{
	stage->events = *events;
}

/* ---- running ---- */

int thaw_stage_start(struct thaw_stage *stage, struct thaw_err *err)
{
	int r = 0;

	for (size_t i = 0; i < stage->archive_count && r == 0; i++)
		r = thaw_archive_start(stage->archives[i].ar, err);
	if (r == 0)
		r = stage_durable_start(stage);
	if (r == 0)
		r = stage_workers_start(stage, stage->conf->workers);
	if (r == 0)
		r = stage_evict_start(stage);
	if (r == 0)
		r = stage_timer_start(stage);
	if (r == 0)
		r = stage_import_start(stage);
	if (r == 0)
		r = stage_requests_start(stage);
	if (r < 0 && err && !err->text[0])
		thaw_err_set(err, r, "starting the engine: %s", strerror(-r));
	return r;
}

void thaw_stage_stop(struct thaw_stage *stage)
{
	if (!stage)
		return;
	thaw_catalog_stopping(stage->catalog);
	stage_import_stop(stage);
	stage_workers_stop(stage);
	stage_durable_stop(stage);
	stage_requests_stop(stage);
	stage_evict_stop(stage);
	stage_timer_stop(stage);
	stage_touch_flush(stage);
}

struct thaw_stage *thaw_stage_free(struct thaw_stage *stage)
{
	if (!stage)
		return NULL;
	stage_requests_free(stage);
	stage_import_free(stage);
	thaw_store_close(stage->store);
	thaw_catalog_close(stage->catalog);
	for (size_t i = 0; i < stage->archive_count; i++)
		thaw_archive_close(stage->archives[i].ar);
	free(stage->archives);
	free(stage->collections);
	thaw_space_destroy(&stage->space);
	thaw_cond_destroy(&stage->work);
	thaw_cond_destroy(&stage->evict_wanted);
	thaw_cond_destroy(&stage->tick);
	stage_durable_destroy(stage);
	thaw_mutex_destroy(&stage->lock);
	free(stage);
	return NULL;
}

uint64_t thaw_stage_root(const struct thaw_stage *stage)
{
	return stage->root;
}

const struct thaw_conf *thaw_stage_conf(const struct thaw_stage *stage)
{
	return stage->conf;
}

void stage_archive_result(struct thaw_stage *stage, struct stage_archive *archive, int r,
			  const char *text)
{
	bool is_failure = r < 0 && r != -ECANCELED && r != -ENOENT && r != -ESTALE &&
			  r != -EINPROGRESS && r != -ENOTDIR;

	if (r == -ECANCELED)
		return;
	thaw_mutex_lock(&stage->lock);
	archive->reachable = !is_failure;
	if (is_failure) {
		archive->error_at = thaw_clock_real_s();
		snprintf(archive->error, sizeof(archive->error), "%s",
			 text && *text ? text : strerror(-r));
	}
	thaw_mutex_unlock(&stage->lock);
}
