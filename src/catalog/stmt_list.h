/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stmt_list.h - every prepared statement, as X(NAME, TEXT).  Included with X
 * defined, more than once: no include guard.  Parameters are numbered; their
 * types stand where a statement is run.
 */
#ifndef NODE_COLUMNS
#define NODE_COLUMNS                                                                               \
	"n.id, n.parent, n.object, n.collection, n.type, n.mode, n.uid, n.gid, n.nlink, n.size, "  \
	"n.mtime_ns, n.ctime_ns, n.listed, n.lost, n.root, n.alias"
#define KNOWN                                                                                      \
	"SELECT " NODE_COLUMNS ", n.link, o.tag, o.avail, o.class, n.name"                         \
	" FROM nodes n LEFT JOIN objects o ON o.id = n.object "
#define SUM                                                                                        \
	"SELECT n.id, n.type, n.alias, n.nlink, n.size, n.lost, n.listed, r.state"                 \
	" FROM nodes n LEFT JOIN residency r ON r.object = n.object "
#define CANDIDATES(time)                                                                           \
	"SELECT r.object, o.node, r.bytes, iif(r.dead, 0, r.staged_at),"                           \
	" iif(r.dead, 0, r.last_used), r.hits, n.collection, r.dead FROM residency r"              \
	" LEFT JOIN objects o ON o.id = r.object LEFT JOIN nodes n ON n.id = o.node"               \
	" WHERE r.state = 1 AND iif(dead, 0, " time ") >= ?1"                                      \
	" AND (iif(dead, 0, " time ") > ?1 OR r.object > ?2)"                                      \
	" ORDER BY iif(dead, 0, " time "), r.object LIMIT ?3"
#define COUNT(column) "UPDATE requests SET " column " = " column " + ?1 WHERE seq = ?2"
#define REQUEST                                                                                    \
	"SELECT id, owner, created, finished, expanded, cancelled, bytes, done_bytes,"             \
	" n_submitted, n_started, n_completed, n_failed, n_cancelled, seq FROM requests "
#endif

/* transactions */
X(BEGIN, "BEGIN IMMEDIATE")
X(COMMIT, "COMMIT")
X(ROLLBACK, "ROLLBACK")
X(SAVEPOINT, "SAVEPOINT op")
X(SAVEPOINT_UNDO, "ROLLBACK TO op")
X(SAVEPOINT_END, "RELEASE op")

/* small facts */
X(COUNTER, "SELECT value FROM counters WHERE name = ?1")
X(COUNTER_SET, "UPDATE counters SET value = ?2 WHERE name = ?1")
X(META_GET, "SELECT value FROM meta WHERE name = ?1")
X(META_SET, "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2")

/* collections */
X(COLLECTION_FIND, "SELECT id, root FROM collections WHERE name = ?1 AND source = ?2")
X(COLLECTION_INSERT,
  "INSERT INTO collections(name, source, path, root, attached) VALUES (?1, ?2, ?3, 0, 1)")
X(COLLECTION_ROOT, "UPDATE collections SET root = ?1 WHERE id = ?2")
X(COLLECTION_ATTACH, "UPDATE collections SET path = ?1, attached = 1 WHERE id = ?2")
X(COLLECTIONS_DETACH, "UPDATE collections SET attached = 0")
X(COLLECTION_ADD, "UPDATE collections SET files = files + ?1, bytes = bytes + ?2 WHERE id = ?3")
X(COLLECTION_LISTED,
  "SELECT n.listed FROM collections c JOIN nodes n ON n.id = c.root WHERE c.id = ?1")
X(TOTALS, "SELECT ifnull(sum(files), 0), ifnull(sum(bytes), 0) FROM collections WHERE attached")
X(UNHANG_COLLECTIONS,
  "UPDATE nodes SET parent = NULL, name = NULL WHERE id IN (SELECT root FROM collections)")
X(UNHANG_PLAIN,
  "UPDATE nodes SET parent = NULL, name = NULL WHERE id IN (SELECT node FROM plain_dirs)")
