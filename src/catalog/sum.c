/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sums over a tree, directory by directory: each is its own short read, so
 * that a sum over millions of files does not keep the log from being reused.
 */
#include <errno.h>
#include <stdlib.h>

#include "catalog/catalog_impl.h"
#include "catalog/idset.h"
#include "catalog/object.h"
#include "catalog/sum_impl.h"
#include "catalog/tree.h"

enum { COL_ID, COL_TYPE, COL_ALIAS, COL_NLINK, COL_SIZE, COL_LOST, COL_LISTED, COL_STATE };

static void count_file(struct thaw_sum *sum, sqlite3_stmt *st)
{
	uint64_t size = thaw_sql_u64(st, COL_SIZE);

	sum->total.files++;
	sum->total.bytes += size;
	sum->total.lost_files += sqlite3_column_int(st, COL_LOST) != 0;
	if (sqlite3_column_int(st, COL_STATE) != THAW_RES_RESIDENT)
		return;
	sum->total.resident_files++;
	sum->total.resident_bytes += size;
}

static int count_row(struct thaw_sum *sum, sqlite3_stmt *st)
{
	int fresh = 1;

	if (sqlite3_column_type(st, COL_ALIAS) != SQLITE_NULL)
		return thaw_idlist_push(&sum->aliases, thaw_sql_u64(st, COL_ALIAS));
	switch (sqlite3_column_int(st, COL_TYPE)) {
	case THAW_TYPE_DIR:
		sum->total.dirs++;
		sum->total.unlisted_dirs += sqlite3_column_int(st, COL_LISTED) != THAW_LISTED;
		return thaw_idlist_push(&sum->dirs, thaw_sql_u64(st, COL_ID));
	case THAW_TYPE_FILE:
		if (sqlite3_column_int64(st, COL_NLINK) > 1)
			fresh = thaw_idset_add(&sum->seen, thaw_sql_u64(st, COL_ID));
		if (fresh == 1)
			count_file(sum, st);
		return fresh < 0 ? fresh : 0;
	default:
		return 0;
	}
}

static bool is_mixed(const struct thaw_sum *sum)
{
	return sum->total.resident_files && sum->total.resident_files < sum->total.files;
}

static int count_rows(struct thaw_conn *conn, struct thaw_sum *sum, enum thaw_stmt stmt,
		      uint64_t id)
{
	sqlite3_stmt *st = NULL;
	int rc = thaw_sql_first(conn, stmt, &st, "u", id);

	while (rc == 1) {
		rc = count_row(sum, st);
		if (rc || (sum->stop_when_mixed && is_mixed(sum)))
			break;
		rc = thaw_sql_next(conn, st);
	}
	thaw_sql_endp(&st);
	return rc;
}

static int count_tree(struct thaw_conn *conn, struct thaw_sum *sum, uint64_t id)
{
	int rc = count_rows(conn, sum, THAW_STMT_SUM_ONE, id);

	while (!rc && !(sum->stop_when_mixed && is_mixed(sum))) {
		if (sum->aliases.count)
			rc = count_rows(conn, sum, THAW_STMT_SUM_ONE,
					sum->aliases.ids[--sum->aliases.count]);
		else if (sum->dirs.count)
			rc = count_rows(conn, sum, THAW_STMT_SUM_CHILDREN,
					sum->dirs.ids[--sum->dirs.count]);
		else
			break;
	}
	return rc;
}

int thaw_sum_add(struct thaw_catalog *cat, struct thaw_sum *sum, uint64_t id)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	int rc = thaw_catalog_reader_get(cat, &conn);

	return rc ? rc : count_tree(conn, sum, id);
}

void thaw_sum_release(struct thaw_sum *sum)
{
	thaw_idlist_release(&sum->dirs);
	thaw_idlist_release(&sum->aliases);
	thaw_idset_release(&sum->seen);
}

static int sum_one(struct thaw_catalog *cat, uint64_t id, bool stop_when_mixed,
		   struct thaw_tree_sum *ret)
{
	struct thaw_sum sum = { .stop_when_mixed = stop_when_mixed };
	struct thaw_node node;
	int rc = thaw_catalog_node(cat, id, &node);

	if (!rc)
		rc = thaw_sum_add(cat, &sum, id);
	if (!rc)
		*ret = sum.total;
	thaw_sum_release(&sum);
	return rc;
}

int thaw_catalog_sum(struct thaw_catalog *cat, uint64_t id, struct thaw_tree_sum *ret)
{
	return sum_one(cat, id, false, ret);
}

int thaw_catalog_sum_state(struct thaw_catalog *cat, uint64_t id, struct thaw_tree_sum *ret)
{
	return sum_one(cat, id, true, ret);
}
