/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The meaning of each column is written in docs/catalog-format.md.
 */
#include "catalog/schema.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "catalog/catalog_impl.h"

static const char step_tree[] =
	"CREATE TABLE counters("
	"  name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO counters VALUES"
	"  ('next_node', 2), ('next_object', 1), ('mount_root', 1),"
	"  ('resident_files', 0), ('resident_bytes', 0);"

	"CREATE TABLE meta("
	"  name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"

	"CREATE TABLE collections("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, source TEXT NOT NULL,"
	"  path BLOB NOT NULL, root INTEGER NOT NULL, attached INTEGER NOT NULL,"
	"  files INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,"
	"  UNIQUE(name, source)) STRICT;"

	"CREATE TABLE plain_dirs("
	"  path BLOB PRIMARY KEY, node INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

	/* Ids come from counters and not from AUTOINCREMENT: see "Ids" in the format document. */
	"CREATE TABLE nodes("
	"  id INTEGER PRIMARY KEY, parent INTEGER, name BLOB,"
	"  collection INTEGER NOT NULL, type INTEGER NOT NULL, mode INTEGER NOT NULL,"
	"  uid INTEGER NOT NULL, gid INTEGER NOT NULL, nlink INTEGER NOT NULL,"
	"  size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,"
	"  object INTEGER, listed INTEGER NOT NULL, lost INTEGER NOT NULL,"
	"  root INTEGER NOT NULL, alias INTEGER, link INTEGER, target BLOB,"
	"  successor INTEGER) STRICT;"
	"CREATE UNIQUE INDEX nodes_name ON nodes(parent, name) WHERE parent IS NOT NULL;"
	"CREATE INDEX nodes_alias ON nodes(alias) WHERE alias IS NOT NULL;"
	"CREATE UNIQUE INDEX nodes_link ON nodes(collection, link) WHERE link IS NOT NULL;"
	"CREATE INDEX nodes_past ON nodes(successor) WHERE successor IS NOT NULL;"
	"CREATE INDEX nodes_unlisted ON nodes(collection, id) WHERE listed <> 1 AND type = 2;"
	"INSERT INTO nodes VALUES"
	"  (1, NULL, NULL, 0, 2, 493, 0, 0, 1, 0, 0, 0, NULL, 1, 0, 0, NULL, NULL, NULL, NULL);";

static const char step_content[] =
	"CREATE TABLE objects("
	"  id INTEGER PRIMARY KEY, node INTEGER NOT NULL, version INTEGER NOT NULL,"
	"  current INTEGER NOT NULL, key BLOB, tag BLOB NOT NULL, size INTEGER NOT NULL,"
	"  avail INTEGER NOT NULL, class TEXT, sha256 BLOB, sha512 BLOB, md5 BLOB,"
	"  digest_source TEXT, verified_at INTEGER NOT NULL DEFAULT 0,"
	"  verify_failed INTEGER NOT NULL DEFAULT 0, error INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE INDEX objects_superseded ON objects(node) WHERE current = 0;"

	"CREATE TABLE residency("
	"  object INTEGER PRIMARY KEY, state INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	"  staged_at INTEGER NOT NULL, last_used INTEGER NOT NULL, hits INTEGER NOT NULL,"
	"  dead INTEGER NOT NULL) STRICT;"
	/* The dead sort before all others: they are evicted first. */
	"CREATE INDEX residency_used ON residency(iif(dead, 0, last_used)) WHERE state = 1;"
	"CREATE INDEX residency_staged ON residency(iif(dead, 0, staged_at)) WHERE state = 1;"
	"CREATE TRIGGER residency_added AFTER INSERT ON residency WHEN new.state = 1 BEGIN"
	"  UPDATE counters SET value = value + 1 WHERE name = 'resident_files';"
	"  UPDATE counters SET value = value + new.bytes WHERE name = 'resident_bytes'; END;"
	"CREATE TRIGGER residency_removed AFTER DELETE ON residency WHEN old.state = 1 BEGIN"
	"  UPDATE counters SET value = value - 1 WHERE name = 'resident_files';"
	"  UPDATE counters SET value = value - old.bytes WHERE name = 'resident_bytes'; END;"
	"CREATE TRIGGER residency_changed AFTER UPDATE OF state, bytes ON residency BEGIN"
	"  UPDATE counters SET value = value + (new.state = 1) - (old.state = 1)"
	"    WHERE name = 'resident_files';"
	"  UPDATE counters SET value = value + (new.state = 1) * new.bytes"
	"    - (old.state = 1) * old.bytes WHERE name = 'resident_bytes'; END;";

