/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/catalog_impl.h"

struct meta {
	const char *name, *value;
};

int thaw_catalog_meta_get(struct thaw_catalog *cat, const char *name, char **ret)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	_cleanup_row_ sqlite3_stmt *st = NULL;
	char *value;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = thaw_sql_first(conn, THAW_STMT_META_GET, &st, "t", name);
	if (rc <= 0)
		return rc ? rc : -ENOENT;
	value = strdup((const char *)sqlite3_column_text(st, 0));
	if (!value)
		return -ENOMEM;
	*ret = value;
	return 0;
}

static int set(struct thaw_conn *rw, void *arg)
{
	const struct meta *meta = arg;

	return thaw_sql_run(rw, THAW_STMT_META_SET, "tt", meta->name, meta->value);
}

int thaw_catalog_meta_set(struct thaw_catalog *cat, const char *name, const char *value)
{
	struct meta meta = { .name = name, .value = value };

	return thaw_catalog_write(cat, set, &meta);
}
