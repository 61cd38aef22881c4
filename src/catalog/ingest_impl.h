/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ingest_impl.h - the steps of merging a listing, for the files of this room.
 *
 * ingest.c goes through names, merge_name.c decides about one, links.c about
 * files with several names, version.c about content, vanish.c about what went.
 * All of them run inside a write operation on the rw connection.
 */
#ifndef THAW_CATALOG_INGEST_IMPL_H
#define THAW_CATALOG_INGEST_IMPL_H

#include "catalog/ingest.h"
#include "catalog/sql.h"
#include "catalog/tree_impl.h"

#define THAW_CLASS_MAX 64

/* An entry in the listing; its bytes are in listing->names. */
struct thaw_listed_entry {
	size_t name_off, target_off, tag_off, class_off;
	uint32_t target_len;
	uint16_t name_len;
	uint8_t tag_len, class_len;
	uint8_t type, avail;
	uint32_t mode, uid, gid;
	uint64_t size;
	int64_t mtime_ns, ctime_ns;
	uint64_t link_id;
};

/* A name as the catalog has it. */
struct thaw_known {
	struct thaw_node node; /* of this row, even when it is an alias */
	uint64_t parent;       /* as stored: of a collection's root too */
	uint64_t alias;        /* node of which this is a further name, or 0 */
	uint64_t link;         /* link_id, or 0 */
	bool root;
	struct thaw_tag tag; /* of the current object */
	enum thaw_avail avail;
	char class[THAW_CLASS_MAX];
	char name[THAW_NAME_MAX + 1];
	size_t name_len;
};

struct thaw_merge {
	struct thaw_conn *rw;
	struct thaw_listing *listing;
	int64_t files, bytes; /* what the collection's totals change by */
};

/* --- listing.c ----------------------------------------------------------------------------- */

/* By name; of several with one name one is kept: a directory, else the first that was added. */
int thaw_listing_sort(struct thaw_listing *listing);
int thaw_listing_change(struct thaw_listing *listing, const struct thaw_change *change);
int thaw_listing_subdir(struct thaw_listing *listing, const struct thaw_listed_entry *e,
			uint64_t node);
/* Puts a name into the arena. */
int thaw_listing_keep_name(struct thaw_listing *listing, const char *name, size_t len,
			   size_t *ret_off);
void thaw_listing_clear_out(struct thaw_listing *listing);

static inline const char *thaw_entry_bytes(const struct thaw_listing *listing, size_t off)
{
	return listing->names + off;
}

/* --- known.c ------------------------------------------------------------------------------- */

/* A row of THAW_STMT_KNOWN_PAGE, _NAME or _ID. */
void thaw_known_read(sqlite3_stmt *st, struct thaw_known *ret);
/* -ENOENT. */
int thaw_known_name(struct thaw_conn *rw, uint64_t dir, const char *name, size_t len,
		    struct thaw_known *ret);
int thaw_known_id(struct thaw_conn *rw, uint64_t id, struct thaw_known *ret);

/* --- merge_name.c -------------------------------------------------------------------------- */

/* A node for a name the catalog does not have.  kind: NEW or REPLACED; old: what stood there. */
int thaw_merge_create(struct thaw_merge *m, const struct thaw_listed_entry *e,
		      enum thaw_change_kind kind, const struct thaw_known *old);
/* The node of a name that both have, of equal type. */
int thaw_merge_update(struct thaw_merge *m, const struct thaw_known *known,
		      const struct thaw_listed_entry *e);
/* A name that both have, of a file with one name or of anything else. */
int thaw_merge_plain(struct thaw_merge *m, const struct thaw_known *known,
		     const struct thaw_listed_entry *e);

/* --- links.c ------------------------------------------------------------------------------- */

/* Any entry; slower: looks everything up afresh.  For names that may share a node with others. */
int thaw_merge_linked(struct thaw_merge *m, const struct thaw_listed_entry *e);
/* Takes a further name away. */
int thaw_link_drop(struct thaw_merge *m, const struct thaw_known *known);
/* The node takes its next name as its first; its old one is free. */
int thaw_link_promote(struct thaw_merge *m, uint64_t node);

/* --- version.c ----------------------------------------------------------------------------- */

int thaw_version_first(struct thaw_merge *m, const struct thaw_listed_entry *e, uint64_t node,
		       uint64_t *ret_object);
bool thaw_version_same(const struct thaw_merge *m, const struct thaw_known *known,
		       const struct thaw_listed_entry *e);
/* Another version of a file with one name, which leads to a new node with a new object then. */
int thaw_version_switch(struct thaw_merge *m, const struct thaw_known *known,
			const struct thaw_listed_entry *e, uint64_t *ret_node);
/* The only name of the node is to lead to `to`, which has that content already. */
int thaw_version_yield(struct thaw_merge *m, const struct thaw_known *known, uint64_t to);
/* No version is current any more. */
int thaw_version_drop(struct thaw_merge *m, const struct thaw_known *known);
/* Availability and storage class, when they changed. */
int thaw_version_refresh(struct thaw_merge *m, const struct thaw_known *known,
			 const struct thaw_listed_entry *e);

/* --- vanish.c ------------------------------------------------------------------------------ */

/* Names of the listing's directory that were not listed: offsets into the arena. */
struct thaw_gone {
	size_t off, len;
};
int thaw_vanish_names(struct thaw_merge *m, const struct thaw_gone *gone, size_t n);
/* A node by itself, whatever it is. */
int thaw_vanish_node(struct thaw_merge *m, const struct thaw_known *known);
/* Another type stands under its name now: it goes from the tree, with all that is below it. */
int thaw_vanish_replaced(struct thaw_merge *m, const struct thaw_known *known);

/* --- ingest.c ------------------------------------------------------------------------------ */

int thaw_merge_settle(struct thaw_merge *m); /* adds to the collection's totals */

#endif
