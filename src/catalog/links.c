/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files with several names.  One node holds the file under its first name;
 * each further name is an alias row.  No name may ever lead to bytes it was
 * not listed with, so names share a node only while their tags agree:
 *   a name joins a node when link_id and tag agree;
 *   a name with another tag leaves, alone, for a node of its own; the next name
 *   of a file written in place joins it there when it is listed in its turn;
 *   when the first name leaves, the node goes on under the next, and when the
 *   last one has joined another node, that is its successor.
 * The link_id of a node is forgotten when it is given to another: archives
 * use inode numbers again.
 */
#include <errno.h>
#include <string.h>

#include "catalog/catalog_impl.h"
#include "catalog/ingest_impl.h"

static int set_nlink(struct thaw_merge *m, uint64_t node, int by)
{
	return thaw_sql_run(m->rw, THAW_STMT_NODE_NLINK_ADD, "iu", (int64_t)by, node);
}

int thaw_link_drop(struct thaw_merge *m, const struct thaw_known *known)
{
	int rc = thaw_sql_run(m->rw, THAW_STMT_ALIAS_DELETE, "u", known->node.id);

	return rc ? rc : set_nlink(m, known->alias, -1);
}

int thaw_link_promote(struct thaw_merge *m, uint64_t node)
{
	struct thaw_known next;
	uint64_t alias;
	int rc = thaw_sql_value(m->rw, THAW_STMT_ALIAS_FIRST, &alias, "u", node);

	if (!rc)
		rc = thaw_known_id(m->rw, alias, &next);
	if (!rc)
		rc = thaw_link_drop(m, &next);
	if (!rc)
		rc = thaw_sql_run(m->rw, THAW_STMT_NODE_HANG, "ubu", next.parent, next.name,
				  next.name_len, node);
	return rc == -ENOENT ? -EUCLEAN : rc;
}

/* The node that has the entry's link_id; 0: none. */
static int find_linked(struct thaw_merge *m, const struct thaw_listed_entry *e, uint64_t *ret)
{
	int rc;

	*ret = 0;
	if (!e->link_id)
		return 0;
	rc = thaw_sql_value(m->rw, THAW_STMT_LINK_FIND, ret, "du", m->listing->collection,
			    e->link_id);
	return rc == -ENOENT ? 0 : rc;
}

static int set_link(struct thaw_merge *m, uint64_t node, uint64_t link)
{
	return thaw_sql_run(m->rw, THAW_STMT_NODE_LINK, "ou", link, node);
}

static int join(struct thaw_merge *m, const struct thaw_known *file,
		const struct thaw_listed_entry *e, enum thaw_change_kind kind,
		const struct thaw_known *old)
{
	struct thaw_change change = { .kind = kind, .node = file->node.id,
				      .old_node = old ? old->node.id : 0,
				      .old_object = old ? old->node.object : 0,
				      .name_off = e->name_off, .name_len = e->name_len };
	int rc = thaw_sql_run(m->rw, THAW_STMT_ALIAS_INSERT, "uubdu", thaw_catalog_new_node(m->rw),
			      m->listing->dir, thaw_entry_bytes(m->listing, e->name_off),
			      (size_t)e->name_len, m->listing->collection, file->node.id);

	if (!rc)
		rc = set_nlink(m, file->node.id, 1);
	if (!rc)
		rc = thaw_listing_change(m->listing, &change);
	return rc ? rc : thaw_merge_update(m, file, e);
}

/* The name is free now: another name of a known file, or a node of its own. */
static int add_name(struct thaw_merge *m, const struct thaw_listed_entry *e,
		    enum thaw_change_kind kind, const struct thaw_known *old)
{
	struct thaw_known file;
	uint64_t owner;
	int rc = find_linked(m, e, &owner);

