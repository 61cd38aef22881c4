/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "catalog/ingest_impl.h"

enum {
	COL_PARENT = 1,
	COL_ROOT = 14,
	COL_LINK = THAW_NODE_COLUMNS,
	COL_TAG,
	COL_AVAIL,
	COL_CLASS,
	COL_NAME,
};

void thaw_known_read(sqlite3_stmt *st, struct thaw_known *ret)
{
	char tag[THAW_TAG_MAX + 1];

	thaw_node_read(st, &ret->node, &ret->alias);
	ret->parent = thaw_sql_u64(st, COL_PARENT);
	ret->root = sqlite3_column_int(st, COL_ROOT);
	ret->link = thaw_sql_u64(st, COL_LINK);
	ret->tag.len = (uint8_t)thaw_sql_copy(st, COL_TAG, tag, sizeof(tag));
	memcpy(ret->tag.data, tag, ret->tag.len);
	ret->avail = (enum thaw_avail)sqlite3_column_int(st, COL_AVAIL);
	(void)thaw_sql_copy(st, COL_CLASS, ret->class, sizeof(ret->class));
	ret->name_len = thaw_sql_copy(st, COL_NAME, ret->name, sizeof(ret->name));
}

static int read_one(int found, sqlite3_stmt *st, struct thaw_known *ret)
{
	if (found <= 0)
		return found ? found : -ENOENT;
	thaw_known_read(st, ret);
	thaw_sql_end(st);
	return 0;
}

int thaw_known_name(struct thaw_conn *rw, uint64_t dir, const char *name, size_t len,
		    struct thaw_known *ret)
{
	sqlite3_stmt *st = NULL;
	int found = thaw_sql_first(rw, THAW_STMT_KNOWN_NAME, &st, "ub", dir, name, len);

	return read_one(found, st, ret);
}

int thaw_known_id(struct thaw_conn *rw, uint64_t id, struct thaw_known *ret)
{
	sqlite3_stmt *st = NULL;
	int found = thaw_sql_first(rw, THAW_STMT_KNOWN_ID, &st, "u", id);

	return read_one(found, st, ret);
}
