/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * admin.h - what people ask of the engine: stage, pin, evict, import, status.
 *
 * Permission is the caller's business (control checks the peer).  Any thread,
 * no lock held.  Nothing here waits for an archive: work is recorded and done
 * by engine threads.
 */
#ifndef THAW_STAGE_ADMIN_H
#define THAW_STAGE_ADMIN_H

#include "catalog/pin.h"
#include "catalog/request.h"
#include "stage/names.h"

struct thaw_stage;
struct thaw_err;

/* Records a request for the trees at `nodes`; returns once it is safe. */
int thaw_stage_request(struct thaw_stage *stage, uint32_t uid, const uint64_t *nodes, size_t n,
		       char ret_id[THAW_REQUEST_ID_TEXT], struct thaw_err *err);
int thaw_stage_request_cancel(struct thaw_stage *stage, const char *id);
int thaw_stage_request_get(struct thaw_stage *stage, const char *id, struct thaw_request *ret);
int thaw_stage_requests(struct thaw_stage *stage, size_t limit,
			int (*fn)(void *ctx, const struct thaw_request *r), void *ctx);
int thaw_stage_request_files(struct thaw_stage *stage, const char *id, uint64_t after_seq, size_t limit,
			     int (*fn)(void *ctx, const struct thaw_request_file *f), void *ctx);

/* Pins and stages.  expires: THAW_PIN_FOREVER or seconds since the epoch.
 * -ENOSPC with the sum in words when the pins would not fit the cache. */
int thaw_stage_pin(struct thaw_stage *stage, uint64_t node, uint32_t uid, int64_t expires,
		   const char *label, char ret_request[THAW_REQUEST_ID_TEXT], struct thaw_err *err);
int thaw_stage_unpin(struct thaw_stage *stage, uint64_t node); /* -ENODATA: no pin stands here */
int thaw_stage_pins(struct thaw_stage *stage, int (*fn)(void *ctx, const struct thaw_pin *pin), void *ctx);

/* Drops a tree from flash.  force: pinned files too (their pins stay).  Files
 * in use stay and are counted. */
struct thaw_evict_result {
	uint64_t evicted_files, evicted_bytes;
	uint64_t pinned_files, busy_files;
};
int thaw_stage_evict(struct thaw_stage *stage, uint64_t node, bool force, struct thaw_evict_result *ret);

/* Starts a listing of the directory tree at `node` (the mount's root: of every
 * collection); joins one that runs.  allow_empty: an archive that lists
 * nothing at its root is believed.  ret_ticket: for import_progress. */
int thaw_stage_import(struct thaw_stage *stage, uint64_t node, bool allow_empty, uint64_t *ret_ticket);
struct thaw_import_progress {
	bool running;
	uint64_t dirs, entries;            /* listed so far */
	uint64_t dirs_waiting;
	uint64_t added, changed, lost, found;
	uint64_t errors;                   /* directories or names that could not be taken */
	int64_t started, finished;         /* seconds; 0 */
	int error;                         /* of the whole */
	char message[512];                 /* the first error, in words */
};
int thaw_stage_import_progress(struct thaw_stage *stage, uint64_t ticket, struct thaw_import_progress *ret);

struct thaw_status {
	uint64_t size, used, resident_bytes, reserved_bytes, overhead_bytes;
	uint64_t resident_files, pinned_bytes;
	uint64_t files, bytes; /* in the catalog */
	uint64_t flights, flights_waiting_space, waiters, queue;
	uint64_t requests_open;
	bool importing;
	uint64_t hits, misses, streams, staged_files, staged_bytes, evicted_files, evicted_bytes,
		failures;
	int64_t started;
};
int thaw_stage_status(struct thaw_stage *stage, struct thaw_status *ret);

/* Of each archive, for status. */
struct thaw_archive_status {
	const char *name, *type;
	bool reachable;      /* the last call that could tell */
	char error[256];     /* last failure, "" */
	int64_t error_at;
	uint64_t active;     /* calls running */
};
int thaw_stage_archives(struct thaw_stage *stage, int (*fn)(void *ctx, const struct thaw_archive_status *s), void *ctx);

#endif