X(PLAIN_FIND, "SELECT node FROM plain_dirs WHERE path = ?1")
X(PLAIN_INSERT, "INSERT INTO plain_dirs VALUES (?1, ?2)")

/* nodes: reading */
X(NODE, "SELECT " NODE_COLUMNS " FROM nodes n WHERE n.id = ?1")
X(LOOKUP, "SELECT " NODE_COLUMNS " FROM nodes n WHERE n.parent = ?1 AND n.name = ?2")
X(READLINK, "SELECT target, type FROM nodes WHERE id = ?1")
X(CHILDREN,
  "SELECT " NODE_COLUMNS ", n.name FROM nodes n WHERE n.parent = ?1 AND n.name > ?2"
  " ORDER BY n.name LIMIT ?3")
X(PARENT, "SELECT parent FROM nodes WHERE id = ?1")
X(NAME, "SELECT parent, name, root FROM nodes WHERE id = ?1")
X(ALIAS_PARENTS, "SELECT parent FROM nodes WHERE alias = ?1 ORDER BY id")
X(SUM_ONE, SUM "WHERE n.id = ?1")
X(SUM_CHILDREN, SUM "WHERE n.parent = ?1")
X(KNOWN_PAGE, KNOWN "WHERE n.parent = ?1 AND n.name > ?2 ORDER BY n.name LIMIT ?3")
X(KNOWN_NAME, KNOWN "WHERE n.parent = ?1 AND n.name = ?2")
X(KNOWN_ID, KNOWN "WHERE n.id = ?1")
X(HAS_PRESENT, "SELECT EXISTS (SELECT 1 FROM nodes WHERE parent = ?1 AND NOT lost)")

/* nodes: writing */
X(DIR_INSERT,
  "INSERT INTO nodes(id, collection, type, mode, uid, gid, nlink, size, mtime_ns, ctime_ns,"
  " listed, lost, root) VALUES (?1, ?2, 2, 493, 0, 0, 1, 0, ?3, ?4, ?5, 0, ?6)")
X(NODE_INSERT,
  "INSERT INTO nodes(id, parent, name, collection, type, mode, uid, gid, nlink, size, mtime_ns,"
  " ctime_ns, object, listed, lost, root, link)"
  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, 0, 0, ?14)")
X(NODE_TARGET, "UPDATE nodes SET target = ?1 WHERE id = ?2")
X(NODE_UPDATE,
  "UPDATE nodes SET mode = ?1, uid = ?2, gid = ?3, size = ?4, mtime_ns = ?5, ctime_ns = ?6"
  " WHERE id = ?7")
X(NODE_OBJECT, "UPDATE nodes SET object = ?1 WHERE id = ?2")
X(NODE_LOST, "UPDATE nodes SET lost = ?1 WHERE id = ?2")
X(NODE_LISTED, "UPDATE nodes SET listed = ?1 WHERE id = ?2")
X(NODE_LINK, "UPDATE nodes SET link = ?1 WHERE id = ?2")
X(NODE_NLINK_ADD, "UPDATE nodes SET nlink = nlink + ?1 WHERE id = ?2")
X(NODE_HANG, "UPDATE nodes SET parent = ?1, name = ?2 WHERE id = ?3")
X(NODE_UNHANG, "UPDATE nodes SET parent = NULL, name = NULL, link = NULL WHERE id = ?1")
X(NODE_RENUMBER, "UPDATE nodes SET id = ?1 WHERE id = ?2")
X(NODE_YIELD,
  "UPDATE nodes SET parent = NULL, name = NULL, link = NULL, nlink = 0, successor = ?1"
  " WHERE id = ?2")
X(NODE_PAST,
  "INSERT INTO nodes(id, collection, type, mode, uid, gid, nlink, size, mtime_ns, ctime_ns,"
  " object, listed, lost, root, successor) SELECT ?1, collection, type, mode, uid, gid, 0, size,"
  " mtime_ns, ctime_ns, object, 0, 0, 0, ?2 FROM nodes WHERE id = ?2")
