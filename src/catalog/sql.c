/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/sql.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_impl.h"

#define BUSY_TIMEOUT_MS 10000

static const char *const stmt_text[] = {
#define X(name, text) [THAW_STMT_##name] = text,
#include "catalog/stmt_list.h"
#undef X
};

/* The rw connection alone checkpoints: the WAL-reset bug of SQLite before 3.51.3 needs two
 * connections that do. */
static const char rw_setup[] = "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA wal_autocheckpoint = 8192;"
			       "PRAGMA journal_size_limit = 67108864;"
			       "PRAGMA cache_size = -65536;"
			       "PRAGMA temp_store = MEMORY;"
			       "PRAGMA trusted_schema = OFF;";
static const char reader_setup[] = "PRAGMA wal_autocheckpoint = 0;"
				   "PRAGMA cache_size = -12288;"
				   "PRAGMA temp_store = MEMORY;"
				   "PRAGMA query_only = ON;"
				   "PRAGMA trusted_schema = OFF;";

static int plain_errno(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EAGAIN;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_TOOBIG:
		return -E2BIG;
	default:
		return -EIO;
	}
}

int thaw_sql_errno(struct thaw_conn *conn, int sqlite_code)
{
	int rc = sqlite_code == SQLITE_IOERR_NOMEM ? -ENOMEM : plain_errno(sqlite_code);

	if (!rc)
		return 0;
	thaw_mutex_lock(&conn->cat->queue_lock);
	(void)snprintf(conn->cat->error_text, sizeof(conn->cat->error_text), "%s (SQLite code %d)",
		       conn->db ? sqlite3_errmsg(conn->db) : sqlite3_errstr(sqlite_code),
		       sqlite_code);
	thaw_mutex_unlock(&conn->cat->queue_lock);
	return rc;
}

int thaw_sql_exec(struct thaw_conn *conn, const char *text)
{
	return thaw_sql_errno(conn, sqlite3_exec(conn->db, text, NULL, NULL, NULL));
}

int thaw_sql_exec_value(struct thaw_conn *conn, const char *text, int64_t *ret)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(conn->db, text, -1, &st, NULL);
	int rc;

	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	rc = thaw_sql_errno(conn, code);
	if (!rc && code != SQLITE_ROW)
		rc = -ENOENT;
	if (!rc)
		*ret = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return rc;
}

static int prepare(struct thaw_conn *conn, enum thaw_stmt id, sqlite3_stmt **ret)
{
	int code;

	if (!conn->stmts[id]) {
		code = sqlite3_prepare_v3(conn->db, stmt_text[id], -1, SQLITE_PREPARE_PERSISTENT,
					  &conn->stmts[id], NULL);
		if (code != SQLITE_OK)
			return thaw_sql_errno(conn, code);
	}
	*ret = conn->stmts[id];
	return 0;
}

/* Rolling back must not need memory that has just run out. */
static int prepare_transactions(struct thaw_conn *conn)
{
	sqlite3_stmt *st;
	int rc = 0;

	for (int id = THAW_STMT_BEGIN; id <= THAW_STMT_SAVEPOINT_END && !rc; id++)
		rc = prepare(conn, (enum thaw_stmt)id, &st);
	return rc;
}

int thaw_conn_open(struct thaw_catalog *cat, enum thaw_conn_kind kind, struct thaw_conn **ret)
{
	struct thaw_conn *conn = calloc(1, sizeof(*conn));
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
	int rc;

	if (!conn)
		return -ENOMEM;
	conn->cat = cat;
	flags |= kind == THAW_CONN_RW ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	rc = thaw_sql_errno(conn, sqlite3_open_v2(cat->path, &conn->db, flags, NULL));
	if (!rc)
		rc = thaw_sql_errno(conn, sqlite3_busy_timeout(conn->db, BUSY_TIMEOUT_MS));
	if (!rc && kind == THAW_CONN_READER)
		rc = thaw_sql_errno(conn, sqlite3_db_config(conn->db,
							    SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
							    NULL));
	if (!rc)
		rc = thaw_sql_exec(conn, kind == THAW_CONN_RW ? rw_setup : reader_setup);
	if (!rc && kind == THAW_CONN_RW)
		rc = prepare_transactions(conn);
	if (rc)
		thaw_conn_close(conn);
	else
		*ret = conn;
	return rc;
}

