/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dirpage.h - one READDIR answer being packed.
 *
 * Offsets: 0 asks for ".", 1 for "..", 2 + n for the child with ordinal n.  An
 * entry carries the offset that asks for the next one.
 */
#ifndef THAW_FUSE_DIRPAGE_H
#define THAW_FUSE_DIRPAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/tree.h"
#include "fuse/dirpos.h"
#include "fuse/lib.h"

#define THAW_DIR_PARENT   1
#define THAW_DIR_CHILDREN 2

struct thaw_told;

struct thaw_dir_page {
	fuse_req_t req;
	char *buf;
	size_t room, used;
	uint64_t root;
	bool plus;
	bool lasting;
	bool full;              /* an entry did not fit */
	uint64_t skip;          /* children to pass over first */
	struct thaw_dirpos pos; /* behind the last entry */
	struct thaw_told *told; /* NULL: nobody keeps count */
};

void thaw_dir_page_init(struct thaw_dir_page *page, fuse_req_t req, char *buf, size_t room,
			uint64_t root, bool plus, bool lasting);
/* "." and "..", as far as pos.off asks for them; 1 when the page is full. */
int thaw_dir_page_dots(struct thaw_dir_page *page, const struct thaw_node *self,
		       const struct thaw_node *parent);
/* A thaw_child_fn. */
int thaw_dir_page_child(void *ctx, const char *name, size_t len, const struct thaw_node *node);

#endif
