/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tree_impl.h - reading nodes, for the files of this room only.
 */
#ifndef THAW_CATALOG_TREE_IMPL_H
#define THAW_CATALOG_TREE_IMPL_H

#include "catalog/sql.h"
#include "catalog/tree.h"

#define THAW_NAME_MAX 255
#define THAW_DIR_SIZE 4096

/* How many columns NODE_COLUMNS of stmt_list.h are; what follows them starts here. */
#define THAW_NODE_COLUMNS 16

/* A row that begins with NODE_COLUMNS.  *ret_alias: the node this is a further name of, or 0. */
void thaw_node_read(sqlite3_stmt *st, struct thaw_node *ret, uint64_t *ret_alias);
int thaw_node_get(struct thaw_conn *conn, uint64_t id, struct thaw_node *ret);

/* Some children of a directory, read at once so that no connection is held while they are used. */
struct thaw_batch_child {
	struct thaw_node node;
	const char *name; /* in the batch */
	size_t len;
};
struct thaw_batch {
	struct thaw_batch_child *children;
	size_t count, room;
	char *names;
	size_t names_room;
};
int thaw_batch_init(struct thaw_batch *batch, size_t room);
void thaw_batch_release(struct thaw_batch *batch);
/* The first batch->room children after a name; fewer than that: there are no more. */
int thaw_batch_fetch(struct thaw_catalog *cat, struct thaw_batch *batch, uint64_t dir,
		     const char *after, size_t after_len);

/* The directories a node has a name in: the one of its first name first.  Caller frees. */
int thaw_node_parents(struct thaw_conn *conn, uint64_t id, uint64_t **ret, size_t *ret_n);

#endif
