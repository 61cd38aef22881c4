/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories an import has not come to: where it goes on after a restart.
 */
#include <errno.h>
#include <stdlib.h>

#include "catalog/catalog_impl.h"
#include "catalog/tree_impl.h"

#define PAGE 256

static int read_page(struct thaw_catalog *cat, uint32_t collection, uint64_t after,
		     struct thaw_node *page, size_t *ret_n)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	sqlite3_stmt *st = NULL;
	uint64_t alias;
	size_t n = 0;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = thaw_sql_first(conn, THAW_STMT_UNLISTED_PAGE, &st, "duu", collection, after,
			    (uint64_t)PAGE);
	for (; rc == 1; rc = thaw_sql_next(conn, st))
		thaw_node_read(st, &page[n++], &alias);
	thaw_sql_endp(&st);
	*ret_n = n;
	return rc;
}

int thaw_catalog_each_unlisted(struct thaw_catalog *cat, uint32_t collection,
			       int (*fn)(void *ctx, const struct thaw_node *node), void *ctx)
{
	struct thaw_node *page = calloc(PAGE, sizeof(*page));
	uint64_t after = 0;
	size_t n = PAGE;
	int rc = page ? 0 : -ENOMEM;

	while (!rc && n == PAGE) {
		rc = read_page(cat, collection, after, page, &n);
		for (size_t i = 0; i < n && !rc; i++) {
			after = page[i].id;
			rc = fn(ctx, &page[i]);
		}
	}
	free(page);
	return rc;
}
