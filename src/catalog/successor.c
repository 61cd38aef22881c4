/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a superseded node to the one that took its names.
 */
#include "catalog/successor.h"

#include "catalog/catalog_impl.h"
#include "catalog/tree.h"

/* One step is all: version.c keeps every superseded node pointing at the newest. */
int thaw_node_successor(struct thaw_conn *conn, uint64_t node, uint64_t *ret)
{
	return thaw_sql_value(conn, THAW_STMT_NODE_SUCCESSOR, ret, "u", node);
}

int thaw_catalog_successor(struct thaw_catalog *cat, uint64_t node, uint64_t *ret)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	int rc = thaw_catalog_reader_get(cat, &conn);

	return rc ? rc : thaw_node_successor(conn, node, ret);
}
