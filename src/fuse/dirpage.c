/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/dirpage.h"

#include <string.h>

#include "fuse/room.h"
#include "fuse/told.h"

void thaw_dir_page_init(struct thaw_dir_page *page, fuse_req_t req, char *buf, size_t room,
			uint64_t root, bool plus, bool lasting)
{
	memset(page, 0, sizeof(*page));
	page->req = req;
	page->buf = buf;
	page->room = room;
	page->root = root;
	page->plus = plus;
	page->lasting = lasting;
}

/* One entry; 1 when it does not fit. */
static int put(struct thaw_dir_page *page, const char *name, const struct fuse_entry_param *entry)
{
	char *at = page->buf + page->used;
	size_t room = page->room - page->used;
	off_t next = (off_t)page->pos.off + 1;
	size_t need;

	if (page->plus)
		need = fuse_add_direntry_plus(page->req, at, room, name, entry, next);
	else
		need = fuse_add_direntry(page->req, at, room, name, &entry->attr, next);
	if (need > room) {
		page->full = true;
		return 1;
	}
	page->used += need;
	page->pos.off++;
	return 0;
}

int thaw_dir_page_dots(struct thaw_dir_page *page, const struct thaw_node *self,
		       const struct thaw_node *parent)
{
	struct fuse_entry_param entry = {0}; /* ino 0: not a look-up */
	int r = 0;

	if (page->pos.off == 0) {
		thaw_attr_fill(page->root, self, &entry.attr);
		r = put(page, ".", &entry);
	}
	if (r == 0 && page->pos.off == THAW_DIR_PARENT) {
		thaw_attr_fill(page->root, parent, &entry.attr);
		r = put(page, "..", &entry);
	}
	return r;
}

int thaw_dir_page_child(void *ctx, const char *name, size_t len, const struct thaw_node *node)
{
	struct thaw_dir_page *page = ctx;
	struct fuse_entry_param entry;
	char text[THAW_NAME_MAX + 1];

	if (len > THAW_NAME_MAX) /* import lets none through */
		return 0;
	memcpy(text, name, len);
	text[len] = '\0';
	if (page->skip > 0) {
		page->skip--;
		page->pos.off++;
	} else {
		thaw_attr_entry(page->root, node, page->lasting, &entry);
		if (put(page, text, &entry) != 0)
			return 1;
		if (page->plus && page->told)
			thaw_told_mark(page->told, node->id);
	}
	memcpy(page->pos.name, text, len + 1);
	page->pos.len = len;
	return 0;
}