X(PAST_MOVE, "UPDATE nodes SET successor = ?1 WHERE successor = ?2")
X(NODE_SUCCESSOR, "SELECT ifnull(successor, id) FROM nodes WHERE id = ?1")
X(PAST_DELETE,
  "DELETE FROM nodes WHERE successor IS NOT NULL"
  " AND NOT EXISTS (SELECT 1 FROM residency r WHERE r.object = nodes.object)")
X(UNLISTED_PAGE,
  "SELECT " NODE_COLUMNS " FROM nodes n WHERE n.listed <> 1 AND n.type = 2 AND n.collection = ?1"
  " AND n.id > ?2 AND NOT n.lost ORDER BY n.id LIMIT ?3")
X(VANISH_PLAIN,
  "UPDATE nodes SET lost = 1 WHERE parent = ?1 AND type <> 2 AND nlink = 1 AND alias IS NULL"
  " AND NOT lost")
X(VANISH_SPECIAL,
  "SELECT " NODE_COLUMNS " FROM nodes n WHERE n.parent = ?1"
  " AND (n.type = 2 OR n.nlink > 1 OR n.alias IS NOT NULL)")
X(VANISH_ALL, "SELECT " NODE_COLUMNS " FROM nodes n WHERE n.parent = ?1")
X(ALIAS_INSERT,
  "INSERT INTO nodes(id, parent, name, collection, type, mode, uid, gid, nlink, size, mtime_ns,"
  " ctime_ns, listed, lost, root, alias)"
  " VALUES (?1, ?2, ?3, ?4, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ?5)")
X(ALIAS_DELETE, "DELETE FROM nodes WHERE id = ?1 AND alias IS NOT NULL")
X(ALIAS_FIRST, "SELECT id FROM nodes WHERE alias = ?1 ORDER BY id LIMIT 1")
X(LINK_FIND, "SELECT id FROM nodes WHERE collection = ?1 AND link = ?2")

/* objects */
X(OBJECT,
  "SELECT o.id, o.node, n.collection, o.version, o.current, n.lost, o.size, o.tag, o.avail,"
  " o.sha256, o.sha512, o.md5, o.digest_source, o.verified_at, o.verify_failed, o.error, r.state,"
  " r.bytes, r.staged_at, r.last_used, r.hits FROM objects o JOIN nodes n ON n.id = o.node"
  " LEFT JOIN residency r ON r.object = o.id WHERE o.id = ?1")
X(OBJECT_INSERT,
  "INSERT INTO objects(id, node, version, current, tag, size, avail, class)"
  " VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7)")
X(OBJECT_DELETE, "DELETE FROM objects WHERE id = ?1")
X(OBJECT_SUPERSEDE, "UPDATE objects SET current = 0 WHERE id = ?1")
X(OBJECT_REFRESH, "UPDATE objects SET avail = ?1, class = ?2 WHERE id = ?3")
X(OBJECT_SHA256,
  "UPDATE objects SET sha256 = ?1, digest_source = ifnull(digest_source, 'staged') WHERE id = ?2")
X(OBJECT_SHA512,
  "UPDATE objects SET sha512 = ?1, digest_source = ifnull(digest_source, 'staged') WHERE id = ?2")
X(OBJECT_MD5,
  "UPDATE objects SET md5 = ?1, digest_source = ifnull(digest_source, 'staged') WHERE id = ?2")
X(OBJECT_PUBLISHED,
  "UPDATE objects SET verified_at = ?1, verify_failed = 0, error = 0 WHERE id = ?2")
X(OBJECT_VERIFIED, "UPDATE objects SET verified_at = ?1, verify_failed = ?2 WHERE id = ?3")
X(OBJECT_ERROR, "UPDATE objects SET error = ?1, verify_failed = ?2 WHERE id = ?3")
X(VERSION_OF, "SELECT version FROM objects WHERE id = ?1")
X(SUPERSEDED_DELETE, "DELETE FROM objects WHERE id = ?1 AND current = 0")
X(SUPERSEDED_CLEAR, "DELETE FROM objects WHERE current = 0")