static const char step_wishes[] =
	"CREATE TABLE pins("
	"  node INTEGER PRIMARY KEY, owner INTEGER NOT NULL, created INTEGER NOT NULL,"
	"  expires INTEGER NOT NULL, label BLOB NOT NULL) STRICT;"
	"CREATE INDEX pins_expires ON pins(expires);"

	"CREATE TABLE requests("
	"  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
	"  owner INTEGER NOT NULL, created INTEGER NOT NULL, finished INTEGER NOT NULL DEFAULT 0,"
	"  expanded INTEGER NOT NULL DEFAULT 0, cancelled INTEGER NOT NULL DEFAULT 0,"
	"  bytes INTEGER NOT NULL DEFAULT 0, done_bytes INTEGER NOT NULL DEFAULT 0,"
	"  n_submitted INTEGER NOT NULL DEFAULT 0, n_started INTEGER NOT NULL DEFAULT 0,"
	"  n_completed INTEGER NOT NULL DEFAULT 0, n_failed INTEGER NOT NULL DEFAULT 0,"
	"  n_cancelled INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE INDEX requests_open ON requests(seq) WHERE finished = 0;"
	"CREATE INDEX requests_finished ON requests(finished) WHERE finished <> 0;"

	"CREATE TABLE request_roots("
	"  request INTEGER NOT NULL, pos INTEGER NOT NULL, node INTEGER NOT NULL,"
	"  PRIMARY KEY(request, pos)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX request_roots_node ON request_roots(node);"

	"CREATE TABLE request_files("
	"  request INTEGER NOT NULL, seq INTEGER NOT NULL, node INTEGER NOT NULL,"
	"  size INTEGER NOT NULL, state INTEGER NOT NULL, error INTEGER NOT NULL,"
	"  PRIMARY KEY(request, seq)) STRICT, WITHOUT ROWID;"
	"CREATE UNIQUE INDEX request_files_node ON request_files(node, request);"
	"CREATE INDEX request_files_waiting ON request_files(request, seq) WHERE state = 0;";

const char *const thaw_schema_steps[] = { step_tree, step_content, step_wishes };
const size_t thaw_schema_step_count = sizeof(thaw_schema_steps) / sizeof(thaw_schema_steps[0]);

static int run_steps(struct thaw_conn *rw, const char *const *steps, size_t from, size_t count)
{
	char stamp[64];
	int rc = 0;

	for (size_t i = from; i < count && !rc; i++)
		rc = thaw_sql_exec(rw, steps[i]);
	(void)snprintf(stamp, sizeof(stamp), "PRAGMA user_version = %zu", count);
	return rc ? rc : thaw_sql_exec(rw, stamp);
}

int thaw_schema_migrate(struct thaw_conn *rw, const char *const *steps, size_t count,
			struct thaw_err *err)
{
	int64_t version;
	int rc = thaw_sql_exec_value(rw, "PRAGMA user_version", &version);

	if (rc)
		return rc;
	if (version < 0 || (uint64_t)version > count)
		return thaw_err_set(err, -EPROTO,
				    "%s: catalog of version %lld, this program knows %zu: "
				    "use the newer thawfs that wrote it",
				    rw->cat->path, (long long)version, count);
	if ((size_t)version == count)
		return 0;
	rc = thaw_sql_exec(rw, "BEGIN IMMEDIATE");
	if (rc)
		return rc;
	rc = run_steps(rw, steps, (size_t)version, count);
	if (!rc)
		rc = thaw_sql_exec(rw, "COMMIT");
	if (rc && !sqlite3_get_autocommit(rw->db))
		(void)thaw_sql_exec(rw, "ROLLBACK");
	return rc;
}
