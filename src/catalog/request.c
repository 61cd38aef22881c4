/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests as wholes: making, cancelling, forgetting, reading.
 */
#include "catalog/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "catalog/catalog_impl.h"
#include "catalog/tree_impl.h"

struct fresh {
	char id[THAW_REQUEST_ID_TEXT];
	uint32_t owner;
	int64_t now;
	const uint64_t *roots;
	size_t n;
};

/* A random UUID (RFC 9562, version 4). */
static int make_id(char id[THAW_REQUEST_ID_TEXT])
{
	unsigned char b[16];
	size_t at = 0;

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return -EIO;
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			id[at++] = '-';
		(void)snprintf(id + at, 3, "%02x", b[i]);
		at += 2;
	}
	return 0;
}

static int insert(struct thaw_conn *rw, void *arg)
{
	const struct fresh *f = arg;
	uint64_t seq;
	int rc = thaw_sql_run(rw, THAW_STMT_REQUEST_INSERT, "tdi", f->id, f->owner, f->now);

	seq = (uint64_t)sqlite3_last_insert_rowid(rw->db);
	for (size_t i = 0; i < f->n && !rc; i++)
		rc = thaw_sql_run(rw, THAW_STMT_REQUEST_ROOT_INSERT, "uuu", seq, (uint64_t)i,
				  f->roots[i]);
	return rc;
}

int thaw_catalog_request_new(struct thaw_catalog *cat, uint32_t owner, int64_t now,
			     const uint64_t *roots, size_t n, char ret_id[THAW_REQUEST_ID_TEXT])
{
	struct fresh f = { .owner = owner, .now = now, .roots = roots, .n = n };
	int rc = make_id(f.id);

	if (!rc)
		rc = thaw_catalog_write(cat, insert, &f);
	if (!rc)
		memcpy(ret_id, f.id, sizeof(f.id));
	return rc;
}

struct ending {
	const char *id;
	int64_t now;
};

static int cancel(struct thaw_conn *rw, void *arg)
{
	const struct ending *e = arg;
	uint64_t seq;
	int rc = thaw_sql_value(rw, THAW_STMT_REQUEST_SEQ, &seq, "t", e->id);

	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_FILES_CANCEL, "u", seq);
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_REQUEST_CANCEL, "iu", e->now, seq);
	return rc;
}

int thaw_catalog_request_cancel(struct thaw_catalog *cat, const char *id, int64_t now)
{
	struct ending e = { .id = id, .now = now };

	return thaw_catalog_write(cat, cancel, &e);
}

static int recover(struct thaw_conn *rw, void *arg)
{
	int rc = thaw_sql_run(rw, THAW_STMT_FILES_RECOVER, "");

	(void)arg;
	return rc ? rc : thaw_sql_run(rw, THAW_STMT_REQUESTS_RECOVER, "");
}

int thaw_catalog_requests_recover(struct thaw_catalog *cat)
{
	return thaw_catalog_write(cat, recover, NULL);
}

static int prune_one(struct thaw_conn *rw, void *arg)
{
	const struct ending *e = arg;
	uint64_t seq;
	int rc = thaw_sql_value(rw, THAW_STMT_REQUEST_ENDED, &seq, "i", e->now);

	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_FILES_DELETE, "u", seq);
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_ROOTS_DELETE, "u", seq);
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_REQUEST_DELETE, "u", seq);
	return rc;
}

/* One at a time, so that many old ones do not keep other writers waiting. */
int thaw_catalog_requests_prune(struct thaw_catalog *cat, int64_t before)
{
	struct ending e = { .now = before };
	int rc;

	do {
		rc = thaw_catalog_write(cat, prune_one, &e);
	} while (!rc);
	return rc == -ENOENT ? 0 : rc;
}

static void read_request(sqlite3_stmt *st, struct thaw_request *ret)
{
	memset(ret, 0, sizeof(*ret));
	(void)thaw_sql_copy(st, 0, ret->id, sizeof(ret->id));
	ret->owner = (uint32_t)thaw_sql_u64(st, 1);
	ret->created = sqlite3_column_int64(st, 2);
	ret->finished = sqlite3_column_int64(st, 3);
	ret->expanded = sqlite3_column_int(st, 4);
	ret->cancelled = sqlite3_column_int(st, 5);
	ret->bytes = thaw_sql_u64(st, 6);
	ret->done_bytes = thaw_sql_u64(st, 7);
	for (int state = 0; state < THAW_FILE_STATES; state++)
		ret->files[state] = thaw_sql_u64(st, 8 + state);
}

int thaw_catalog_request(struct thaw_catalog *cat, const char *id, struct thaw_request *ret)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	_cleanup_row_ sqlite3_stmt *st = NULL;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = thaw_sql_first(conn, THAW_STMT_REQUEST, &st, "t", id);
	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_request(st, ret);
	return 0;
}

