/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Versions of a file's content.  A node stands for one content for ever: a new
 * version takes over the row of the old one (its name, its pin, its place in
 * requests that still wait) under a new id, and the old id goes on in a row
 * without a name that notes its successor, for those who have the old version
 * open or asked for it.
 */
#include <errno.h>
#include <string.h>

#include "catalog/catalog_impl.h"
#include "catalog/ingest_impl.h"

static int insert(struct thaw_merge *m, const struct thaw_listed_entry *e, uint64_t node,
		  uint64_t version, uint64_t *ret_object)
{
	uint64_t id = thaw_catalog_new_object(m->rw);
	int rc = thaw_sql_run(m->rw, THAW_STMT_OBJECT_INSERT, "uuubudt", id, node, version,
			      thaw_entry_bytes(m->listing, e->tag_off), (size_t)e->tag_len, e->size,
			      e->avail,
			      e->class_len ? thaw_entry_bytes(m->listing, e->class_off) : NULL);

	if (!rc)
		*ret_object = id;
	return rc;
}

int thaw_version_first(struct thaw_merge *m, const struct thaw_listed_entry *e, uint64_t node,
		       uint64_t *ret_object)
{
	return insert(m, e, node, 1, ret_object);
}

bool thaw_version_same(const struct thaw_merge *m, const struct thaw_known *known,
		       const struct thaw_listed_entry *e)
{
	return known->node.object && known->node.size == e->size && known->tag.len == e->tag_len &&
	       memcmp(known->tag.data, thaw_entry_bytes(m->listing, e->tag_off), e->tag_len) == 0;
}

/* Deleted, or kept as dead when there is a residency row. */
static int supersede(struct thaw_conn *rw, uint64_t object)
{
	uint64_t staged = 0;
	int rc;

	if (!object)
		return 0;
	rc = thaw_sql_value(rw, THAW_STMT_RESIDENCY_STATE, &staged, "u", object);
	if (rc == -ENOENT)
		return thaw_sql_run(rw, THAW_STMT_OBJECT_DELETE, "u", object);
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_OBJECT_SUPERSEDE, "u", object);
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_RESIDENCY_DEAD, "du", 1, object);
	return rc;
}

/* Whoever speaks of the old node means the new one from now on. */
static int hand_over(struct thaw_conn *rw, uint64_t old, uint64_t id)
{
	static const enum thaw_stmt moves[] = {
		THAW_STMT_PIN_MOVE, THAW_STMT_FILES_MOVE, THAW_STMT_ROOTS_MOVE,
		/* Straight to the newest, so that any row between may be deleted. */
		THAW_STMT_PAST_MOVE,
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]) && !rc; i++)
		rc = thaw_sql_run(rw, moves[i], "uu", id, old);
	return rc;
}

/* The row with its name gets the new id; what is left behind notes it. */
static int renumber(struct thaw_conn *rw, uint64_t old, uint64_t id)
{
	int rc = thaw_sql_run(rw, THAW_STMT_NODE_RENUMBER, "uu", id, old);

	if (!rc)
		rc = hand_over(rw, old, id);
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_NODE_PAST, "uu", old, id);
	return rc;
}

int thaw_version_yield(struct thaw_merge *m, const struct thaw_known *known, uint64_t to)
{
	int rc = supersede(m->rw, known->node.object);

	if (!rc)
		rc = hand_over(m->rw, known->node.id, to);
	if (!rc)
		rc = thaw_sql_run(m->rw, THAW_STMT_PIN_DELETE, "u", known->node.id);
	if (!rc)
		rc = thaw_sql_run(m->rw, THAW_STMT_NODE_YIELD, "uu", to, known->node.id);
	m->files--;
	m->bytes -= (int64_t)known->node.size;
	return rc;
}

int thaw_version_switch(struct thaw_merge *m, const struct thaw_known *known,
			const struct thaw_listed_entry *e, uint64_t *ret_node)
{
	uint64_t id = thaw_catalog_new_node(m->rw), version = 0, object;
	int rc = thaw_sql_value(m->rw, THAW_STMT_VERSION_OF, &version, "u", known->node.object);

	if (!rc || rc == -ENOENT)
		rc = supersede(m->rw, known->node.object);
	if (!rc)
		rc = renumber(m->rw, known->node.id, id);
	if (!rc)
		rc = insert(m, e, id, version + 1, &object);
	if (!rc)
		rc = thaw_sql_run(m->rw, THAW_STMT_NODE_OBJECT, "ou", object, id);
	if (!rc)
		*ret_node = id;
	return rc;
}

int thaw_version_drop(struct thaw_merge *m, const struct thaw_known *known)
{
	int rc = supersede(m->rw, known->node.object);

	if (!rc)
		rc = thaw_sql_run(m->rw, THAW_STMT_NODE_OBJECT, "ou", UINT64_C(0), known->node.id);
	return rc;
}

int thaw_version_refresh(struct thaw_merge *m, const struct thaw_known *known,
			 const struct thaw_listed_entry *e)
{
	const char *class = e->class_len ? thaw_entry_bytes(m->listing, e->class_off) : NULL;

	if (known->avail == (enum thaw_avail)e->avail &&
	    strcmp(known->class, class ? class : "") == 0)
		return 0;
	return thaw_sql_run(m->rw, THAW_STMT_OBJECT_REFRESH, "dtu", e->avail, class,
			    known->node.object);
}
