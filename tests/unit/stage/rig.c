/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit.h"
#include "base/clock.h"
#include "base/log.h"

static char word_mem[] = "mem", word_archive[] = "store", word_collection[] = "data";
static char word_root[] = "/", word_none[] = "none", word_empty[] = "";

static void default_conf(struct rig *rig)
{
	rig->archive = (struct thaw_conf_archive){
		.name = word_archive,
		.type = word_mem,
		.connections = 16,
	};
	rig->collection = (struct thaw_conf_collection){
		.name = word_collection,
		.archives = {word_archive},
		.archive_count = 1,
		.prefix = word_empty,
		.path = word_root,
		.fixity = word_none,
		.uid = -1,
		.gid = -1,
		.mode = -1,
	};
	rig->conf = (struct thaw_conf){
		.catalog = rig->catalog,
		.socket = word_empty,
		.cache_path = rig->cache,
		.name = word_collection,
		.workers = 4,
		.import_workers = 2,
		.cache_size = 64 * MIB,
		.high = 95,
		.low = 90,
		.stream_min = 1024 * MIB,
		.chunk = 64 * KIB,
		.space_wait = 1,
		.archives = &rig->archive,
		.archive_count = 1,
		.collections = &rig->collection,
		.collection_count = 1,
	};
}

void rig_init_in(struct rig *rig, bool recalls, const char *dir)
{
	(void)signal(SIGIO, SIG_IGN); /* see cache/store.h */
	thaw_log_init("test", getenv("THAW_TEST_LOG") ? LOG_DEBUG : LOG_CRIT);
	memset(rig, 0, sizeof(*rig));
	(void)snprintf(rig->dir, sizeof(rig->dir), "%s", dir);
	(void)snprintf(rig->cache, sizeof(rig->cache), "%s/cache", rig->dir);
	(void)snprintf(rig->catalog, sizeof(rig->catalog), "%s/catalog.db", rig->dir);
	default_conf(rig);
	ck_assert_int_eq(thaw_archive_mem_new(recalls, &rig->mem), 0);
	rig->hook = hook_new(rig->mem);
}