/* residency */
X(RESIDENCY_STATE, "SELECT state FROM residency WHERE object = ?1")
X(RESIDENCY_SET,
  "INSERT INTO residency VALUES (?1, ?2, ?3, ?4, ?5, 0,"
  " (SELECT NOT current FROM objects WHERE id = ?1)) ON CONFLICT(object) DO UPDATE"
  " SET state = ?2, bytes = ?3, staged_at = ?4, last_used = ?5")
X(RESIDENCY_MOVE, "UPDATE residency SET state = ?1 WHERE object = ?2 AND state = ?3")
X(RESIDENCY_DEAD, "UPDATE residency SET dead = ?1 WHERE object = ?2")
X(RESIDENCY_DELETE, "DELETE FROM residency WHERE object = ?1")
X(RESIDENCY_CLEAR, "DELETE FROM residency")
X(RESIDENCY_TOUCH,
  "UPDATE residency SET last_used = max(last_used, ?1), hits = hits + ?2 WHERE object = ?3")
X(RESIDENT_PAGE,
  "SELECT object, bytes, state FROM residency WHERE object > ?1 AND (?2 = 0 OR state = ?2)"
  " ORDER BY object LIMIT ?3")
X(RESIDENT_TOTALS,
  "SELECT (SELECT value FROM counters WHERE name = 'resident_files'),"
  " (SELECT value FROM counters WHERE name = 'resident_bytes')")
X(CANDIDATES_USED, CANDIDATES("last_used"))
X(CANDIDATES_STAGED, CANDIDATES("staged_at"))

/* pins */
X(PINS_ANY, "SELECT EXISTS (SELECT 1 FROM pins)")
X(PIN_SET, "INSERT OR REPLACE INTO pins VALUES (?1, ?2, ?3, ?4, ?5)")
X(PIN_COPY,
  "INSERT OR IGNORE INTO pins SELECT (SELECT ifnull(alias, id) FROM nodes WHERE parent = ?1"
  " AND name = ?2), owner, created, expires, label FROM pins WHERE node = ?3")
X(PIN_MOVE, "UPDATE OR IGNORE pins SET node = ?1 WHERE node = ?2")
X(PIN_DELETE, "DELETE FROM pins WHERE node = ?1")
X(PINS_ENDED, "SELECT EXISTS (SELECT 1 FROM pins WHERE expires <= ?1)")
X(PINS_EXPIRE, "DELETE FROM pins WHERE expires <= ?1")
X(PIN_AND_PARENT,
  "SELECT n.parent, p.node, p.owner, p.created, p.expires, p.label FROM nodes n"
  " LEFT JOIN pins p ON p.node = n.id AND p.expires > ?2 WHERE n.id = ?1")
X(PIN_PAGE,
  "SELECT node, owner, created, expires, label FROM pins WHERE node > ?1 ORDER BY node LIMIT ?2")

/* requests */
X(REQUEST_INSERT, "INSERT INTO requests(id, owner, created) VALUES (?1, ?2, ?3)")
X(REQUEST_ROOT_INSERT, "INSERT INTO request_roots VALUES (?1, ?2, ?3)")
X(REQUEST_SEQ, "SELECT seq FROM requests WHERE id = ?1")
X(REQUEST_ID, "SELECT id FROM requests WHERE seq = ?1")
X(REQUEST, REQUEST "WHERE id = ?1")
X(REQUEST_PAGE, REQUEST "WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2")
X(REQUESTS_OPEN, "SELECT id FROM requests WHERE finished = 0 ORDER BY seq LIMIT ?1")
X(REQUESTS_ANY, "SELECT EXISTS (SELECT 1 FROM requests WHERE finished = 0)")
X(REQUEST_ENDED, "SELECT seq FROM requests WHERE finished <> 0 AND finished < ?1 LIMIT 1")
X(REQUEST_DELETE, "DELETE FROM requests WHERE seq = ?1")
X(ROOTS_DELETE, "DELETE FROM request_roots WHERE request = ?1")
X(FILES_DELETE, "DELETE FROM request_files WHERE request = ?1")
X(FILES_CANCEL, "UPDATE request_files SET state = 4 WHERE request = ?1 AND state IN (0, 1)")
X(REQUEST_CANCEL,
  "UPDATE requests SET n_cancelled = n_cancelled + n_submitted + n_started, n_submitted = 0,"
  " n_started = 0, cancelled = 1, finished = max(?1, 1) WHERE seq = ?2 AND finished = 0")
