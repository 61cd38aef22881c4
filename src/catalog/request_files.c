/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files of requests and how far each has come.  The counts in the request's
 * row move in the same transaction as its files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_impl.h"
#include "catalog/request.h"

#define FILE_BATCH 256

struct update {
	const struct thaw_file_update *updates;
	size_t n;
	int64_t now;
};

static bool is_terminal(enum thaw_file_state state)
{
	return state != THAW_FILE_SUBMITTED && state != THAW_FILE_STARTED;
}

static int move_file(struct thaw_conn *rw, uint64_t request, const struct thaw_file_update *u,
		     enum thaw_file_state from, uint64_t size)
{
	static const enum thaw_stmt count[THAW_FILE_STATES] = {
		[THAW_FILE_SUBMITTED] = THAW_STMT_COUNT_SUBMITTED,
		[THAW_FILE_STARTED] = THAW_STMT_COUNT_STARTED,
		[THAW_FILE_COMPLETED] = THAW_STMT_COUNT_COMPLETED,
		[THAW_FILE_FAILED] = THAW_STMT_COUNT_FAILED,
		[THAW_FILE_CANCELLED] = THAW_STMT_COUNT_CANCELLED,
	};
	int rc = thaw_sql_run(rw, THAW_STMT_FILE_MOVE, "diuu", u->state, (int64_t)u->error,
			      request, u->seq);

	if (!rc)
		rc = thaw_sql_run(rw, count[from], "iu", (int64_t)-1, request);
	if (!rc)
		rc = thaw_sql_run(rw, count[u->state], "iu", (int64_t)1, request);
	if (!rc && u->state == THAW_FILE_COMPLETED)
		rc = thaw_sql_run(rw, THAW_STMT_REQUEST_DONE_BYTES, "uu", size, request);
	return rc;
}

static int update_one(struct thaw_conn *rw, const struct thaw_file_update *u, int64_t now)
{
	sqlite3_stmt *st = NULL;
	enum thaw_file_state from;
	uint64_t request, size;
	int rc = thaw_sql_first(rw, THAW_STMT_FILE_AT, &st, "tu", u->id, u->seq);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	request = thaw_sql_u64(st, 0);
	from = (enum thaw_file_state)sqlite3_column_int(st, 1);
	size = thaw_sql_u64(st, 2);
	thaw_sql_end(st);
	if (is_terminal(from) || from == u->state)
		return 0;
	rc = move_file(rw, request, u, from, size);
	if (!rc && is_terminal(u->state))
		rc = thaw_sql_run(rw, THAW_STMT_REQUEST_FINISH, "iu", now, request);
	return rc;
}

/* A request that was cancelled and forgotten meanwhile is no reason to lose the other updates. */
static int update(struct thaw_conn *rw, void *arg)
{
	const struct update *u = arg;
	int rc = 0;

	for (size_t i = 0; i < u->n && !rc; i++) {
		rc = update_one(rw, &u->updates[i], u->now);
		if (rc == -ENOENT)
			rc = 0;
	}
	return rc;
}

int thaw_catalog_request_update(struct thaw_catalog *cat, const struct thaw_file_update *updates,
				size_t n, int64_t now)
{
	struct update u = { .updates = updates, .n = n, .now = now };

	for (size_t i = 0; i < n; i++) {
		if ((unsigned)updates[i].state >= THAW_FILE_STATES)
			return -EINVAL;
	}
	return n ? thaw_catalog_write(cat, update, &u) : 0;
}

static int read_files(struct thaw_catalog *cat, enum thaw_stmt stmt, const char *id,
		      uint64_t after_seq, struct thaw_request_file *ret, size_t room,
		      size_t *ret_n)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	sqlite3_stmt *st = NULL;
	uint64_t request;
	size_t n = 0;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (!rc)
		rc = thaw_sql_value(conn, THAW_STMT_REQUEST_SEQ, &request, "t", id);
	if (rc)
		return rc;
	rc = thaw_sql_first(conn, stmt, &st, "uuu", request, after_seq, (uint64_t)room);
	for (; rc == 1 && n < room; rc = thaw_sql_next(conn, st)) {
		ret[n].seq = thaw_sql_u64(st, 0);
		ret[n].node = thaw_sql_u64(st, 1);
		ret[n].size = thaw_sql_u64(st, 2);
		ret[n].state = (enum thaw_file_state)sqlite3_column_int(st, 3);
		ret[n++].error = sqlite3_column_int(st, 4);
	}
	thaw_sql_endp(&st);
	if (rc < 0)
		return rc;
	*ret_n = n;
	return 0;
}

int thaw_catalog_request_next(struct thaw_catalog *cat, const char *id, uint64_t after_seq,
			      struct thaw_request_file *ret, size_t room, size_t *ret_n)
{
	return read_files(cat, THAW_STMT_FILES_WAITING, id, after_seq, ret, room, ret_n);
}

int thaw_catalog_request_files(struct thaw_catalog *cat, const char *id, uint64_t after_seq,
			       size_t limit,
			       int (*fn)(void *ctx, const struct thaw_request_file *f), void *ctx)
{
	struct thaw_request_file *batch = calloc(FILE_BATCH, sizeof(*batch));
	size_t n = FILE_BATCH;
	int rc = batch ? 0 : -ENOMEM;

	while (!rc && limit && n == FILE_BATCH) {
		rc = read_files(cat, THAW_STMT_FILES_PAGE, id, after_seq, batch, FILE_BATCH, &n);
		for (size_t i = 0; i < n && limit && !rc; i++, limit--) {
			after_seq = batch[i].seq;
			rc = fn(ctx, &batch[i]);
		}
	}
	free(batch);
	return rc;
}
