/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where collections hang.  Everything is unhung first and what is configured
 * is hung again; ids stay, so that a collection that comes back finds its
 * rows, pins and staged files.  Plain directories are known by their path.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "catalog/catalog_impl.h"

struct attach {
	struct thaw_collection_spec *specs;
	size_t n;
	uint64_t root;
};

/* "/a/b" is below "/a"; equal counts too. */
static bool path_clashes(const char *path, const char *above)
{
	size_t len = strlen(above);

	while (len && above[len - 1] == '/')
		len--;
	return strncmp(path, above, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int check_specs(const struct thaw_collection_spec *specs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (specs[i].path[0] != '/')
			return -EINVAL;
		for (size_t j = 0; j < n; j++) {
			if (i != j && path_clashes(specs[i].path, specs[j].path))
				return -EINVAL;
		}
	}
	return 0;
}

static int new_dir(struct thaw_conn *rw, uint32_t collection, bool root, uint64_t *ret)
{
	uint64_t id = thaw_catalog_new_node(rw);
	int64_t now = thaw_clock_real_ns();
	/* The names of a plain directory are known from the start. */
	int rc = thaw_sql_run(rw, THAW_STMT_DIR_INSERT, "udiidd", id, collection, now, now, !root,
			      root);

	if (!rc)
		*ret = id;
	return rc;
}

static int plain_dir(struct thaw_conn *rw, const char *path, size_t len, uint64_t *ret)
{
	int rc = thaw_sql_value(rw, THAW_STMT_PLAIN_FIND, ret, "b", path, len);

	if (rc != -ENOENT)
		return rc;
	rc = new_dir(rw, 0, false, ret);
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_PLAIN_INSERT, "bu", path, len, *ret);
	return rc;
}

/* Hangs the root at the path, and the plain directories above it. */
static int hang(struct thaw_conn *rw, const char *path, uint64_t root)
{
	uint64_t parent = THAW_CATALOG_PLAIN_ROOT, node;
	const char *at = path;
	size_t len;
	int rc = 0;

	while (!rc) {
		at += strspn(at, "/");
		len = strcspn(at, "/");
		node = root;
		if (at[len + strspn(at + len, "/")])
			rc = plain_dir(rw, path, (size_t)(at + len - path), &node);
		if (!rc)
			rc = thaw_sql_run(rw, THAW_STMT_NODE_HANG, "ubu", parent, at, len, node);
		if (node == root)
			break;
		parent = node;
		at += len;
	}
	return rc;
}

static int find_or_make(struct thaw_conn *rw, struct thaw_collection_spec *spec)
{
	sqlite3_stmt *st = NULL;
	int rc = thaw_sql_first(rw, THAW_STMT_COLLECTION_FIND, &st, "tt", spec->name, spec->source);

	if (rc == 1) {
		spec->id = (uint32_t)thaw_sql_u64(st, 0);
		spec->root = thaw_sql_u64(st, 1);
		thaw_sql_end(st);
		return thaw_sql_run(rw, THAW_STMT_COLLECTION_ATTACH, "bu", spec->path,
				    strlen(spec->path), (uint64_t)spec->id);
	}
	if (rc)
		return rc;
	rc = thaw_sql_run(rw, THAW_STMT_COLLECTION_INSERT, "ttb", spec->name, spec->source,
			  spec->path, strlen(spec->path));
	if (rc)
		return rc;
	spec->id = (uint32_t)sqlite3_last_insert_rowid(rw->db);
	rc = new_dir(rw, spec->id, true, &spec->root);
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_COLLECTION_ROOT, "uu", spec->root,
				  (uint64_t)spec->id);
	return rc;
}

static int unhang_all(struct thaw_conn *rw)
{
	int rc = thaw_sql_run(rw, THAW_STMT_UNHANG_COLLECTIONS, "");

	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_UNHANG_PLAIN, "");
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_COLLECTIONS_DETACH, "");
	return rc;
}

static int attach(struct thaw_conn *rw, void *arg)
{
	struct attach *a = arg;
	int rc = unhang_all(rw);

	/* Superseded versions nobody can have open any more. */
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_PAST_DELETE, "");
	a->root = THAW_CATALOG_PLAIN_ROOT;
	for (size_t i = 0; i < a->n && !rc; i++) {
		struct thaw_collection_spec *spec = &a->specs[i];

		rc = find_or_make(rw, spec);
		if (!rc && spec->path[strspn(spec->path, "/")] == '\0')
			a->root = spec->root;
		else if (!rc)
			rc = hang(rw, spec->path, spec->root);
	}
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_COUNTER_SET, "tu", "mount_root", a->root);
	return rc;
}

static void attached(struct thaw_catalog *cat, void *arg)
{
	const struct attach *a = arg;

	atomic_store(&cat->mount_root, a->root);
}

int thaw_catalog_attach(struct thaw_catalog *cat, struct thaw_collection_spec *specs, size_t n,
			uint64_t *ret_root)
{
	struct attach a = { .specs = specs, .n = n };
	int rc = check_specs(specs, n);

	if (!rc)
		rc = thaw_catalog_write_then(cat, attach, attached, &a);
	if (!rc)
		*ret_root = a.root;
	return rc;
}
