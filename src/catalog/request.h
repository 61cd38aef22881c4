/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * request.h - bulk requests to stage, their files and how far each has come.
 *
 * file state   SUBMITTED -> STARTED -> COMPLETED | FAILED | CANCELLED
 * The words are those of the WLCG Tape REST API's stage resource.  A request is done
 * when no file is SUBMITTED or STARTED.  After a restart STARTED files are
 * SUBMITTED again.  A request is recorded with its roots (nodes), and expanded
 * to files later, so that asking for a big tree returns at once.
 */
#ifndef THAW_CATALOG_REQUEST_H
#define THAW_CATALOG_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thaw_catalog;

#define THAW_REQUEST_ID_TEXT 37 /* a UUID and NUL */

enum thaw_file_state {
	THAW_FILE_SUBMITTED,
	THAW_FILE_STARTED,
	THAW_FILE_COMPLETED,
	THAW_FILE_FAILED,
	THAW_FILE_CANCELLED,
};
#define THAW_FILE_STATES 5

struct thaw_request {
	char id[THAW_REQUEST_ID_TEXT];
	uint32_t owner;
	int64_t created, finished; /* finished 0: still going */
	bool expanded;
	bool cancelled;
	uint64_t bytes;            /* of content, all files */
	uint64_t done_bytes;
	uint64_t files[THAW_FILE_STATES]; /* how many in each state */
};

struct thaw_request_file {
	uint64_t seq;
	uint64_t node;
	uint64_t size;
	enum thaw_file_state state;
	int error; /* -errno when FAILED */
};

/* Written and synced when this returns. */
int thaw_catalog_request_new(struct thaw_catalog *cat, uint32_t owner, int64_t now,
			     const uint64_t *roots, size_t n, char ret_id[THAW_REQUEST_ID_TEXT]);
/* Turns roots into files (each node once; lost ones FAILED with -EIO; resident ones COMPLETED). */
int thaw_catalog_request_expand(struct thaw_catalog *cat, const char *id, int64_t now);
/* Ids of requests that are not finished, oldest first; caller's array. */
int thaw_catalog_requests_open(struct thaw_catalog *cat, char (*ids)[THAW_REQUEST_ID_TEXT],
			       size_t room, size_t *ret_n);
/* The next SUBMITTED files after `after_seq`, in order. */
int thaw_catalog_request_next(struct thaw_catalog *cat, const char *id, uint64_t after_seq,
			      struct thaw_request_file *ret, size_t room, size_t *ret_n);
struct thaw_file_update {
	char id[THAW_REQUEST_ID_TEXT];
	uint64_t seq;
	enum thaw_file_state state;
	int error;
};
/* Terminal states stay; ends the request (finished = now) when nothing is left to do. */
int thaw_catalog_request_update(struct thaw_catalog *cat, const struct thaw_file_update *updates,
				size_t n, int64_t now);
/* SUBMITTED and STARTED files become CANCELLED. -ENOENT; 0 also when it was over. */
int thaw_catalog_request_cancel(struct thaw_catalog *cat, const char *id, int64_t now);
int thaw_catalog_request(struct thaw_catalog *cat, const char *id, struct thaw_request *ret);
/* Newest first. */
int thaw_catalog_requests(struct thaw_catalog *cat, size_t limit,
			  int (*fn)(void *ctx, const struct thaw_request *r), void *ctx);
int thaw_catalog_request_files(struct thaw_catalog *cat, const char *id, uint64_t after_seq,
			       size_t limit,
			       int (*fn)(void *ctx, const struct thaw_request_file *f), void *ctx);
/* The unfinished request a node belongs to, newest first: one of its files, or at or below one of
 * its roots (a file there only until the request is expanded).  -ENOENT. */
int thaw_catalog_request_of(struct thaw_catalog *cat, uint64_t node,
			    char ret_id[THAW_REQUEST_ID_TEXT]);
/* After a restart: STARTED becomes SUBMITTED. */
int thaw_catalog_requests_recover(struct thaw_catalog *cat);
/* Forgets finished requests that ended before `before`. */
int thaw_catalog_requests_prune(struct thaw_catalog *cat, int64_t before);

#endif