	if (rc)
		return rc;
	if (owner) {
		rc = thaw_known_id(m->rw, owner, &file);
		if (rc)
			return rc;
		if (!file.node.lost && thaw_version_same(m, &file, e))
			return join(m, &file, e, kind, old);
		rc = set_link(m, owner, 0);
	}
	return rc ? rc : thaw_merge_create(m, e, kind, old);
}

/* Brings the link_id of a node up to date; `owner` has the entry's now. */
static int update_link(struct thaw_merge *m, const struct thaw_known *file,
		       const struct thaw_listed_entry *e, uint64_t owner)
{
	uint64_t link = owner && owner != file->node.id ? 0 : e->link_id;

	return file->link == link ? 0 : set_link(m, file->node.id, link);
}

/* The name is free and its file goes on under others.  What was pinned by this name stays so. */
static int leave(struct thaw_merge *m, uint64_t file, const struct thaw_listed_entry *e)
{
	int rc = add_name(m, e, THAW_CHANGE_REPLACED, NULL);

	if (rc || e->type != THAW_TYPE_FILE)
		return rc;
	return thaw_sql_run(m->rw, THAW_STMT_PIN_COPY, "ubu", m->listing->dir,
			    thaw_entry_bytes(m->listing, e->name_off), (size_t)e->name_len, file);
}

/* A further name of a file. */
static int merge_alias(struct thaw_merge *m, const struct thaw_known *name,
		       const struct thaw_listed_entry *e)
{
	struct thaw_known file;
	int rc = thaw_known_id(m->rw, name->alias, &file);

	if (rc)
		return rc == -ENOENT ? -EUCLEAN : rc;
	if (e->type == THAW_TYPE_FILE && thaw_version_same(m, &file, e))
		return thaw_merge_update(m, &file, e);
	rc = thaw_link_drop(m, name);
	return rc ? rc : leave(m, name->alias, e);
}

/* Other content under the only name of a file. */
static int merge_only_name(struct thaw_merge *m, const struct thaw_known *file,
			   const struct thaw_listed_entry *e, uint64_t owner)
{
	struct thaw_known other;
	int rc = 0;

	if (owner && owner != file->node.id) {
		rc = thaw_known_id(m->rw, owner, &other);
		if (!rc && !other.node.lost && thaw_version_same(m, &other, e)) {
			rc = thaw_version_yield(m, file, owner);
			return rc ? rc : join(m, &other, e, THAW_CHANGE_CONTENT, file);
		}
	}
	if (!rc)
		rc = update_link(m, file, e, owner);
	return rc ? rc : thaw_merge_update(m, file, e);
}

static int merge_first_name(struct thaw_merge *m, const struct thaw_known *file,
			    const struct thaw_listed_entry *e)
{
	bool is_file = e->type == THAW_TYPE_FILE && file->node.type == THAW_TYPE_FILE;
	bool same = is_file && thaw_version_same(m, file, e);
	uint64_t owner;
	int rc = find_linked(m, e, &owner);

	if (!rc && same)
		rc = update_link(m, file, e, owner);
	if (rc)
		return rc;
	if (same || (!is_file && file->node.type == e->type))
		return thaw_merge_update(m, file, e);
	if (file->node.nlink > 1) {
		rc = thaw_link_promote(m, file->node.id);
		return rc ? rc : leave(m, file->node.id, e);
	}
	if (is_file)
		return merge_only_name(m, file, e, owner);
	rc = thaw_vanish_replaced(m, file);
	return rc ? rc : add_name(m, e, THAW_CHANGE_REPLACED, file);
}

int thaw_merge_linked(struct thaw_merge *m, const struct thaw_listed_entry *e)
{
	struct thaw_known known;
	int rc = thaw_known_name(m->rw, m->listing->dir, thaw_entry_bytes(m->listing, e->name_off),
				 e->name_len, &known);

	if (rc == -ENOENT)
		return add_name(m, e, THAW_CHANGE_NEW, NULL);
	if (rc)
		return rc;
	return known.alias ? merge_alias(m, &known, e) : merge_first_name(m, &known, e);
}
