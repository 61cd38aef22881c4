/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does the catalog keep its own promises?  Each rule is a query for a row that
 * breaks it; docs/catalog-format.md lists them as invariants.
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "catalog/catalog.h"
#include "catalog/catalog_impl.h"

static const struct rule {
	const char *says;
	const char *breaks; /* ids of offenders */
} rules[] = {
	{ "every name is in a directory",
	  "SELECT n.id FROM nodes n LEFT JOIN nodes p ON p.id = n.parent"
	  " WHERE n.parent IS NOT NULL AND (p.id IS NULL OR p.type <> 2 OR n.name IS NULL)" },
	{ "a further name leads to a file that is not lost",
	  "SELECT a.id FROM nodes a LEFT JOIN nodes n ON n.id = a.alias WHERE a.alias IS NOT NULL"
	  " AND (n.id IS NULL OR n.type <> 1 OR n.alias IS NOT NULL OR n.lost OR n.parent IS NULL"
	  "      OR a.parent IS NULL)" },
	{ "nlink counts the names",
	  "SELECT n.id FROM nodes n WHERE n.alias IS NULL AND n.successor IS NULL AND n.nlink <> 1"
	  " + (SELECT count(*) FROM nodes a WHERE a.alias = n.id)" },
	{ "a file under a name has a current version, of its size",
	  "SELECT n.id FROM nodes n LEFT JOIN objects o ON o.id = n.object"
	  " WHERE n.type = 1 AND n.alias IS NULL AND n.parent IS NOT NULL"
	  " AND (o.id IS NULL OR o.node <> n.id OR NOT o.current OR o.size <> n.size)" },
	{ "a current version is its node's",
	  "SELECT o.id FROM objects o LEFT JOIN nodes n ON n.object = o.id AND n.id = o.node"
	  " WHERE o.current AND n.id IS NULL" },
	{ "a superseded version is kept for its staged file only, which is dead",
	  "SELECT o.id FROM objects o LEFT JOIN residency r ON r.object = o.id"
	  " WHERE NOT o.current AND (r.object IS NULL OR NOT r.dead)" },
	{ "a superseded node is under no name, and its successor is not superseded",
	  "SELECT n.id FROM nodes n LEFT JOIN nodes s ON s.id = n.successor"
	  " WHERE n.successor IS NOT NULL AND (n.parent IS NOT NULL OR s.id IS NULL"
	  "  OR s.successor IS NOT NULL OR s.alias IS NOT NULL)" },
	{ "what is staged is of a known version",
	  "SELECT r.object FROM residency r LEFT JOIN objects o ON o.id = r.object"
	  " WHERE o.id IS NULL" },
	{ "ids given out are below the counters",
	  "SELECT max(id) FROM nodes HAVING max(id) >="
	  " (SELECT value FROM counters WHERE name = 'next_node')"
	  " UNION ALL SELECT max(id) FROM objects HAVING max(id) >="
	  " (SELECT value FROM counters WHERE name = 'next_object')" },
	{ "the resident totals are right",
	  "SELECT 0 FROM (SELECT count(*) f, total(bytes) b FROM residency WHERE state = 1)"
	  " WHERE f <> (SELECT value FROM counters WHERE name = 'resident_files')"
	  " OR b <> (SELECT value FROM counters WHERE name = 'resident_bytes')" },
	{ "the totals of collections are right",
	  "WITH RECURSIVE t(c, id) AS (SELECT id, root FROM collections UNION ALL"
	  "  SELECT t.c, n.id FROM t JOIN nodes n ON n.parent = t.id)"
	  " SELECT c.id FROM collections c WHERE"
	  "  c.files <> (SELECT count(*) FROM t JOIN nodes n ON n.id = t.id"
	  "   WHERE t.c = c.id AND n.type = 1 AND n.alias IS NULL)"
	  "  OR c.bytes <> (SELECT ifnull(sum(n.size), 0) FROM t JOIN nodes n ON n.id = t.id"
	  "   WHERE t.c = c.id AND n.type = 1 AND n.alias IS NULL)" },
	{ "the counts of requests are right",
	  "SELECT q.seq FROM requests q LEFT JOIN (SELECT request, sum(state = 0) s0,"
	  "  sum(state = 1) s1, sum(state = 2) s2, sum(state = 3) s3, sum(state = 4) s4,"
	  "  sum(size) b, sum(iif(state = 2, size, 0)) d FROM request_files GROUP BY request) f"
	  "  ON f.request = q.seq WHERE q.n_submitted <> ifnull(s0, 0)"
	  "  OR q.n_started <> ifnull(s1, 0) OR q.n_completed <> ifnull(s2, 0)"
	  "  OR q.n_failed <> ifnull(s3, 0) OR q.n_cancelled <> ifnull(s4, 0)"
	  "  OR q.bytes <> ifnull(b, 0) OR q.done_bytes <> ifnull(d, 0)" },
	{ "a finished request has nothing left to do",
	  "SELECT seq FROM requests WHERE finished <> 0 AND n_submitted + n_started <> 0" },
};

static int check_rule(struct thaw_conn *conn, const struct rule *rule, struct thaw_err *err)
{
	int64_t id;
	int rc = thaw_sql_exec_value(conn, rule->breaks, &id);

	if (rc == -ENOENT)
		return 0;
	if (rc)
		return rc;
	return thaw_err_set(err, -EUCLEAN, "%s: not so: %s (id %lld)", conn->cat->path, rule->says,
			    (long long)id);
}

static int check_file(struct thaw_conn *conn, struct thaw_err *err)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(conn->db, "PRAGMA integrity_check(1)", -1, &st, NULL);
	const char *text;
	int rc;

	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	rc = thaw_sql_errno(conn, code);
	text = rc ? sqlite3_errmsg(conn->db) : (const char *)sqlite3_column_text(st, 0);
	if (!rc && strcmp(text, "ok") != 0)
		rc = -EUCLEAN;
	if (rc)
		(void)thaw_err_set(err, rc, "%s: %s", conn->cat->path, text);
	(void)sqlite3_finalize(st);
	return rc;
}

/* All rules see one moment. */
int thaw_catalog_check(struct thaw_catalog *cat, struct thaw_err *err)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = check_file(conn, err);
	if (!rc)
		rc = thaw_sql_exec(conn, "BEGIN");
	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && !rc; i++)
		rc = check_rule(conn, &rules[i], err);
	(void)thaw_sql_exec(conn, "COMMIT");
	return rc;
}
