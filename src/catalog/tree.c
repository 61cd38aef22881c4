/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_impl.h"
#include "catalog/idset.h"
#include "catalog/tree_impl.h"

#define CHILDREN_BATCH 1024
#define NAMES_FIRST_ROOM 4096

void thaw_node_read(sqlite3_stmt *st, struct thaw_node *ret, uint64_t *ret_alias)
{
	bool root = sqlite3_column_int(st, 14);

	ret->id = thaw_sql_u64(st, 0);
	ret->parent = root ? 0 : thaw_sql_u64(st, 1);
	ret->object = thaw_sql_u64(st, 2);
	ret->collection = (uint32_t)thaw_sql_u64(st, 3);
	ret->type = (enum thaw_entry_type)sqlite3_column_int(st, 4);
	ret->mode = (uint32_t)thaw_sql_u64(st, 5);
	ret->uid = (uint32_t)thaw_sql_u64(st, 6);
	ret->gid = (uint32_t)thaw_sql_u64(st, 7);
	ret->nlink = (uint32_t)thaw_sql_u64(st, 8);
	ret->size = ret->type == THAW_TYPE_DIR ? THAW_DIR_SIZE : thaw_sql_u64(st, 9);
	ret->mtime_ns = sqlite3_column_int64(st, 10);
	ret->ctime_ns = sqlite3_column_int64(st, 11);
	ret->listed = (enum thaw_listed)sqlite3_column_int(st, 12);
	ret->lost = sqlite3_column_int(st, 13);
	*ret_alias = thaw_sql_u64(st, 15);
}

int thaw_node_get(struct thaw_conn *conn, uint64_t id, struct thaw_node *ret)
{
	sqlite3_stmt *st = NULL;
	uint64_t alias;
	int rc = thaw_sql_first(conn, THAW_STMT_NODE, &st, "u", id);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	thaw_node_read(st, ret, &alias);
	thaw_sql_end(st);
	return alias ? -ENOENT : 0; /* a further name is no node of its own */
}

int thaw_catalog_node(struct thaw_catalog *cat, uint64_t id, struct thaw_node *ret)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	int rc = thaw_catalog_reader_get(cat, &conn);

	return rc ? rc : thaw_node_get(conn, id, ret);
}

int thaw_catalog_lookup(struct thaw_catalog *cat, uint64_t dir, const char *name, size_t len,
			struct thaw_node *ret)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	sqlite3_stmt *st = NULL;
	struct thaw_node node;
	uint64_t alias;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = thaw_sql_first(conn, THAW_STMT_LOOKUP, &st, "ub", dir, name, len);
	if (rc <= 0)
		return rc ? rc : -ENOENT;
	thaw_node_read(st, &node, &alias);
	thaw_sql_end(st);
	if (alias)
		return thaw_node_get(conn, alias, ret);
	*ret = node;
	return 0;
}

int thaw_catalog_readlink(struct thaw_catalog *cat, uint64_t id, char **ret, size_t *ret_len)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	_cleanup_row_ sqlite3_stmt *st = NULL;
	char *text;
	size_t len;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = thaw_sql_first(conn, THAW_STMT_READLINK, &st, "u", id);
	if (rc <= 0)
		return rc ? rc : -ENOENT;
	if (sqlite3_column_int(st, 1) != THAW_TYPE_SYMLINK)
		return -EINVAL;
	len = (size_t)sqlite3_column_bytes(st, 0);
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	*ret_len = thaw_sql_copy(st, 0, text, len + 1);
	*ret = text;
	return 0;
}

int thaw_batch_init(struct thaw_batch *batch, size_t room)
{
	memset(batch, 0, sizeof(*batch));
	batch->children = calloc(room, sizeof(*batch->children));
	batch->names = malloc(NAMES_FIRST_ROOM);
	if (!batch->children || !batch->names) {
		thaw_batch_release(batch);
		return -ENOMEM;
	}
	batch->room = room;
	batch->names_room = NAMES_FIRST_ROOM;
	return 0;
}

void thaw_batch_release(struct thaw_batch *batch)
{
	free(batch->children);
	free(batch->names);
	memset(batch, 0, sizeof(*batch));
}

static int room_for_name(struct thaw_batch *batch, size_t used)
{
	char *more;

	if (batch->names_room - used > THAW_NAME_MAX)
		return 0;
	more = realloc(batch->names, batch->names_room * 2);
	if (!more)
		return -ENOMEM;
	batch->names = more;
	batch->names_room *= 2;
	return 0;
}

