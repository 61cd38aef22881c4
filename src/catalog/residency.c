/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of what is on flash, after publishing: eviction, use, counting.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_impl.h"
#include "catalog/object.h"

#define RESIDENT_BATCH 1024

struct moving {
	const uint64_t *objects;
	size_t n;
	enum thaw_residency from, to;
};

static int move(struct thaw_conn *rw, void *arg)
{
	const struct moving *m = arg;
	int rc = 0;

	for (size_t i = 0; i < m->n && !rc; i++)
		rc = thaw_sql_run(rw, THAW_STMT_RESIDENCY_MOVE, "dud", m->to, m->objects[i],
				  m->from);
	return rc;
}

int thaw_catalog_leaving(struct thaw_catalog *cat, const uint64_t *objects, size_t n)
{
	struct moving m = { objects, n, THAW_RES_RESIDENT, THAW_RES_LEAVING };

	return thaw_catalog_write(cat, move, &m);
}

int thaw_catalog_stay(struct thaw_catalog *cat, const uint64_t *objects, size_t n)
{
	struct moving m = { objects, n, THAW_RES_LEAVING, THAW_RES_RESIDENT };

	return thaw_catalog_write(cat, move, &m);
}

static int left(struct thaw_conn *rw, void *arg)
{
	const struct moving *m = arg;
	int rc = 0;

	for (size_t i = 0; i < m->n && !rc; i++) {
		rc = thaw_sql_run(rw, THAW_STMT_RESIDENCY_DELETE, "u", m->objects[i]);
		if (!rc)
			rc = thaw_sql_run(rw, THAW_STMT_SUPERSEDED_DELETE, "u", m->objects[i]);
	}
	return rc;
}

int thaw_catalog_left(struct thaw_catalog *cat, const uint64_t *objects, size_t n)
{
	struct moving m = { .objects = objects, .n = n };

	return thaw_catalog_write(cat, left, &m);
}

struct touching {
	const struct thaw_touch *touches;
	size_t n;
};

static int touch(struct thaw_conn *rw, void *arg)
{
	const struct touching *t = arg;
	int rc = 0;

	for (size_t i = 0; i < t->n && !rc; i++)
		rc = thaw_sql_run(rw, THAW_STMT_RESIDENCY_TOUCH, "iuu", t->touches[i].last_used,
				  t->touches[i].hits, t->touches[i].object);
	return rc;
}

int thaw_catalog_touch(struct thaw_catalog *cat, const struct thaw_touch *touches, size_t n)
{
	struct touching t = { touches, n };

	return n ? thaw_catalog_write(cat, touch, &t) : 0;
}

static void read_candidate(sqlite3_stmt *st, struct thaw_candidate *ret)
{
	ret->object = thaw_sql_u64(st, 0);
	ret->node = thaw_sql_u64(st, 1);
	ret->bytes = thaw_sql_u64(st, 2);
	ret->staged_at = sqlite3_column_int64(st, 3);
	ret->last_used = sqlite3_column_int64(st, 4);
	ret->hits = thaw_sql_u64(st, 5);
	ret->collection = (uint32_t)thaw_sql_u64(st, 6);
	ret->dead = sqlite3_column_int(st, 7);
}

int thaw_catalog_candidates(struct thaw_catalog *cat, enum thaw_candidate_order order,
			    int64_t after_time, uint64_t after_id, struct thaw_candidate *ret,
			    size_t room, size_t *ret_n)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	enum thaw_stmt stmt = order == THAW_BY_LAST_USED ? THAW_STMT_CANDIDATES_USED :
							   THAW_STMT_CANDIDATES_STAGED;
	sqlite3_stmt *st = NULL;
	size_t n = 0;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = thaw_sql_first(conn, stmt, &st, "iuu", after_time, after_id, (uint64_t)room);
	for (; rc == 1 && n < room; rc = thaw_sql_next(conn, st))
		read_candidate(st, &ret[n++]);
	thaw_sql_endp(&st);
	if (rc < 0)
		return rc;
	*ret_n = n;
	return 0;
}

struct resident {
	uint64_t object, bytes;
	enum thaw_residency state;
};

static int read_resident(struct thaw_catalog *cat, enum thaw_residency state, uint64_t after,
			 struct resident *batch, size_t *ret_n)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	sqlite3_stmt *st = NULL;
	size_t n = 0;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = thaw_sql_first(conn, THAW_STMT_RESIDENT_PAGE, &st, "udu", after, state,
			    (uint64_t)RESIDENT_BATCH);
	for (; rc == 1; rc = thaw_sql_next(conn, st))
		batch[n++] = (struct resident){ thaw_sql_u64(st, 0), thaw_sql_u64(st, 1),
						(enum thaw_residency)sqlite3_column_int(st, 2) };
	thaw_sql_endp(&st);
	*ret_n = n;
	return rc;
}

int thaw_catalog_each_resident(struct thaw_catalog *cat, enum thaw_residency state,
			       int (*fn)(void *ctx, uint64_t object, uint64_t bytes,
					 enum thaw_residency state),
			       void *ctx)
{
	struct resident *batch = calloc(RESIDENT_BATCH, sizeof(*batch));
	uint64_t after = 0;
	size_t n = RESIDENT_BATCH;
	int rc = batch ? 0 : -ENOMEM;

	while (!rc && n == RESIDENT_BATCH) {
		rc = read_resident(cat, state, after, batch, &n);
		for (size_t i = 0; i < n && !rc; i++) {
			after = batch[i].object;
			rc = fn(ctx, batch[i].object, batch[i].bytes, batch[i].state);
		}
	}
	free(batch);
	return rc;
}

int thaw_catalog_resident_totals(struct thaw_catalog *cat, uint64_t *ret_files, uint64_t *ret_bytes)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	_cleanup_row_ sqlite3_stmt *st = NULL;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = thaw_sql_first(conn, THAW_STMT_RESIDENT_TOTALS, &st, "");
	if (rc <= 0)
		return rc ? rc : -EUCLEAN;
	*ret_files = thaw_sql_u64(st, 0);
	*ret_bytes = thaw_sql_u64(st, 1);
	return 0;
}

static int forget(struct thaw_conn *rw, void *arg)
{
	uint64_t *n = arg;
	int rc = thaw_sql_run(rw, THAW_STMT_RESIDENCY_CLEAR, "");

	*n = (uint64_t)sqlite3_changes64(rw->db);
	return rc ? rc : thaw_sql_run(rw, THAW_STMT_SUPERSEDED_CLEAR, "");
}

int thaw_catalog_forget_cache(struct thaw_catalog *cat, uint64_t *ret_n)
{
	uint64_t n;
	int rc = thaw_catalog_write(cat, forget, &n);

	if (!rc)
		*ret_n = n;
	return rc;
}
