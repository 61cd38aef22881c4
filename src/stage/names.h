/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * names.h - the tree as readers see it: catalog/tree.h with each collection's
 * uid, gid and mode applied.  Never touches an archive.  Any thread, no lock held.
 */
#ifndef THAW_STAGE_NAMES_H
#define THAW_STAGE_NAMES_H

#include "catalog/tree.h"

struct thaw_stage;
struct thaw_buf;

int thaw_stage_node(struct thaw_stage *stage, uint64_t id, struct thaw_node *ret);
/* -ENOENT: known not to be there.  -EINPROGRESS: the directory has not been
 * listed yet: park with thaw_stage_want_dir and ask again.  -EIO: it could not
 * be listed. */
int thaw_stage_lookup(struct thaw_stage *stage, uint64_t dir, const char *name, size_t len,
		      struct thaw_node *ret);
/* As thaw_catalog_children; first checks that the directory's names are known (same errors as lookup). */
int thaw_stage_children(struct thaw_stage *stage, uint64_t dir, const char *after, size_t after_len,
			size_t limit, thaw_child_fn *fn, void *ctx);
int thaw_stage_readlink(struct thaw_stage *stage, uint64_t id, char **ret, size_t *ret_len);
int thaw_stage_path(struct thaw_stage *stage, uint64_t id, struct thaw_buf *buf);
/* Path below the mount; visit as in thaw_catalog_resolve. */
int thaw_stage_resolve(struct thaw_stage *stage, const char *path, size_t len,
		       int (*visit)(void *ctx, const struct thaw_node *node, bool last), void *ctx,
		       struct thaw_node *ret);
int thaw_stage_totals(struct thaw_stage *stage, uint64_t *ret_files, uint64_t *ret_bytes);

#endif
