/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * impl.h - the engine's own struct, for the files of this room only.
 *
 * Threads: `workers` transfer threads (workers.c), one that evicts (evict.c),
 * one that feeds bulk requests (requests.c), import walkers and one import
 * committer (import.c), one that keeps time: expiry and accounting (timer.c).
 */
#ifndef THAW_STAGE_IMPL_H
#define THAW_STAGE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "archive/archive.h"
#include "base/buf.h"
#include "base/mutex.h"
#include "cache/space.h"
#include "cache/store.h"
#include "catalog/catalog.h"
#include "catalog/object.h"
#include "conf/conf.h"
#include "stage/durable.h"
#include "stage/flight.h"
#include "stage/obj.h"
#include "stage/stage.h"

#define STAGE_MAX_THREADS 128
#define STAGE_TOUCHES 1024

struct stage_archive {
	const struct thaw_conf_archive *conf;
	struct thaw_archive *ar;
	unsigned active;     /* engine: calls that run */
	bool reachable;      /* engine */
	int64_t error_at;    /* engine */
	char error[256];     /* engine */
};

struct stage_collection {
	const struct thaw_conf_collection *conf;
	uint32_t id;
	uint64_t root;
	struct stage_archive *copies[THAW_CONF_COPIES_MAX]; /* best first */
	size_t copy_count;
};

/* Since the start; for status. */
struct stage_counters {
	_Atomic uint64_t hits, misses, streams, staged_files, staged_bytes, evicted_files,
		evicted_bytes, failures;
};

struct stage_import;
struct stage_requests;

struct thaw_stage {
	const struct thaw_conf *conf;
	struct thaw_catalog *catalog;
	struct thaw_store *store;
	struct thaw_space space;
	struct stage_archive *archives; /* const after open, but for its engine fields */
	size_t archive_count;
	struct stage_collection *collections; /* const after open */
	size_t collection_count;
	uint64_t root;
	int64_t started; /* seconds */
	struct thaw_stage_events events; /* const after start */
	struct stage_counters count;

	struct thaw_mutex lock; /* rank ENGINE */
	struct thaw_obj *objects;      /* lock: uthash by node */
	struct flight_queue queue;     /* lock */
	struct thaw_cond work;         /* with lock: something for a worker */
	struct thaw_cond evict_wanted; /* with lock */
	bool stopping;                 /* lock */
	bool evict_asked;              /* lock */
	bool evict_hope;               /* lock: more may go than the last pass found */
	int64_t evict_barren_until_ns; /* lock */
	uint64_t waiters;              /* lock: parked opens and reads */
	struct thaw_touch touches[STAGE_TOUCHES]; /* lock: of objects that left memory */
	size_t touch_count;

	struct stage_durable durable;
	struct stage_import *import;
	struct stage_requests *requests;

	pthread_t workers[STAGE_MAX_THREADS];
	unsigned worker_count;
	pthread_t evictor, timer;
	bool evictor_runs, timer_runs;
	struct thaw_cond tick; /* with lock: ends the timer's sleep */
};

struct stage_collection *stage_collection_of(struct thaw_stage *stage, uint32_t id);
/* The archive's key of a node: the collection's prefix and the path below its root. */
int stage_key(struct thaw_stage *stage, const struct stage_collection *c, uint64_t node,
	      struct thaw_buf *key);
/* Notes how a call to an archive ended, for status. */
void stage_archive_result(struct thaw_stage *stage, struct stage_archive *archive, int r,
			  const char *text);

/* open.c: the same as thaw_stage_open, for bulk work: lower priority, no time limit, no on_offline. */
int stage_open_bulk(struct thaw_stage *stage, uint64_t node, struct thaw_wait *wait,
		    struct thaw_obj **ret);
/* An object that went back to LOADING because openers wait for it: they are served. */
void stage_open_again(struct thaw_stage *stage, struct thaw_obj *obj);

/* evict.c */
int stage_evict_start(struct thaw_stage *stage);
void stage_evict_stop(struct thaw_stage *stage);
/* lock held: there may be room to make, or room to hand out. */
void stage_evict_kick(struct thaw_stage *stage);
/* Likewise: a file can go that could not before. */
void stage_evict_may_free(struct thaw_stage *stage);
struct thaw_evict_result;
int stage_evict_objects(struct thaw_stage *stage, const struct thaw_candidate *victims, size_t n,
			struct thaw_evict_result *sum);

/* timer.c */
int stage_timer_start(struct thaw_stage *stage);
void stage_timer_stop(struct thaw_stage *stage);
void stage_touch_flush(struct thaw_stage *stage);

/* import.c */
int stage_import_new(struct thaw_stage *stage);
int stage_import_start(struct thaw_stage *stage);
void stage_import_stop(struct thaw_stage *stage);
void stage_import_free(struct thaw_stage *stage);
bool stage_import_running(struct thaw_stage *stage);
/* Is an import about to list directories that never were?  Sums over trees are not whole then. */
bool stage_import_knows_more_soon(struct thaw_stage *stage);
bool stage_import_cancel(struct thaw_stage *stage, struct thaw_wait *wait);

/* requests.c */
int stage_requests_new(struct thaw_stage *stage);
int stage_requests_start(struct thaw_stage *stage);
void stage_requests_stop(struct thaw_stage *stage);
void stage_requests_free(struct thaw_stage *stage);
/* Has something for the feeder to do. */
void stage_requests_kick(struct thaw_stage *stage);

/* pairing.c: the store and the catalog belong together, and agree. */
/* Notes the digest of a verified file on it, so that a file whose row was lost can be taken up. */
int stage_note_digest(int fd, const uint8_t sha256[THAW_SHA256_SIZE]);
int stage_pair(struct thaw_stage *stage, struct thaw_err *err);
int stage_recover(struct thaw_stage *stage, struct thaw_err *err);

#endif
