/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From roots to files.  The tree is walked on a read connection and written in
 * many short transactions, so that a request for millions of files does not
 * keep a pin waiting.  Until the last one the request counts as not expanded;
 * done again after a crash, files that are there already are passed over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_impl.h"
#include "catalog/idset.h"
#include "catalog/object.h"
#include "catalog/request.h"
#include "catalog/successor.h"
#include "catalog/tree_impl.h"

#define EXPAND_BATCH 4096

struct expand {
	struct thaw_catalog *cat;
	uint64_t request;
	int64_t now;
	uint64_t *nodes;
	size_t n;
};

/* -ECANCELED: over already, nothing more is to be added. */
static int still_wanted(struct thaw_conn *rw, uint64_t request)
{
	uint64_t wanted;
	int rc = thaw_sql_value(rw, THAW_STMT_REQUEST_WANTED, &wanted, "u", request);

	return rc ? rc : wanted ? 0 : -ECANCELED;
}

static enum thaw_file_state first_state(sqlite3_stmt *st, int64_t *ret_error)
{
	*ret_error = 0;
	if (sqlite3_column_int(st, 2) == THAW_RES_RESIDENT)
		return THAW_FILE_COMPLETED;
	if (!sqlite3_column_int(st, 1))
		return THAW_FILE_SUBMITTED;
	*ret_error = -EIO;
	return THAW_FILE_FAILED;
}

static int add_file(struct thaw_conn *rw, uint64_t request, uint64_t node)
{
	sqlite3_stmt *st = NULL;
	enum thaw_file_state state;
	uint64_t size;
	int64_t error;
	int rc = thaw_node_successor(rw, node, &node); /* changed since the walk met it */

	if (!rc)
		rc = thaw_sql_first(rw, THAW_STMT_EXPAND_LOOK, &st, "u", node);
	if (rc <= 0)
		return rc == -ENOENT ? 0 : rc;
	size = thaw_sql_u64(st, 0);
	state = first_state(st, &error);
	thaw_sql_end(st);
	rc = thaw_sql_run(rw, THAW_STMT_FILE_INSERT, "uuudi", request, node, size, state, error);
	if (rc || !sqlite3_changes(rw->db))
		return rc;
	return thaw_sql_run(rw, THAW_STMT_REQUEST_GREW, "uduu", size, state,
			    state == THAW_FILE_COMPLETED ? size : UINT64_C(0), request);
}

static int add_files(struct thaw_conn *rw, void *arg)
{
	const struct expand *e = arg;
	int rc = still_wanted(rw, e->request);

	for (size_t i = 0; i < e->n && !rc; i++)
		rc = add_file(rw, e->request, e->nodes[i]);
	return rc;
}

static int flush(struct expand *e)
{
	int rc = e->n ? thaw_catalog_write(e->cat, add_files, e) : 0;

	e->n = 0;
	return rc;
}

static int collect(void *ctx, const struct thaw_node *node)
{
	struct expand *e = ctx;

	e->nodes[e->n++] = node->id;
	return e->n == EXPAND_BATCH ? flush(e) : 0;
}

static int finish(struct thaw_conn *rw, void *arg)
{
	const struct expand *e = arg;
	int rc = still_wanted(rw, e->request);

	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_REQUEST_EXPANDED, "u", e->request);
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_REQUEST_FINISH, "iu", e->now, e->request);
	return rc;
}

static int read_roots(struct thaw_catalog *cat, const char *id, struct expand *e,
		      struct thaw_idlist *roots)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	sqlite3_stmt *st = NULL;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (!rc)
		rc = thaw_sql_value(conn, THAW_STMT_REQUEST_SEQ, &e->request, "t", id);
	if (!rc)
		rc = still_wanted(conn, e->request);
	if (rc)
		return rc;
	rc = thaw_sql_first(conn, THAW_STMT_REQUEST_ROOTS, &st, "u", e->request);
	while (rc == 1) {
		rc = thaw_idlist_push(roots, thaw_sql_u64(st, 0));
		if (!rc)
			rc = thaw_sql_next(conn, st);
	}
	thaw_sql_endp(&st);
	return rc;
}

static int expand(struct expand *e, const char *id)
{
	struct thaw_idlist roots = { 0 };
	int rc = read_roots(e->cat, id, e, &roots);

	for (size_t i = 0; i < roots.count && !rc; i++) {
		rc = thaw_catalog_each_file(e->cat, roots.ids[i], collect, e);
		if (rc == -ENOENT) /* the node has gone since */
			rc = 0;
	}
	thaw_idlist_release(&roots);
	if (!rc)
		rc = flush(e);
	return rc ? rc : thaw_catalog_write(e->cat, finish, e);
}

int thaw_catalog_request_expand(struct thaw_catalog *cat, const char *id, int64_t now)
{
	struct expand e = { .cat = cat, .now = now };
	int rc;

	e.nodes = calloc(EXPAND_BATCH, sizeof(*e.nodes));
	if (!e.nodes)
		return -ENOMEM;
	rc = expand(&e, id);
	free(e.nodes);
	return rc == -ECANCELED ? 0 : rc;
}
