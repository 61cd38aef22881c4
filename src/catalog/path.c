/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a node to its names, and from a path to its node.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "catalog/catalog_impl.h"
#include "catalog/idset.h"
#include "catalog/tree_impl.h"

#define DEPTH_MAX 100000 /* a loop of parents is damage, not a tree */

/* What a climb collects: names from the bottom up, each ended by NUL. */
struct climb {
	struct thaw_buf names;
	uint64_t id;
	bool at_root; /* of a collection */
};

/* One step up.  1: there is a parent; 0: the node hangs nowhere. */
static int step_up(struct thaw_conn *conn, struct climb *climb, bool stop_at_root)
{
	_cleanup_row_ sqlite3_stmt *st = NULL;
	int rc = thaw_sql_first(conn, THAW_STMT_NAME, &st, "u", climb->id);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	climb->at_root = sqlite3_column_int(st, 2);
	if ((stop_at_root && climb->at_root) || sqlite3_column_type(st, 0) == SQLITE_NULL)
		return 0;
	(void)thaw_buf_add(&climb->names, sqlite3_column_blob(st, 1),
			   (size_t)sqlite3_column_bytes(st, 1));
	rc = thaw_buf_add(&climb->names, "", 1);
	if (rc)
		return rc;
	climb->id = thaw_sql_u64(st, 0);
	return 1;
}

static int climb_up(struct thaw_catalog *cat, uint64_t id, struct climb *climb, bool stop_at_root)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	int rc = thaw_catalog_reader_get(cat, &conn);

	thaw_buf_init(&climb->names, (size_t)1 << 26);
	climb->id = id;
	climb->at_root = false;
	if (rc)
		return rc;
	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		rc = step_up(conn, climb, stop_at_root);
		if (rc <= 0)
			return rc;
	}
	return -EUCLEAN;
}

/* The last name collected comes first. */
static int add_names(const struct climb *climb, struct thaw_buf *buf, bool leading_slash)
{
	size_t end = climb->names.len, start;
	int rc = 0;

	while (end && !rc) {
		for (start = end - 1; start && climb->names.data[start - 1]; start--)
			;
		if (leading_slash)
			(void)thaw_buf_add(buf, "/", 1);
		rc = thaw_buf_add(buf, climb->names.data + start, end - 1 - start);
		leading_slash = true;
		end = start;
	}
	return rc;
}

int thaw_catalog_path(struct thaw_catalog *cat, uint64_t id, struct thaw_buf *buf)
{
	struct climb climb;
	int rc = climb_up(cat, id, &climb, false);

	/* Under no name, or in a collection that is not attached. */
	if (!rc && climb.id != atomic_load(&cat->mount_root))
		rc = -ENOENT;
	if (!rc)
		rc = climb.names.len ? add_names(&climb, buf, true) : thaw_buf_add(buf, "/", 1);
	thaw_buf_release(&climb.names);
	return rc;
}

int thaw_catalog_key(struct thaw_catalog *cat, uint64_t id, struct thaw_buf *buf)
{
	struct climb climb;
	int rc = climb_up(cat, id, &climb, true);

	if (!rc && !climb.at_root)
		rc = -ENOENT;
	if (!rc)
		rc = add_names(&climb, buf, false);
	thaw_buf_release(&climb.names);
	return rc;
}

struct walk_down {
	struct thaw_catalog *cat;
	int (*visit)(void *ctx, const struct thaw_node *node, bool last);
	void *ctx;
	struct thaw_node at;
};

/* Skips what does not name anything; the length of the next name, 0 at the end. */
static size_t next_name(const char **path, const char *end)
{
	const char *p = *path, *start;

	for (;;) {
		while (p < end && *p == '/')
			p++;
		for (start = p; p < end && *p != '/'; p++)
			;
		if (p - start == 1 && *start == '.')
			continue;
		*path = start;
		return (size_t)(p - start);
	}
}

static int step_down(struct walk_down *down, const char *name, size_t len)
{
	int rc = 0;

	if (down->visit)
		rc = down->visit(down->ctx, &down->at, false);
	if (rc)
		return rc;
	if (down->at.type != THAW_TYPE_DIR)
		return -ENOTDIR;
	if (len > THAW_NAME_MAX)
		return -ENAMETOOLONG;
	return thaw_catalog_lookup(down->cat, down->at.id, name, len, &down->at);
}

int thaw_catalog_resolve(struct thaw_catalog *cat, uint64_t root, const char *path, size_t len,
			 int (*visit)(void *ctx, const struct thaw_node *node, bool last),
			 void *ctx, struct thaw_node *ret)
{
	struct walk_down down = { .cat = cat, .visit = visit, .ctx = ctx };
	const char *end = path + len;
	size_t n;
	int rc = thaw_catalog_node(cat, root, &down.at);

	while (!rc && (n = next_name(&path, end)) > 0) {
		rc = step_down(&down, path, n);
		path += n;
	}
	if (!rc && visit)
		rc = visit(ctx, &down.at, true);
	if (!rc)
		*ret = down.at;
	return rc;
}

/* 1: found, 0: not on the way up. */
static int climb_to(struct thaw_conn *conn, uint64_t id, uint64_t ancestor)
{
	int rc = 0;

	for (int depth = 0; depth < DEPTH_MAX && id; depth++) {
		if (id == ancestor)
			return 1;
		rc = thaw_sql_value(conn, THAW_STMT_PARENT, &id, "u", id);
		if (rc)
			return rc == -ENOENT ? 0 : rc;
	}
	return id ? -EUCLEAN : 0;
}

int thaw_catalog_is_below(struct thaw_catalog *cat, uint64_t id, uint64_t ancestor, bool *ret)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	uint64_t *parents = NULL;
	size_t n = 0;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = thaw_node_parents(conn, id, &parents, &n);
	if (rc)
		return rc;
	rc = id == ancestor;
	for (size_t i = 0; i < n && !rc; i++)
		rc = climb_to(conn, parents[i], ancestor);
	free(parents);
	if (rc < 0)
		return rc;
	*ret = rc;
	return 0;
}