void rig_init(struct rig *rig, bool recalls)
{
	const char *tmp = getenv("TMPDIR");
	char dir[200];

	(void)snprintf(dir, sizeof(dir), "%s/thaw-stage-XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	rig_init_in(rig, recalls, dir);
}

int rig_open(struct rig *rig, struct thaw_err *err)
{
	int r = thaw_stage_open_all(&rig->conf, &rig->stage, err);

	if (r < 0)
		return r;
	if (rig->mem) {
		thaw_archive_close(rig->stage->archives[0].ar);
		rig->stage->archives[0].ar = &rig->hook->base;
	}
	thaw_stage_set_events(rig->stage, &rig->events);
	return 0;
}

void rig_run(struct rig *rig)
{
	struct thaw_err err = {""};

	ck_assert_msg(thaw_stage_start(rig->stage, &err) == 0, "%s", err.text);
}

void rig_start(struct rig *rig)
{
	struct thaw_err err = {""};

	ck_assert_msg(rig_open(rig, &err) == 0, "%s", err.text);
	rig_run(rig);
	rig_await_import(rig);
}

void rig_stop(struct rig *rig)
{
	if (!rig->stage)
		return;
	thaw_stage_stop(rig->stage);
	rig->stage = thaw_stage_free(rig->stage);
}

void rig_restart(struct rig *rig)
{
	rig_stop(rig);
	rig_start(rig);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void rig_leave(struct rig *rig)
{
	rig_stop(rig);
	hook_free(rig->hook);
	thaw_archive_close(rig->mem);
	free(rig->truth);
	rig->truth = NULL;
}

void rig_drop(struct rig *rig)
{
	rig_leave(rig);
	(void)nftw(rig->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void rig_end(struct rig *rig)
{
	audit(rig);
	rig_restart(rig);
	audit(rig);
	rig_drop(rig);
}

/* ---- the archive ---- */

struct truth *rig_truth(struct rig *rig, const char *key)
{
	for (size_t i = 0; i < rig->truth_count; i++) {
		if (strcmp(rig->truth[i].key, key) == 0)
			return &rig->truth[i];
	}
	return NULL;
}

void rig_put(struct rig *rig, const char *key, uint64_t size, uint64_t seed)
{
	struct truth *t = rig_truth(rig, key);

	if (!t) {
		if (rig->truth_count == rig->truth_room) {
			rig->truth_room = rig->truth_room ? rig->truth_room * 2 : 64;
			rig->truth = reallocarray(rig->truth, rig->truth_room, sizeof(*t));
			ck_assert_ptr_nonnull(rig->truth);
		}
		t = &rig->truth[rig->truth_count++];
		(void)snprintf(t->key, sizeof(t->key), "%s", key);
	}
	t->size = size;
	t->seed = seed;
	t->gone = false;
	ck_assert_int_eq(thaw_archive_mem_put_pattern(rig->mem, thaw_key_of(key), size, seed), 0);
}

void rig_remove(struct rig *rig, const char *key)
{
	struct truth *t = rig_truth(rig, key);

	if (t)
		t->gone = true;
	ck_assert_int_eq(thaw_archive_mem_remove(rig->mem, thaw_key_of(key)), 0);
}

void rig_put_many(struct rig *rig, const char *dir, size_t n, uint64_t size)
{
	char key[64];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(key, sizeof(key), "%s/f%03zu", dir, i);
		rig_put(rig, key, size, 1000 + i);
	}
}

/* ---- names ---- */

void rig_pause(void)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

void rig_await_import(struct rig *rig)
{
	rig_await(!rig_status(rig).importing);
}

struct thaw_import_progress rig_import(struct rig *rig, const char *path, bool allow_empty)
{
	struct thaw_import_progress p;
	uint64_t ticket;

	ck_assert_int_eq(thaw_stage_import(rig->stage, rig_node(rig, path), allow_empty, &ticket),
			 0);
	rig_await_import(rig);
	ck_assert_int_eq(thaw_stage_import_progress(rig->stage, ticket, &p), 0);
	return p;
}

int rig_look(struct rig *rig, const char *path, struct thaw_node *ret)
{
	return thaw_stage_resolve(rig->stage, path, strlen(path), NULL, NULL, ret);
}

uint64_t rig_node(struct rig *rig, const char *path)
{
	struct thaw_node node;
	int r = rig_look(rig, path, &node);

	ck_assert_msg(r == 0, "%s: %s", path, strerror(-r));
	return node.id;
}

enum thaw_state rig_state(struct rig *rig, const char *path)
{
	struct thaw_node node;
	enum thaw_state state;

	ck_assert_int_eq(rig_look(rig, path, &node), 0);
	ck_assert_int_eq(thaw_stage_state(rig->stage, &node, &state), 0);
	return state;
}

struct thaw_object rig_object(struct rig *rig, const char *path)
{
	struct thaw_node node;
	struct thaw_object object;

	ck_assert_int_eq(rig_look(rig, path, &node), 0);
	ck_assert_int_eq(thaw_catalog_object(rig->stage->catalog, node.object, &object), 0);
	return object;
}

/* ---- the engine ---- */

struct thaw_status rig_status(struct rig *rig)
{
	struct thaw_status status;

	ck_assert_int_eq(thaw_stage_status(rig->stage, &status), 0);
	return status;
}

static bool is_idle(struct rig *rig)
{
	struct thaw_stage *stage = rig->stage;
	bool idle;

	if (stage_import_running(stage) || rig_status(rig).requests_open)
		return false;
	thaw_mutex_lock(&stage->lock);
	idle = !stage->queue.count && !stage->queue.running && !stage->evict_asked &&
	       !stage->waiters;
	for (struct thaw_obj *o = stage->objects; o; o = o->hh.next)
		idle &= atomic_load(&o->state) != OBJ_LEAVING &&
			atomic_load(&o->state) != OBJ_LOADING;
	thaw_mutex_unlock(&stage->lock);
	return idle;
}

/* The evictor may be between its lists: twice quiet, with time to go on, is idle. */
void rig_await_idle(struct rig *rig)
{
	for (int quiet = 0; quiet < 3;) {
		rig_await(is_idle(rig));
		rig_pause();
		quiet = is_idle(rig) ? quiet + 1 : 0;
	}
}

size_t rig_objects(struct rig *rig)
{
	size_t n;

	thaw_mutex_lock(&rig->stage->lock);
	n = HASH_COUNT(rig->stage->objects);
	thaw_mutex_unlock(&rig->stage->lock);
	return n;
}

struct thaw_space_use rig_space(struct rig *rig)
{
	struct thaw_space_use use;

	thaw_space_get(&rig->stage->space, &use);
	return use;
}

uint64_t rig_used(struct rig *rig)
{
	struct thaw_space_use use = rig_space(rig);

	return use.resident + use.reserved + use.overhead;
}

size_t rig_count(struct rig *rig, const char *sub)
{
	char path[400];
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/%s", rig->cache, sub);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	(void)closedir(dir);
	return n;
}