X(FILES_RECOVER,
  "UPDATE request_files SET state = 0 WHERE state = 1 AND request IN"
  " (SELECT seq FROM requests WHERE finished = 0)")
X(REQUESTS_RECOVER,
  "UPDATE requests SET n_submitted = n_submitted + n_started, n_started = 0 WHERE finished = 0")
X(REQUEST_ROOTS, "SELECT node FROM request_roots WHERE request = ?1 ORDER BY pos")
X(REQUEST_WANTED, "SELECT finished = 0 AND NOT expanded FROM requests WHERE seq = ?1")
X(EXPAND_LOOK,
  "SELECT n.size, n.lost, r.state FROM nodes n LEFT JOIN residency r ON r.object = n.object"
  " WHERE n.id = ?1")
X(FILE_INSERT,
  "INSERT OR IGNORE INTO request_files VALUES (?1,"
  " 1 + ifnull((SELECT max(seq) FROM request_files WHERE request = ?1), 0), ?2, ?3, ?4, ?5)")
X(REQUEST_GREW,
  "UPDATE requests SET bytes = bytes + ?1, n_submitted = n_submitted + (?2 = 0),"
  " n_completed = n_completed + (?2 = 2), n_failed = n_failed + (?2 = 3),"
  " done_bytes = done_bytes + ?3 WHERE seq = ?4")
X(REQUEST_EXPANDED, "UPDATE requests SET expanded = 1 WHERE seq = ?1")
X(REQUEST_FINISH,
  "UPDATE requests SET finished = max(?1, 1) WHERE seq = ?2 AND expanded AND finished = 0"
  " AND n_submitted = 0 AND n_started = 0")
X(REQUEST_DONE_BYTES, "UPDATE requests SET done_bytes = done_bytes + ?1 WHERE seq = ?2")
X(COUNT_SUBMITTED, COUNT("n_submitted"))
X(COUNT_STARTED, COUNT("n_started"))
X(COUNT_COMPLETED, COUNT("n_completed"))
X(COUNT_FAILED, COUNT("n_failed"))
X(COUNT_CANCELLED, COUNT("n_cancelled"))
X(FILE_AT,
  "SELECT f.request, f.state, f.size FROM requests q JOIN request_files f"
  " ON f.request = q.seq AND f.seq = ?2 WHERE q.id = ?1")
X(FILE_MOVE, "UPDATE request_files SET state = ?1, error = ?2 WHERE request = ?3 AND seq = ?4")
X(FILES_WAITING,
  "SELECT seq, node, size, state, error FROM request_files INDEXED BY request_files_waiting"
  " WHERE request = ?1 AND seq > ?2 AND state = 0 ORDER BY seq LIMIT ?3")
X(FILES_PAGE,
  "SELECT seq, node, size, state, error FROM request_files WHERE request = ?1 AND seq > ?2"
  " ORDER BY seq LIMIT ?3")
X(FILES_MOVE, "UPDATE OR IGNORE request_files SET node = ?1 WHERE node = ?2 AND state IN (0, 1)")
X(ROOTS_MOVE, "UPDATE request_roots SET node = ?1 WHERE node = ?2")
X(FILE_OPEN,
  "SELECT max(q.seq) FROM request_files f JOIN requests q ON q.seq = f.request"
  " WHERE f.node = ?1 AND q.finished = 0")
X(ROOT_OPEN,
  "SELECT max(q.seq) FROM request_roots t JOIN requests q ON q.seq = t.request"
  " WHERE t.node = ?1 AND q.finished = 0")
X(ROOT_UNEXPANDED,
  "SELECT max(q.seq) FROM request_roots t JOIN requests q ON q.seq = t.request"
  " WHERE t.node = ?1 AND q.finished = 0 AND NOT q.expanded")
