/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is learnt of a single node, between imports.
 */
#include <errno.h>
#include <string.h>

#include "catalog/catalog_impl.h"
#include "catalog/ingest_impl.h"
#include "catalog/successor.h"

struct reexamine {
	uint64_t node;
	const struct thaw_entry *entry;
	uint64_t now; /* the node its first name leads to after that */
};

static int merge_one(struct thaw_merge *m, const struct thaw_known *known,
		     const struct thaw_entry *entry)
{
	struct thaw_entry named = *entry;
	int rc;

	/* A collection's own name is not the archive's. */
	named.name = known->root ? "root" : known->name;
	named.name_len = known->root ? 4 : known->name_len;
	rc = thaw_listing_add(m->listing, &named);
	if (!rc && known->root)
		rc = thaw_merge_update(m, known, m->listing->entries);
	else if (!rc)
		rc = thaw_merge_linked(m, m->listing->entries);
	return rc ? rc : thaw_merge_settle(m);
}

/* Not always a successor: a name of several may have left its file, or be no file any more. */
static int find_name(struct thaw_conn *rw, const struct thaw_known *before, uint64_t *ret)
{
	struct thaw_known now;
	int rc = thaw_known_name(rw, before->parent, before->name, before->name_len, &now);

	if (!rc)
		*ret = now.alias ? now.alias : now.node.id;
	return rc;
}

static int reexamine(struct thaw_conn *rw, void *arg)
{
	struct reexamine *r = arg;
	struct thaw_merge m = { .rw = rw };
	struct thaw_known known;
	int rc = thaw_node_successor(rw, r->node, &r->node);

	if (!rc)
		rc = thaw_known_id(rw, r->node, &known);
	if (rc || known.alias || (!known.parent && !known.root))
		return rc ? rc : -ENOENT;
	if (known.root && r->entry->type != THAW_TYPE_DIR)
		return -ENOTDIR;
	m.listing = thaw_listing_new(known.node.collection, known.parent);
	if (!m.listing)
		return -ENOMEM;
	rc = merge_one(&m, &known, r->entry);
	thaw_listing_free(m.listing);
	r->now = r->node;
	return rc || known.root ? rc : find_name(rw, &known, &r->now);
}

int thaw_catalog_reexamined(struct thaw_catalog *cat, uint64_t node, const struct thaw_entry *e,
			    uint64_t *ret_node)
{
	struct reexamine r = { .node = node, .entry = e };
	int rc = thaw_catalog_write(cat, reexamine, &r);

	if (!rc)
		*ret_node = r.now;
	return rc;
}

static int mark_lost(struct thaw_conn *rw, void *arg)
{
	struct thaw_merge m = { .rw = rw };
	struct thaw_known known;
	int rc = thaw_known_id(rw, *(const uint64_t *)arg, &known);

	if (rc || known.alias)
		return rc ? rc : -ENOENT;
	if (known.root) /* its archive would be gone, not one object of it */
		return -EINVAL;
	return thaw_vanish_node(&m, &known);
}

int thaw_catalog_mark_lost(struct thaw_catalog *cat, uint64_t node)
{
	return thaw_catalog_write(cat, mark_lost, &node);
}

int thaw_catalog_is_empty(struct thaw_catalog *cat, uint32_t collection, bool *ret)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	uint64_t listed;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (!rc)
		rc = thaw_sql_value(conn, THAW_STMT_COLLECTION_LISTED, &listed, "d", collection);
	if (!rc)
		*ret = listed != THAW_LISTED;
	return rc;
}
