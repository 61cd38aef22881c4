/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tree.h - names and attributes: what lookup, getattr and readdir ask.
 *
 * Node ids are inode numbers and are never reused.  Several names of one file
 * (hard links) lead to one node.  Everything is answered from the catalog's
 * read-only connections; nothing here writes.
 */
#ifndef THAW_CATALOG_TREE_H
#define THAW_CATALOG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <thaw/archive.h>

struct thaw_catalog;
struct thaw_buf;

/* How far a directory's names are known. */
enum thaw_listed {
	THAW_UNLISTED = 0, /* never listed: a name not found here is unknown, not absent */
	THAW_LISTED = 1,
	THAW_LIST_FAILED = 2, /* the last listing failed and there was none before */
};

struct thaw_node {
	uint64_t id;
	uint64_t parent; /* of its first name; 0 for the root of a collection */
	uint64_t object; /* the current version of a file's content; 0 for others */
	uint32_t collection; /* 0: a plain directory above collections */
	enum thaw_entry_type type;
	uint32_t mode; /* permission bits */
	uint32_t uid, gid;
	uint32_t nlink;
	uint64_t size;
	int64_t mtime_ns, ctime_ns;
	enum thaw_listed listed; /* directories */
	bool lost; /* the archive no longer has it */
};

int thaw_catalog_node(struct thaw_catalog *cat, uint64_t id, struct thaw_node *ret);
/* -ENOENT: no such name in the catalog (see thaw_listed for what that means). */
int thaw_catalog_lookup(struct thaw_catalog *cat, uint64_t dir, const char *name, size_t len,
			struct thaw_node *ret);
/* Text of a symbolic link; caller frees; NUL-terminated behind *ret_len. */
int thaw_catalog_readlink(struct thaw_catalog *cat, uint64_t id, char **ret, size_t *ret_len);

/* Up to `limit` children in byte order of their names, those after `after`
 * (after_len 0: from the first).  fn other than 0 stops and is returned.  The
 * name lives as long as the call. */
typedef int thaw_child_fn(void *ctx, const char *name, size_t len, const struct thaw_node *node);
int thaw_catalog_children(struct thaw_catalog *cat, uint64_t dir, const char *after,
			  size_t after_len, size_t limit, thaw_child_fn *fn, void *ctx);

/* Path under the mount ("/newspapers/a"), appended to buf; by the first name
 * of a file with several. */
int thaw_catalog_path(struct thaw_catalog *cat, uint64_t id, struct thaw_buf *buf);
/* Key in the archive: path below the collection's root. */
int thaw_catalog_key(struct thaw_catalog *cat, uint64_t id, struct thaw_buf *buf);
/* `path` relative to node `root`; leading and repeated '/' and "." are skipped, symbolic links are
 * not followed.  visit (may be NULL) is called for every directory on the way and for the end;
 * other than 0 stops and is returned: the place for permission checks. */
int thaw_catalog_resolve(struct thaw_catalog *cat, uint64_t root, const char *path, size_t len,
			 int (*visit)(void *ctx, const struct thaw_node *node, bool last),
			 void *ctx, struct thaw_node *ret);
/* True when `id` is `ancestor` or below it. */
int thaw_catalog_is_below(struct thaw_catalog *cat, uint64_t id, uint64_t ancestor, bool *ret);

/* Sums over the tree at a node (a file is a tree of one). */
struct thaw_tree_sum {
	uint64_t files, bytes;
	uint64_t resident_files, resident_bytes; /* bytes: of content */
	uint64_t lost_files;
	uint64_t dirs, unlisted_dirs;
};
int thaw_catalog_sum(struct thaw_catalog *cat, uint64_t id, struct thaw_tree_sum *ret);
/* As above but stops as soon as both a resident and an absent file were seen. */
int thaw_catalog_sum_state(struct thaw_catalog *cat, uint64_t id, struct thaw_tree_sum *ret);

/* Every file of the tree at a node, each node once, in tree order. */
int thaw_catalog_each_file(struct thaw_catalog *cat, uint64_t id,
			   int (*fn)(void *ctx, const struct thaw_node *node), void *ctx);

/* Directories of a collection that were never listed, those whose listing failed among them, but
 * not lost ones; by node id. */
int thaw_catalog_each_unlisted(struct thaw_catalog *cat, uint32_t collection,
			       int (*fn)(void *ctx, const struct thaw_node *node), void *ctx);
/* The node that the names of a superseded one lead to now; itself while it is current.  -ENOENT: no
 * such node; superseded ones are forgotten at an attach, when nothing is staged of them. */
int thaw_catalog_successor(struct thaw_catalog *cat, uint64_t node, uint64_t *ret);

/* All files and bytes of what is attached, for statfs; cheap. */
int thaw_catalog_totals(struct thaw_catalog *cat, uint64_t *ret_files, uint64_t *ret_bytes);

#endif
