/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pool of read-only connections.  It grows to as many as are wanted at
 * once, up to a bound; past that callers wait.  What is put back last is
 * given out first: its page cache is the warmest.
 */
#include <errno.h>

#include "catalog/catalog_impl.h"

static struct thaw_conn *take_idle(struct thaw_catalog *cat)
{
	struct thaw_conn *conn = cat->idle;

	thaw_mutex_assert_held(&cat->pool_lock);
	if (conn) {
		cat->idle = conn->next;
		conn->next = NULL;
	}
	return conn;
}

static void forget_reader(struct thaw_catalog *cat)
{
	thaw_mutex_lock(&cat->pool_lock);
	cat->open_readers--;
	thaw_cond_signal(&cat->pool_put);
	thaw_mutex_unlock(&cat->pool_lock);
}

int thaw_catalog_reader_get(struct thaw_catalog *cat, struct thaw_conn **ret)
{
	struct thaw_conn *conn;
	int rc;

	thaw_mutex_assert_none_held();
	thaw_mutex_lock(&cat->pool_lock);
	while (!(conn = take_idle(cat)) && cat->open_readers == THAW_READERS_MAX)
		thaw_cond_wait(&cat->pool_put, &cat->pool_lock);
	if (!conn)
		cat->open_readers++;
	thaw_mutex_unlock(&cat->pool_lock);

	if (!conn) {
		rc = thaw_conn_open(cat, THAW_CONN_READER, &conn);
		if (rc) {
			forget_reader(cat);
			return rc;
		}
	}
	*ret = conn;
	return 0;
}

struct thaw_conn *thaw_catalog_reader_put(struct thaw_conn *conn)
{
	struct thaw_catalog *cat;

	if (!conn)
		return NULL;
	cat = conn->cat;
	thaw_mutex_lock(&cat->pool_lock);
	conn->next = cat->idle;
	cat->idle = conn;
	thaw_cond_signal(&cat->pool_put);
	thaw_mutex_unlock(&cat->pool_lock);
	return NULL;
}

void thaw_catalog_readers_close(struct thaw_catalog *cat)
{
	struct thaw_conn *conn, *next;

	for (conn = cat->idle; conn; conn = next) {
		next = conn->next;
		thaw_conn_close(conn);
	}
	cat->idle = NULL;
	cat->open_readers = 0;
}
