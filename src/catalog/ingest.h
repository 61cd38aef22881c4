/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ingest.h - merging what an archive lists into the tree.
 *
 * A listing is one directory's complete set of children as the archive has it
 * now.  Merging compares it with the catalog's names in one pass:
 *   new name            a node (and, for a file, an object version) is made
 *   file, other tag     the name leads to a NEW node with a new object, whose
 *                       version counts on from the old one's; the old node stays
 *                       without a name until nothing is staged of it, so that open
 *                       files keep what they opened. So a node id stands for one
 *                       content for ever, and no kernel cache of it can be wrong.
 *                       A pin on the old node moves to the new one.
 *   same tag            attributes (mode, owner, times) are brought up to date
 *   other type          the old node becomes lost under no name; a new node
 *   name gone           the node is marked lost: it stays listed, keeps its
 *                       object; a directory takes its whole tree with it
 *   name back           the mark is taken away; with the old tag the old
 *                       object (and what is staged of it) is current again
 * Unchanged entries cost no write.
 *
 * Names that share a link_id and a tag share a node.  One of several names that
 * is listed with another tag leaves for a node of its own (REPLACED, old_node 0:
 * the node it left lives on under the others), and so each of the others when
 * it is listed in its turn.  One of several that went is told as REPLACED with
 * node 0: the name is gone, the file is not lost.
 */
#ifndef THAW_CATALOG_INGEST_H
#define THAW_CATALOG_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <thaw/archive.h>

struct thaw_catalog;

enum thaw_change_kind {
	THAW_CHANGE_NEW,     /* a name appeared */
	THAW_CHANGE_CONTENT, /* new version of a file: node is new, old_node lost its name */
	THAW_CHANGE_ATTR,    /* attributes only */
	THAW_CHANGE_LOST,    /* name gone from the archive */
	THAW_CHANGE_FOUND,   /* lost before, there again */
	THAW_CHANGE_REPLACED,/* another node under the name, or none: node 0 */
};

struct thaw_change {
	enum thaw_change_kind kind;
	uint64_t node;
	uint64_t old_node, old_object; /* CONTENT, REPLACED: what stood there before, or 0 */
	size_t name_off, name_len; /* in listing->names; LOST too */
};

struct thaw_subdir {
	uint64_t node;
	size_t name_off, name_len;
};

struct thaw_listing {
	uint64_t dir; /* in: node of the directory */
	uint32_t collection;
	int error;    /* in: 0, or the -errno that listing it ended with: known names stay */
	/* in: nothing at all in the top directory of a collection that had something is
	 * believed only with this: an archive that is not mounted looks just so. */
	bool allow_empty;
	/* in: filled by thaw_listing_add */
	struct thaw_listed_entry *entries;
	size_t count, room;
	char *names; /* arena of names, link texts, classes */
	size_t names_len, names_room;
	/* out: by thaw_catalog_ingest */
	struct thaw_change *changes;
	size_t change_count, change_room;
	struct thaw_subdir *subdirs; /* directories present in this listing */
	size_t subdir_count, subdir_room;
};

struct thaw_listing *thaw_listing_new(uint32_t collection, uint64_t dir);
struct thaw_listing *thaw_listing_free(struct thaw_listing *listing);
/* Copies the entry.  -ENOMEM; -EINVAL for a name no directory can hold (empty, ".", "..", with
 * '/' or NUL, over 255 bytes): the caller counts and reports it. */
int thaw_listing_add(struct thaw_listing *listing, const struct thaw_entry *entry);

/* Merges n listings in one transaction; all or nothing.  -ENODATA: one of them is the top directory
 * of a collection, is empty, and was not before (see allow_empty); -ENOENT, -ENOTDIR, -EINVAL: its
 * `dir` is no directory of its collection. */
int thaw_catalog_ingest(struct thaw_catalog *cat, struct thaw_listing *const *listings, size_t n);

/* One file re-examined outside an import (it changed while it was read): e from thaw_archive_stat.
 * ret_node: the node its name leads to now; `node` itself when the tag is still the same. */
int thaw_catalog_reexamined(struct thaw_catalog *cat, uint64_t node, const struct thaw_entry *e,
			    uint64_t *ret_node);
int thaw_catalog_mark_lost(struct thaw_catalog *cat, uint64_t node);

/* True when nothing of the collection was ever listed. */
int thaw_catalog_is_empty(struct thaw_catalog *cat, uint32_t collection, bool *ret);

#endif
