/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories: handles, and answering READDIR.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mutex.h"
#include "fuse/dirpage.h"
#include "fuse/dirpos.h"
#include "fuse/park.h"
#include "fuse/replybuf.h"
#include "fuse/room.h"
#include "fuse/told.h"
#include "metrics/metrics.h"
#include "stage/names.h"

/* A handle. */
struct thaw_dir {
	uint64_t node;
	struct thaw_mutex lock;
	struct thaw_dirpos_set positions; /* lock */
};

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
	if (off < THAW_DIR_CHILDREN) {
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
	r = thaw_park_new(fuse->park, req, resume_read, "", 0, &p);
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
	thaw_dirpos_init(&dir->positions, THAW_DIR_CHILDREN);
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
