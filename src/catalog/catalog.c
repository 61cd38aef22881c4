/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/catalog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/path.h"
#include "catalog/catalog_impl.h"
#include "catalog/place.h"
#include "catalog/schema.h"

#define PATH_LIMIT 4096

static int make_parent(const char *path, struct thaw_err *err)
{
	_cleanup_free_ char *dir = strdup(path);
	char *slash;
	int rc;

	if (!dir)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return 0;
	*slash = '\0';
	rc = thaw_path_make(dir, 0700);
	if (rc)
		return thaw_err_set(err, rc, "%s: cannot be made: %s", dir, strerror(-rc));
	return 0;
}

static int read_counter(struct thaw_conn *conn, const char *name, uint64_t *ret)
{
	return thaw_sql_value(conn, THAW_STMT_COUNTER, ret, "t", name);
}

/* What is kept in memory. */
static int load_state(struct thaw_catalog *cat)
{
	uint64_t root, pins;
	int rc = read_counter(cat->rw, "next_node", &cat->next.node);

	if (!rc)
		rc = read_counter(cat->rw, "next_object", &cat->next.object);
	if (!rc)
		rc = read_counter(cat->rw, "mount_root", &root);
	if (!rc)
		rc = thaw_sql_value(cat->rw, THAW_STMT_PINS_ANY, &pins, "");
	/* Tables or rows that every catalog has are missing. */
	if (rc == -ENOENT || (rc && sqlite3_errcode(cat->rw->db) == SQLITE_ERROR))
		return -EUCLEAN;
	if (rc)
		return rc;
	cat->next.saved_node = cat->next.node;
	cat->next.saved_object = cat->next.object;
	atomic_store(&cat->mount_root, root);
	atomic_store(&cat->has_pins, pins != 0);
	return 0;
}

/* Not yet the log: a file of a newer version must stay as it is. */
static int check_version(struct thaw_catalog *cat, struct thaw_err *err)
{
	return thaw_schema_migrate(cat->rw, thaw_schema_steps, thaw_schema_step_count, err);
}

static int open_rw(struct thaw_catalog *cat, struct thaw_err *err)
{
	int rc = thaw_conn_open(cat, THAW_CONN_RW, &cat->rw);

	if (!rc)
		rc = check_version(cat, err);
	if (!rc)
		rc = thaw_sql_exec(cat->rw, "PRAGMA wal_checkpoint(TRUNCATE)");
	if (!rc)
		rc = thaw_place_probe(cat->rw, err);
	if (!rc)
		rc = load_state(cat);
	return rc;
}

static struct thaw_catalog *new_catalog(const char *path)
{
	struct thaw_catalog *cat = calloc(1, sizeof(*cat));

	if (!cat)
		return NULL;
	cat->lock_fd = -1;
	cat->tail = &cat->queue;
	thaw_mutex_init(&cat->queue_lock, THAW_RANK_CATALOG);
	thaw_mutex_init(&cat->pool_lock, THAW_RANK_READERS);
	thaw_cond_init(&cat->pool_put);
	cat->path = strdup(path);
	return cat->path ? cat : thaw_catalog_close(cat);
}

/* One line whatever went wrong. */
static int explain(struct thaw_catalog *cat, int rc, struct thaw_err *err)
{
	if (err && err->text[0])
		return rc;
	if (rc == -EUCLEAN)
		return thaw_place_damaged(cat->path, cat->error_text, err);
	return thaw_err_set(err, rc, "%s: %s", cat->path,
			    cat->error_text[0] ? cat->error_text : strerror(-rc));
}

int thaw_catalog_open(const char *path, struct thaw_catalog **ret, struct thaw_err *err)
{
	struct thaw_catalog *cat;
	int rc;

	if (err)
		err->text[0] = '\0';
	if (strlen(path) >= PATH_LIMIT)
		return thaw_err_set(err, -ENAMETOOLONG, "the catalog's path is too long");
	cat = new_catalog(path);
	if (!cat)
		return thaw_err_set(err, -ENOMEM, "%s: out of memory", path);
	rc = make_parent(path, err);
	if (!rc)
		rc = thaw_place_lock(path, &cat->lock_fd, err);
	if (!rc)
		rc = thaw_place_prepare(path, err);
	if (!rc)
		rc = open_rw(cat, err);
	if (rc) {
		rc = explain(cat, rc, err);
		thaw_catalog_close(cat);
		return rc;
	}
	*ret = cat;
	return 0;
}

struct thaw_catalog *thaw_catalog_close(struct thaw_catalog *cat)
{
	if (!cat)
		return NULL;
	thaw_catalog_readers_close(cat);
	cat->rw = thaw_conn_close(cat->rw);
	if (cat->lock_fd >= 0)
		(void)close(cat->lock_fd);
	thaw_cond_destroy(&cat->pool_put);
	thaw_mutex_destroy(&cat->pool_lock);
	thaw_mutex_destroy(&cat->queue_lock);
	free(cat->path);
	free(cat);
	return NULL;
}

void thaw_catalog_stopping(struct thaw_catalog *cat)
{
	thaw_place_stopping(cat->lock_fd);
}

const char *thaw_catalog_file(const struct thaw_catalog *cat)
{
	return cat->path;
}

void thaw_catalog_strerror(struct thaw_catalog *cat, struct thaw_err *ret)
{
	thaw_mutex_lock(&cat->queue_lock);
	(void)thaw_err_set(ret, 0, "%s: %s", cat->path,
			   cat->error_text[0] ? cat->error_text : "no failure");
	thaw_mutex_unlock(&cat->queue_lock);
}
