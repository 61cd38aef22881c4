/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "fuse/park.h"
#include "fuse/room.h"
#include "fuse/told.h"
#include "metrics/metrics.h"
#include "stage/names.h"

int thaw_lookup_parent(struct thaw_fuse *fuse, uint64_t node, struct thaw_node *ret)
{
	struct thaw_node self;
	int r = thaw_stage_node(fuse->stage, node, &self);

	if (r < 0)
		return r;
	return thaw_stage_node(fuse->stage, self.parent ? self.parent : fuse->root, ret);
}

/* "." and ".." are asked for by file handles (NFS). */
static int find(struct thaw_fuse *fuse, uint64_t dir, const char *name, struct thaw_node *ret)
{
	if (strcmp(name, ".") == 0)
		return thaw_stage_node(fuse->stage, dir, ret);
	if (strcmp(name, "..") == 0)
		return thaw_lookup_parent(fuse, dir, ret);
	return thaw_stage_lookup(fuse->stage, dir, name, strlen(name), ret);
}

/* Answers, unless -EINPROGRESS is returned. */
static int answer(struct thaw_fuse *fuse, fuse_req_t req, uint64_t dir, const char *name)
{
	struct thaw_phase_ticket ticket = thaw_phase_enter(&fuse->phase);
	struct fuse_entry_param entry = {.entry_timeout = THAW_FOREVER};
	struct thaw_node node;
	int r = find(fuse, dir, name, &node);

	if (r == 0) {
		thaw_told_mark(fuse->told, node.id);
		thaw_attr_entry(fuse->root, &node, ticket.lasting, &entry);
		(void)fuse_reply_entry(req, &entry);
	} else if (r == -ENOENT && ticket.lasting) {
		(void)fuse_reply_entry(req, &entry); /* ino 0: known not to be there */
	} else if (r != -EINPROGRESS) {
		thaw_fuse_error(req, r);
	}
	thaw_phase_leave(&fuse->phase, ticket);
	return r;
}

static void resume(struct thaw_parked *p, int status)
{
	if (status < 0)
		thaw_fuse_error(p->req, status);
	else if (answer(p->fuse, p->req, p->node, p->name) == -EINPROGRESS)
		thaw_fuse_error(p->req, -EIO);
}

/* The directory's names are not known: waits for its listing. */
static void wait_for_names(struct thaw_fuse *fuse, fuse_req_t req, uint64_t dir, const char *name)
{
	struct thaw_parked *p;
	int r = thaw_park_new(fuse->park, req, resume, name, 0, &p);

	if (r < 0) {
		thaw_fuse_error(req, r);
		return;
	}
	p->node = dir;
	r = thaw_stage_want_dir(fuse->stage, dir, &p->wait);
	if (r == -EINPROGRESS) {
		thaw_park_commit(p);
		return;
	}
	thaw_park_drop(p);
	if (r == 0)
		r = answer(fuse, req, dir, name) == -EINPROGRESS ? -EIO : 0;
	if (r < 0)
		thaw_fuse_error(req, r);
}

void thaw_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct thaw_fuse *fuse = thaw_fuse_of(req);
	uint64_t dir = thaw_node_from_ino(fuse->root, parent);

	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	thaw_told_mark(fuse->told, dir);
	if (answer(fuse, req, dir, name) == -EINPROGRESS)
		wait_for_names(fuse, req, dir, name);
}