struct thaw_conn *thaw_conn_close(struct thaw_conn *conn)
{
	if (!conn)
		return NULL;
	for (size_t i = 0; i < THAW_STMTS; i++)
		(void)sqlite3_finalize(conn->stmts[i]);
	(void)sqlite3_close(conn->db);
	free(conn);
	return NULL;
}

static int bind_one(sqlite3_stmt *st, int at, char type, va_list *ap)
{
	const void *data;
	uint64_t u;

	switch (type) {
	case 'u':
		return sqlite3_bind_int64(st, at, (int64_t)va_arg(*ap, uint64_t));
	case 'o':
		u = va_arg(*ap, uint64_t);
		return u ? sqlite3_bind_int64(st, at, (int64_t)u) : sqlite3_bind_null(st, at);
	case 'i':
		return sqlite3_bind_int64(st, at, va_arg(*ap, int64_t));
	case 'd':
		/* Unsigned ones arrive here too: uid 4294967294 must not become -2. */
		return sqlite3_bind_int64(st, at, va_arg(*ap, unsigned));
	case 'b':
		data = va_arg(*ap, const void *);
		/* A NULL pointer would bind NULL and not the empty blob. */
		return sqlite3_bind_blob64(st, at, data ? data : "", va_arg(*ap, size_t),
					   SQLITE_STATIC);
	case 't':
		return sqlite3_bind_text(st, at, va_arg(*ap, const char *), -1, SQLITE_STATIC);
	default:
		return SQLITE_MISUSE;
	}
}

static int bind_all(struct thaw_conn *conn, sqlite3_stmt *st, const char *types, va_list *ap)
{
	int code = SQLITE_OK;

	for (int at = 1; types[at - 1] && code == SQLITE_OK; at++)
		code = bind_one(st, at, types[at - 1], ap);
	return thaw_sql_errno(conn, code);
}

int thaw_sql_next(struct thaw_conn *conn, sqlite3_stmt *st)
{
	int code = sqlite3_step(st);

	if (code == SQLITE_ROW)
		return 1;
	if (code == SQLITE_DONE)
		return 0;
	return thaw_sql_errno(conn, code);
}

static int start(struct thaw_conn *conn, enum thaw_stmt id, sqlite3_stmt **ret, const char *types,
		 va_list *ap)
{
	sqlite3_stmt *st = NULL;
	int rc = prepare(conn, id, &st);

	if (rc)
		return rc;
	rc = bind_all(conn, st, types, ap);
	if (!rc)
		rc = thaw_sql_next(conn, st);
	if (rc == 1)
		*ret = st;
	else
		thaw_sql_end(st);
	return rc;
}

int thaw_sql_first(struct thaw_conn *conn, enum thaw_stmt id, sqlite3_stmt **ret,
		   const char *types, ...)
{
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = start(conn, id, ret, types, &ap);
	va_end(ap);
	return rc;
}

int thaw_sql_run(struct thaw_conn *conn, enum thaw_stmt id, const char *types, ...)
{
	sqlite3_stmt *st = NULL;
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = start(conn, id, &st, types, &ap);
	va_end(ap);
	thaw_sql_endp(&st);
	return rc < 0 ? rc : 0;
}

int thaw_sql_value(struct thaw_conn *conn, enum thaw_stmt id, uint64_t *ret, const char *types,
		   ...)
{
	sqlite3_stmt *st = NULL;
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = start(conn, id, &st, types, &ap);
	va_end(ap);
	if (rc == 1)
		*ret = thaw_sql_u64(st, 0);
	thaw_sql_endp(&st);
	return rc == 1 ? 0 : rc < 0 ? rc : -ENOENT;
}

size_t thaw_sql_copy(sqlite3_stmt *st, int column, char *out, size_t room)
{
	const void *data = sqlite3_column_blob(st, column);
	size_t len = (size_t)sqlite3_column_bytes(st, column);

	if (len > room - 1)
		len = room - 1;
	if (len)
		memcpy(out, data, len);
	out[len] = '\0';
	return len;
}
