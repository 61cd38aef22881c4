/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sql.h - one SQLite connection with its prepared statements.
 *
 * Statements are named by an enum (stmt_list.h holds their text), prepared on
 * first use and kept.  A connection belongs to one thread at a time.  The
 * results of SQLite become -errno here and nowhere else.
 */
#ifndef THAW_CATALOG_SQL_H
#define THAW_CATALOG_SQL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thaw_catalog;

enum thaw_stmt {
#define X(name, text) THAW_STMT_##name,
#include "catalog/stmt_list.h"
#undef X
	THAW_STMTS,
};

struct thaw_conn {
	sqlite3 *db;
	struct thaw_catalog *cat;
	struct thaw_conn *next; /* of the pool */
	sqlite3_stmt *stmts[THAW_STMTS];
};

enum thaw_conn_kind { THAW_CONN_RW, THAW_CONN_READER };

int thaw_conn_open(struct thaw_catalog *cat, enum thaw_conn_kind kind, struct thaw_conn **ret);
struct thaw_conn *thaw_conn_close(struct thaw_conn *conn);

/* Keeps the text for thaw_catalog_strerror(). */
int thaw_sql_errno(struct thaw_conn *conn, int sqlite_code);

/*
 * Binding is told by one letter a parameter:
 *   u uint64_t   o uint64_t, 0 is NULL   i int64_t   d int or unsigned
 *   b const void *, size_t   t const char *, NULL is NULL
 * Blobs and texts must live until the statement is done with.
 */
/* Runs a statement that returns no row. */
int thaw_sql_run(struct thaw_conn *conn, enum thaw_stmt id, const char *types, ...);
/* First row: 1 and *ret is to be ended with thaw_sql_end(); 0: no row; or -errno. */
int thaw_sql_first(struct thaw_conn *conn, enum thaw_stmt id, sqlite3_stmt **ret,
		   const char *types, ...);
/* 1, 0 at the end, or -errno. */
int thaw_sql_next(struct thaw_conn *conn, sqlite3_stmt *st);
/* The first column of the first row; -ENOENT when there is none. */
int thaw_sql_value(struct thaw_conn *conn, enum thaw_stmt id, uint64_t *ret, const char *types,
		   ...);
/* Text without results: schema and transactions. */
int thaw_sql_exec(struct thaw_conn *conn, const char *text);
/* Text whose first column is one number. */
int thaw_sql_exec_value(struct thaw_conn *conn, const char *text, int64_t *ret);

static inline void thaw_sql_end(sqlite3_stmt *st)
{
	(void)sqlite3_reset(st);
}

static inline void thaw_sql_endp(sqlite3_stmt **st)
{
	if (*st)
		thaw_sql_end(*st);
}
#define _cleanup_row_ __attribute__((cleanup(thaw_sql_endp)))

static inline uint64_t thaw_sql_u64(sqlite3_stmt *st, int column)
{
	return (uint64_t)sqlite3_column_int64(st, column);
}

/* Copies a blob or text of at most room - 1 bytes and ends it with NUL; returns its length. */
size_t thaw_sql_copy(sqlite3_stmt *st, int column, char *out, size_t room);

#endif