/* Names are packed with a NUL behind each; pointers are set when the arena has stopped moving. */
static int read_rows(struct thaw_conn *conn, struct thaw_batch *batch, sqlite3_stmt *st,
		     uint64_t *aliases)
{
	size_t used = 0;
	int rc = 1;

	for (batch->count = 0; rc == 1; rc = thaw_sql_next(conn, st)) {
		struct thaw_batch_child *child = &batch->children[batch->count];

		rc = room_for_name(batch, used);
		if (rc)
			return rc;
		thaw_node_read(st, &child->node, &aliases[batch->count]);
		child->len = thaw_sql_copy(st, THAW_NODE_COLUMNS, batch->names + used,
					   THAW_NAME_MAX + 1);
		used += child->len + 1;
		batch->count++;
	}
	return rc;
}

static int settle_rows(struct thaw_conn *conn, struct thaw_batch *batch, const uint64_t *aliases)
{
	const char *name = batch->names;
	int rc = 0;

	for (size_t i = 0; i < batch->count && !rc; i++) {
		struct thaw_batch_child *child = &batch->children[i];

		child->name = name;
		name += child->len + 1;
		if (aliases[i])
			rc = thaw_node_get(conn, aliases[i], &child->node);
		if (rc == -ENOENT) /* the alias went between the two reads: as if it never was */
			rc = 0;
	}
	return rc;
}

int thaw_batch_fetch(struct thaw_catalog *cat, struct thaw_batch *batch, uint64_t dir,
		     const char *after, size_t after_len)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	uint64_t *aliases = calloc(batch->room, sizeof(*aliases));
	sqlite3_stmt *st = NULL;
	int rc = aliases ? thaw_catalog_reader_get(cat, &conn) : -ENOMEM;

	batch->count = 0;
	if (!rc)
		rc = thaw_sql_first(conn, THAW_STMT_CHILDREN, &st, "ubu", dir, after, after_len,
				    (uint64_t)batch->room);
	if (rc == 1) {
		rc = read_rows(conn, batch, st, aliases);
		thaw_sql_end(st);
		if (!rc)
			rc = settle_rows(conn, batch, aliases);
	}
	free(aliases);
	return rc;
}

/* Goes through the children of a directory batch by batch. */
static int each_child(struct thaw_catalog *cat, struct thaw_batch *batch, uint64_t dir,
		      const char *after, size_t after_len, size_t limit, thaw_child_fn *fn,
		      void *ctx)
{
	char last[THAW_NAME_MAX + 1];
	int rc;

	for (;;) {
		rc = thaw_batch_fetch(cat, batch, dir, after, after_len);
		for (size_t i = 0; i < batch->count && limit && !rc; i++, limit--)
			rc = fn(ctx, batch->children[i].name, batch->children[i].len,
				&batch->children[i].node);
		if (rc || !limit || batch->count < batch->room)
			return rc;
		after_len = batch->children[batch->count - 1].len;
		memcpy(last, batch->children[batch->count - 1].name, after_len);
		after = last;
	}
}

int thaw_catalog_children(struct thaw_catalog *cat, uint64_t dir, const char *after,
			  size_t after_len, size_t limit, thaw_child_fn *fn, void *ctx)
{
	struct thaw_batch batch;
	int rc;

	if (!limit)
		return 0;
	rc = thaw_batch_init(&batch, limit < CHILDREN_BATCH ? limit : CHILDREN_BATCH);
	if (rc)
		return rc;
	rc = each_child(cat, &batch, dir, after, after_len, limit, fn, ctx);
	thaw_batch_release(&batch);
	return rc;
}

static int push_alias_parents(struct thaw_conn *conn, uint64_t id, struct thaw_idlist *list)
{
	sqlite3_stmt *st = NULL;
	int rc = thaw_sql_first(conn, THAW_STMT_ALIAS_PARENTS, &st, "u", id);

	while (rc == 1) {
		rc = thaw_idlist_push(list, thaw_sql_u64(st, 0));
		if (!rc)
			rc = thaw_sql_next(conn, st);
	}
	thaw_sql_endp(&st);
	return rc;
}

int thaw_node_parents(struct thaw_conn *conn, uint64_t id, uint64_t **ret, size_t *ret_n)
{
	struct thaw_idlist list = { 0 };
	uint64_t parent;
	int rc = thaw_sql_value(conn, THAW_STMT_PARENT, &parent, "u", id);

	if (!rc && parent)
		rc = thaw_idlist_push(&list, parent);
	if (!rc)
		rc = push_alias_parents(conn, id, &list);
	if (rc) {
		thaw_idlist_release(&list);
		return rc;
	}
	*ret = list.ids;
	*ret_n = list.count;
	return 0;
}

int thaw_catalog_totals(struct thaw_catalog *cat, uint64_t *ret_files, uint64_t *ret_bytes)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	_cleanup_row_ sqlite3_stmt *st = NULL;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = thaw_sql_first(conn, THAW_STMT_TOTALS, &st, "");
	if (rc <= 0)
		return rc ? rc : -EIO;
	*ret_files = thaw_sql_u64(st, 0);
	*ret_bytes = thaw_sql_u64(st, 1);
	return 0;
}
