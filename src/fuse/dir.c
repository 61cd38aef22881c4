/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories.  Offsets: 0 asks for ".", 1 for "..", 2 + n for the child with
 * ordinal n.  An entry carries the offset that asks for the next one.
 */
#include "fuse/dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mutex.h"
#include "fuse/dirpos.h"
#include "fuse/park.h"
#include "fuse/replybuf.h"
#include "fuse/room.h"
#include "fuse/told.h"
#include "metrics/metrics.h"
#include "stage/names.h"

#define OFF_PARENT 1
#define OFF_CHILDREN 2

/* A handle. */
struct thaw_dir {
	uint64_t node;
	struct thaw_mutex lock;
	struct thaw_dirpos_set positions; /* lock */
};

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
	struct fuse_entry_param entry = { 0 }; /* ino 0: not a look-up */
	int r = 0;

	if (page->pos.off == 0) {
		thaw_attr_fill(page->root, self, &entry.attr);
		r = put(page, ".", &entry);
	}
	if (r == 0 && page->pos.off == OFF_PARENT) {
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

/* "." and "..", when asked from the beginning. */
static int fill_dots(struct thaw_fuse *fuse, const struct thaw_dir *dir, struct thaw_dir_page *page)
{
	struct thaw_node self, parent;
	int r = thaw_stage_node(fuse->stage, dir->node, &self);

	if (r == 0)
		r = thaw_lookup_parent(fuse, dir->node, &parent);
	return r < 0 ? r : thaw_dir_page_dots(page, &self, &parent);
}

static int fill(struct thaw_fuse *fuse, struct thaw_dir *dir, struct thaw_dir_page *page,
		uint64_t off)
{
	/* The smallest entry of a page: its header and one aligned name. */
	size_t least = page->plus ? 160 : 32;
	int r = 0;

	page->pos.off = off;
	if (off < OFF_CHILDREN) {
		r = fill_dots(fuse, dir, page);
		if (r != 0)
			return r;
	} else {
		thaw_mutex_lock(&dir->lock);
		thaw_dirpos_find(&dir->positions, off, &page->pos);
		thaw_mutex_unlock(&dir->lock);
		page->skip = off - page->pos.off;
	}
	r = thaw_stage_children(fuse->stage, dir->node, page->pos.name, page->pos.len,
				page->skip + page->room / least + 1, thaw_dir_page_child, page);
	if (r < 0)
		return r;
	thaw_mutex_lock(&dir->lock);
	thaw_dirpos_note(&dir->positions, &page->pos);
	thaw_mutex_unlock(&dir->lock);
	return 0;
}

/* Answers, unless -EINPROGRESS is returned. */
static int answer(struct thaw_fuse *fuse, fuse_req_t req, struct thaw_dir *dir, size_t size,
		  uint64_t off, bool plus)
{
	char *buf = thaw_replybuf(req, size);
	struct thaw_phase_ticket ticket;
	struct thaw_dir_page page;
	int r;

	if (!buf) {
		thaw_fuse_error(req, -ENOMEM);
		return 0;
	}
	ticket = thaw_phase_enter(&fuse->phase);
	thaw_dir_page_init(&page, req, buf, size, fuse->root, plus, ticket.lasting);
	page.told = fuse->told;
	r = fill(fuse, dir, &page, off);
	if (r >= 0 && page.used == 0 && page.full)
		r = -EINVAL; /* not room for one entry */
	if (r >= 0)
		(void)fuse_reply_buf(req, page.buf, page.used);
	else if (r != -EINPROGRESS)
		thaw_fuse_error(req, r);
	thaw_phase_leave(&fuse->phase, ticket);
	return r;
}

static void resume_read(struct thaw_parked *p, int status)
{
	if (status < 0)
		thaw_fuse_error(p->req, status);
	else if (answer(p->fuse, p->req, p->dir, p->size, p->off, p->plus) == -EINPROGRESS)
		thaw_fuse_error(p->req, -EIO);
}

static void read_entries(fuse_req_t req, size_t size, off_t off, struct fuse_file_info *fi,
			 bool plus)
{
	struct thaw_fuse *fuse = thaw_fuse_of(req);
	struct thaw_dir *dir = (struct thaw_dir *)(uintptr_t)fi->fh;
	struct thaw_parked *p;
	int r;

	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	if (off < 0) {
		thaw_fuse_error(req, -EINVAL);
		return;
	}
	if (answer(fuse, req, dir, size, (uint64_t)off, plus) != -EINPROGRESS)
		return;
	r = thaw_park_new(fuse->park, req, resume_read, "", false, &p);
	if (r < 0) {
		thaw_fuse_error(req, r);
		return;
	}
	p->dir = dir;
	p->size = size;
	p->off = (uint64_t)off;
	p->plus = plus;
	r = thaw_stage_want_dir(fuse->stage, dir->node, &p->wait);
	if (r == -EINPROGRESS) {
		thaw_park_commit(p);
		return;
	}
	thaw_park_drop(p);
	if (r == 0 && answer(fuse, req, dir, size, (uint64_t)off, plus) == -EINPROGRESS)
		r = -EIO;
	if (r < 0)
		thaw_fuse_error(req, r);
}

void thaw_dir_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		      struct fuse_file_info *fi)
{
	(void)ino;
	read_entries(req, size, off, fi, false);
}

void thaw_dir_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			  struct fuse_file_info *fi)
{
	(void)ino;
	read_entries(req, size, off, fi, true);
}

static void close_dir(struct thaw_dir *dir)
{
	thaw_dirpos_release(&dir->positions);
	thaw_mutex_destroy(&dir->lock);
	free(dir);
}

void thaw_dir_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct thaw_fuse *fuse = thaw_fuse_of(req);
	struct thaw_phase_ticket ticket;
	struct thaw_dir *dir = calloc(1, sizeof(*dir));

	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	if (!dir) {
		thaw_fuse_error(req, -ENOMEM);
		return;
	}
	dir->node = thaw_node_from_ino(fuse->root, ino);
	thaw_mutex_init(&dir->lock, THAW_RANK_FUSE_INODE);
	thaw_dirpos_init(&dir->positions, OFF_CHILDREN);
	thaw_told_mark(fuse->told, dir->node);
	ticket = thaw_phase_enter(&fuse->phase);
	fi->fh = (uintptr_t)dir;
	/* Listings are told to the kernel once and dropped when they change. */
	fi->cache_readdir = fi->keep_cache = ticket.lasting;
	if (fuse_reply_open(req, fi) < 0)
		close_dir(dir);
	thaw_phase_leave(&fuse->phase, ticket);
}

void thaw_dir_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	close_dir((struct thaw_dir *)(uintptr_t)fi->fh);
	(void)fuse_reply_err(req, 0);
}