#define REQUEST_BATCH 64

static int read_page(struct thaw_catalog *cat, uint64_t *before, struct thaw_request *batch,
		     size_t *ret_n)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	sqlite3_stmt *st = NULL;
	size_t n = 0;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = thaw_sql_first(conn, THAW_STMT_REQUEST_PAGE, &st, "uu", *before,
			    (uint64_t)REQUEST_BATCH);
	for (; rc == 1; rc = thaw_sql_next(conn, st)) {
		read_request(st, &batch[n++]);
		*before = thaw_sql_u64(st, 8 + THAW_FILE_STATES);
	}
	thaw_sql_endp(&st);
	*ret_n = n;
	return rc;
}

int thaw_catalog_requests(struct thaw_catalog *cat, size_t limit,
			  int (*fn)(void *ctx, const struct thaw_request *r), void *ctx)
{
	struct thaw_request batch[REQUEST_BATCH];
	uint64_t before = INT64_MAX;
	size_t n = REQUEST_BATCH;
	int rc = 0;

	while (!rc && limit && n == REQUEST_BATCH) {
		rc = read_page(cat, &before, batch, &n);
		for (size_t i = 0; i < n && limit && !rc; i++, limit--)
			rc = fn(ctx, &batch[i]);
	}
	return rc;
}

int thaw_catalog_requests_open(struct thaw_catalog *cat, char (*ids)[THAW_REQUEST_ID_TEXT],
			       size_t room, size_t *ret_n)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	sqlite3_stmt *st = NULL;
	size_t n = 0;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = thaw_sql_first(conn, THAW_STMT_REQUESTS_OPEN, &st, "u", (uint64_t)room);
	for (; rc == 1 && n < room; rc = thaw_sql_next(conn, st))
		(void)thaw_sql_copy(st, 0, ids[n++], THAW_REQUEST_ID_TEXT);
	thaw_sql_endp(&st);
	if (rc < 0)
		return rc;
	*ret_n = n;
	return 0;
}

/* Keeps the newest request any of the rows names. */
static int newest(struct thaw_conn *conn, enum thaw_stmt stmt, uint64_t node, uint64_t *best)
{
	uint64_t seq = 0;
	int rc = thaw_sql_value(conn, stmt, &seq, "u", node);

	if (!rc && seq > *best)
		*best = seq;
	return rc == -ENOENT ? 0 : rc;
}

/* The roots a node stands below; files only where nothing tells them one by one yet. */
static int newest_above(struct thaw_conn *conn, uint64_t node, bool file, uint64_t *best)
{
	enum thaw_stmt stmt = file ? THAW_STMT_ROOT_UNEXPANDED : THAW_STMT_ROOT_OPEN;
	int rc = 0;

	while (node && !rc) {
		rc = newest(conn, stmt, node, best);
		if (!rc)
			rc = thaw_sql_value(conn, THAW_STMT_PARENT, &node, "u", node);
	}
	return rc;
}

static int find_request(struct thaw_conn *conn, const struct thaw_node *node, uint64_t *ret)
{
	bool file = node->type == THAW_TYPE_FILE;
	uint64_t *parents = NULL;
	size_t n = 0;
	int rc = thaw_node_parents(conn, node->id, &parents, &n);

	*ret = 0;
	if (!rc)
		rc = newest(conn, THAW_STMT_FILE_OPEN, node->id, ret);
	if (!rc)
		rc = newest(conn, file ? THAW_STMT_ROOT_UNEXPANDED : THAW_STMT_ROOT_OPEN, node->id,
			    ret);
	for (size_t i = 0; i < n && !rc; i++)
		rc = newest_above(conn, parents[i], file, ret);
	free(parents);
	return rc;
}

int thaw_catalog_request_of(struct thaw_catalog *cat, uint64_t node,
			    char ret_id[THAW_REQUEST_ID_TEXT])
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	_cleanup_row_ sqlite3_stmt *st = NULL;
	struct thaw_node known;
	uint64_t seq, any;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (!rc)
		rc = thaw_sql_value(conn, THAW_STMT_REQUESTS_ANY, &any, "");
	if (!rc && !any) /* asked for every getxattr: no climbing for nothing */
		rc = -ENOENT;
	if (!rc)
		rc = thaw_node_get(conn, node, &known);
	if (!rc)
		rc = find_request(conn, &known, &seq);
	if (!rc && !seq)
		rc = -ENOENT;
	if (rc)
		return rc;
	rc = thaw_sql_first(conn, THAW_STMT_REQUEST_ID, &st, "u", seq);
	if (rc <= 0)
		return rc ? rc : -ENOENT;
	(void)thaw_sql_copy(st, 0, ret_id, THAW_REQUEST_ID_TEXT);
	return 0;
}
