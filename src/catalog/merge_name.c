/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What becomes of one name.
 */
#include <errno.h>
#include <string.h>

#include "catalog/catalog_impl.h"
#include "catalog/ingest_impl.h"

static int tell(struct thaw_merge *m, const struct thaw_listed_entry *e, enum thaw_change_kind kind,
		uint64_t node, const struct thaw_known *old)
{
	struct thaw_change change = { .kind = kind, .node = node,
				      .old_node = old ? old->node.id : 0,
				      .old_object = old ? old->node.object : 0,
				      .name_off = e->name_off, .name_len = e->name_len };

	return thaw_listing_change(m->listing, &change);
}

static int set_target(struct thaw_merge *m, const struct thaw_listed_entry *e, uint64_t node)
{
	return thaw_sql_run(m->rw, THAW_STMT_NODE_TARGET, "bu",
			    thaw_entry_bytes(m->listing, e->target_off), (size_t)e->target_len,
			    node);
}

static int insert_node(struct thaw_merge *m, const struct thaw_listed_entry *e, uint64_t id,
		       uint64_t object)
{
	int rc = thaw_sql_run(m->rw, THAW_STMT_NODE_INSERT, "uubdddddduiioo", id, m->listing->dir,
			      thaw_entry_bytes(m->listing, e->name_off), (size_t)e->name_len,
			      m->listing->collection, e->type, e->mode, e->uid, e->gid, 1, e->size,
			      e->mtime_ns, e->ctime_ns, object, e->link_id);

	if (!rc && e->type == THAW_TYPE_SYMLINK)
		rc = set_target(m, e, id);
	return rc;
}

int thaw_merge_create(struct thaw_merge *m, const struct thaw_listed_entry *e,
		      enum thaw_change_kind kind, const struct thaw_known *old)
{
	uint64_t id = thaw_catalog_new_node(m->rw), object = 0;
	int rc = 0;

	if (e->type == THAW_TYPE_FILE) {
		rc = thaw_version_first(m, e, id, &object);
		m->files++;
		m->bytes += (int64_t)e->size;
	}
	if (!rc)
		rc = insert_node(m, e, id, object);
	if (!rc && e->type == THAW_TYPE_DIR)
		rc = thaw_listing_subdir(m->listing, e, id);
	return rc ? rc : tell(m, e, kind, id, old);
}

static bool same_attributes(const struct thaw_known *known, const struct thaw_listed_entry *e)
{
	const struct thaw_node *node = &known->node;

	return node->mode == e->mode && node->uid == e->uid && node->gid == e->gid &&
	       node->mtime_ns == e->mtime_ns && node->ctime_ns == e->ctime_ns &&
	       (node->size == e->size || e->type == THAW_TYPE_DIR);
}

static int update_attributes(struct thaw_merge *m, uint64_t id, const struct thaw_listed_entry *e)
{
	return thaw_sql_run(m->rw, THAW_STMT_NODE_UPDATE, "ddduiiu", e->mode, e->uid, e->gid,
			    e->size, e->mtime_ns, e->ctime_ns, id);
}

static int update_file(struct thaw_merge *m, const struct thaw_known *known,
		       const struct thaw_listed_entry *e, uint64_t *id)
{
	int rc;

	if (thaw_version_same(m, known, e))
		return thaw_version_refresh(m, known, e);
	rc = thaw_version_switch(m, known, e, id);
	if (rc)
		return rc;
	m->bytes += (int64_t)e->size - (int64_t)known->node.size;
	return tell(m, e, THAW_CHANGE_CONTENT, *id, known);
}

static int update_symlink(struct thaw_merge *m, const struct thaw_known *known,
			  const struct thaw_listed_entry *e, bool *ret_content)
{
	sqlite3_stmt *st = NULL;
	bool same;
	int rc = thaw_sql_first(m->rw, THAW_STMT_READLINK, &st, "u", known->node.id);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	same = (uint32_t)sqlite3_column_bytes(st, 0) == e->target_len &&
	       (!e->target_len ||
		memcmp(sqlite3_column_blob(st, 0), thaw_entry_bytes(m->listing, e->target_off),
		       e->target_len) == 0);
	thaw_sql_end(st);
	if (same)
		return 0;
	rc = set_target(m, e, known->node.id);
	*ret_content = true;
	return rc ? rc : tell(m, e, THAW_CHANGE_ATTR, known->node.id, NULL);
}

int thaw_merge_update(struct thaw_merge *m, const struct thaw_known *known,
		      const struct thaw_listed_entry *e)
{
	bool content = false;
	uint64_t id = known->node.id; /* another one when the content changed */
	int rc = 0;

	if (known->node.lost) {
		rc = thaw_sql_run(m->rw, THAW_STMT_NODE_LOST, "du", 0, known->node.id);
		if (!rc)
			rc = tell(m, e, THAW_CHANGE_FOUND, known->node.id, NULL);
	}
	if (!rc && e->type == THAW_TYPE_FILE)
		rc = update_file(m, known, e, &id);
	else if (!rc && e->type == THAW_TYPE_SYMLINK)
		rc = update_symlink(m, known, e, &content);
	else if (!rc)
		rc = thaw_listing_subdir(m->listing, e, known->node.id);
	if (rc || same_attributes(known, e))
		return rc;
	rc = update_attributes(m, id, e);
	if (!rc && !content && id == known->node.id)
		rc = tell(m, e, THAW_CHANGE_ATTR, id, NULL);
	return rc;
}

int thaw_merge_plain(struct thaw_merge *m, const struct thaw_known *known,
		     const struct thaw_listed_entry *e)
{
	int rc;

	if (known->node.type == e->type)
		return thaw_merge_update(m, known, e);
	rc = thaw_vanish_replaced(m, known);
	if (!rc)
		rc = thaw_merge_create(m, e, THAW_CHANGE_REPLACED, known);
	return rc;
}
