/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table is an array of hash chains; a shard is a run of neighbouring
 * chains under one lock.  An entry's fields are guarded by its shard's lock,
 * which is held for look-ups and counts only: registering happens in mode
 * REGISTERING without it, and those who come meanwhile wait on the shard.
 */
#include "fuse/inode.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mutex.h"
#include "fuse/backing.h"
#include "stage/open.h"

#define SHARDS 256u
#define CHAINS 256u /* of a shard */

enum mode { IDLE, REGISTERING, PASSTHROUGH, CACHED };

struct thaw_inode {
	uint64_t node; /* const */
	/* shard->lock: */
	struct thaw_inode *next;
	struct thaw_obj *obj; /* holds a reference; constant while handles are open */
	int backing_id;       /* 0: none */
	enum mode mode;
	unsigned pass, cached; /* open handles */
	unsigned waiting;      /* threads that look at it without the lock */
	bool used;             /* since the hand came by */
	bool doomed;           /* left the cache: drop it when it is idle */
	bool pages_good;       /* the kernel's pages of it are of a whole file, if it has any */
};

struct shard {
	struct thaw_mutex lock;
	struct thaw_cond registered;
	struct thaw_inode *chains[CHAINS];
	unsigned count, hand;
};

struct thaw_inodes {
	struct thaw_stage *stage;
	unsigned shard_kept; /* const */
	atomic_int fuse_fd;  /* -1: no passthrough */
	struct shard shards[SHARDS];
};

/* What an entry held, to be let go without the lock. */
struct remains {
	struct thaw_obj *obj;
	int backing_id;
};

struct thaw_inodes *thaw_inodes_new(struct thaw_stage *stage, unsigned kept)
{
	struct thaw_inodes *inodes = calloc(1, sizeof(*inodes));

	if (!inodes)
		return NULL;
	inodes->stage = stage;
	inodes->shard_kept = kept / SHARDS + 1;
	atomic_init(&inodes->fuse_fd, -1);
	for (unsigned i = 0; i < SHARDS; i++) {
		thaw_mutex_init(&inodes->shards[i].lock, THAW_RANK_FUSE_TABLE);
		thaw_cond_init(&inodes->shards[i].registered);
	}
	return inodes;
}

void thaw_inodes_use_passthrough(struct thaw_inodes *inodes, int fuse_fd)
{
	atomic_store(&inodes->fuse_fd, fuse_fd);
}

static void let_go(struct thaw_inodes *inodes, struct remains remains)
{
	if (remains.backing_id)
		thaw_backing_close(atomic_load(&inodes->fuse_fd), remains.backing_id);
	if (remains.obj)
		thaw_obj_put(inodes->stage, remains.obj);
}

static void check(const struct thaw_inode *inode)
{
#ifndef NDEBUG
	switch (inode->mode) {
	case IDLE:
		assert(inode->pass == 0 && inode->cached == 0);
		assert(!inode->backing_id || inode->obj);
		break;
	case REGISTERING:
		assert(inode->pass == 0 && inode->cached == 0 && !inode->backing_id && inode->obj);
		break;
	case PASSTHROUGH:
		assert(inode->pass > 0 && inode->cached == 0 && inode->backing_id && inode->obj);
		break;
	case CACHED:
		assert(inode->pass == 0 && inode->cached > 0 && !inode->backing_id && inode->obj);
		break;
	}
#else
	(void)inode;
#endif
}

/* Ids are dense: spread them. */
static uint64_t hash(uint64_t node)
{
	return (node * UINT64_C(0x9e3779b97f4a7c15)) >> 32;
}

static struct shard *shard_of(struct thaw_inodes *inodes, uint64_t node)
{
	return &inodes->shards[hash(node) % SHARDS];
}

static struct thaw_inode **chain_of(struct shard *shard, uint64_t node)
{
	return &shard->chains[hash(node) / SHARDS % CHAINS];
}

static struct thaw_inode **find(struct shard *shard, uint64_t node)
{
	struct thaw_inode **link = chain_of(shard, node);

	while (*link && (*link)->node != node)
		link = &(*link)->next;
	return link;
}

static bool is_idle(const struct thaw_inode *inode)
{
	return inode->mode == IDLE && inode->waiting == 0;
}

static struct remains take_out(struct shard *shard, struct thaw_inode **link)
{
	struct thaw_inode *inode = *link;
	struct remains remains = {inode->obj, inode->backing_id};

	*link = inode->next;
	shard->count--;
	free(inode);
	return remains;
}

/* Moves the hand until something unused is found or a while has passed. */
static struct remains make_room(struct shard *shard)
{
	for (unsigned step = 0; step < CHAINS / 4; step++) {
		struct thaw_inode **link = &shard->chains[shard->hand++ % CHAINS];

		for (; *link; link = &(*link)->next) {
			if (is_idle(*link) && !(*link)->used)
				return take_out(shard, link);
			(*link)->used = false;
		}
	}
	return (struct remains){NULL, 0};
}

/* Pages that came while it was arriving are as good as the digest at its end:
 * after a transfer that failed, or one we know nothing of, they must go.  While
 * handles are open they are all of this one object. */
static bool may_keep_pages(struct thaw_inode *inode)
{
	bool keep = inode->pages_good || inode->mode == CACHED;

	inode->pages_good = thaw_obj_is_whole(inode->obj);
	return keep;
}

static void count_open(struct thaw_inode *inode, bool passthrough, struct thaw_opened *ret)
{
	bool keep = may_keep_pages(inode);

	if (passthrough)
		inode->pass++;
	else
		inode->cached++;
	inode->mode = passthrough ? PASSTHROUGH : CACHED;
	inode->used = true;
	check(inode);
	*ret = (struct thaw_opened){
		.inode = inode,
		.passthrough = passthrough,
		.backing_id = passthrough ? inode->backing_id : 0,
		.keep_pages = keep && !passthrough,
	};
}

static bool wants_backing(struct thaw_inodes *inodes, const struct thaw_inode *inode)
{
	return inode->mode == IDLE && !inode->backing_id && atomic_load(&inodes->fuse_fd) >= 0 &&
	       thaw_obj_is_whole(inode->obj);
}

bool thaw_inodes_try_open(struct thaw_inodes *inodes, uint64_t node, struct thaw_opened *ret)
{
	struct shard *shard = shard_of(inodes, node);
	struct thaw_inode *inode;
	bool ok = false;

	thaw_mutex_lock(&shard->lock);
	inode = *find(shard, node);
	if (!inode || !inode->obj || inode->mode == REGISTERING)
		goto out;
	if (wants_backing(inodes, inode))
		goto out;
	ok = thaw_obj_try_use(inode->obj);
	if (ok)
		count_open(inode, inode->backing_id != 0, ret);
out:
	thaw_mutex_unlock(&shard->lock);
	return ok;
}

/* The entry of a node, made if need be; called and returns with the lock. */
static struct thaw_inode *find_or_add(struct shard *shard, uint64_t node, unsigned kept,
				      struct remains *ret_old)
{
	struct thaw_inode *inode = *find(shard, node);
	struct thaw_inode **chain;

	if (inode)
		return inode;
	inode = calloc(1, sizeof(*inode));
	if (!inode)
		return NULL;
	if (shard->count >= kept)
		*ret_old = make_room(shard);
	inode->node = node;
	chain = chain_of(shard, node);
	inode->next = *chain;
	*chain = inode;
	shard->count++;
	return inode;
}

/* An idle entry may still hold an object that has left the cache since. */
static struct remains adopt(struct thaw_inode *inode, struct thaw_obj *obj)
{
	struct remains old = {inode->obj, inode->backing_id};

	inode->doomed = false;
	if (inode->obj == obj)
		return (struct remains){NULL, 0};
	inode->obj = thaw_obj_get(obj);
	inode->backing_id = 0;
	return old;
}

/* Enters and leaves with the lock; lets go of it meanwhile. */
static void register_backing(struct thaw_inodes *inodes, struct shard *shard,
			     struct thaw_inode *inode)
{
	static struct thaw_log_limit limit;
	int fd = thaw_obj_fd(inode->obj);
	int id;

	inode->mode = REGISTERING;
	check(inode);
	thaw_mutex_unlock(&shard->lock);
	id = thaw_backing_open(atomic_load(&inodes->fuse_fd), fd);
	if (id < 0)
		thaw_log_limited(
			&limit, LOG_WARNING,
			"cannot register a cache file for passthrough (%s): read through the daemon",
			thaw_err_name(-id));
	thaw_mutex_lock(&shard->lock);
	inode->mode = IDLE;
	inode->backing_id = id > 0 ? id : 0;
	thaw_cond_broadcast(&shard->registered);
}

int thaw_inodes_open(struct thaw_inodes *inodes, uint64_t node, struct thaw_obj *obj,
		     struct thaw_opened *ret)
{
	struct shard *shard = shard_of(inodes, node);
	struct remains pushed = {NULL, 0}, old = {NULL, 0};
	struct thaw_inode *inode;

	thaw_mutex_lock(&shard->lock);
	inode = find_or_add(shard, node, inodes->shard_kept, &pushed);
	if (!inode) {
		thaw_mutex_unlock(&shard->lock);
		thaw_stage_close(inodes->stage, obj);
		return -ENOMEM;
	}
	inode->waiting++;
	while (inode->mode == REGISTERING)
		thaw_cond_wait(&shard->registered, &shard->lock);
	/* Handles are open whose transfer failed; it has come anew since.  What is
	 * open stays the object, so these must go first. */
	if (inode->mode != IDLE && inode->obj != obj) {
		inode->waiting--;
		thaw_mutex_unlock(&shard->lock);
		thaw_stage_close(inodes->stage, obj);
		let_go(inodes, pushed);
		return -EIO;
	}
	if (inode->mode == IDLE)
		old = adopt(inode, obj);
	if (wants_backing(inodes, inode))
		register_backing(inodes, shard, inode);
	count_open(inode, inode->mode != CACHED && inode->backing_id, ret);
	inode->waiting--;
	thaw_mutex_unlock(&shard->lock);
	let_go(inodes, pushed);
	let_go(inodes, old);
	return 0;
}

void thaw_inodes_close(struct thaw_inodes *inodes, struct thaw_opened opened)
{
	struct thaw_inode *inode = opened.inode;
	struct thaw_obj *obj = inode->obj;
	struct shard *shard = shard_of(inodes, inode->node);
	struct remains remains = {NULL, 0};

	thaw_mutex_lock(&shard->lock);
	check(inode);
	inode->pages_good = inode->pages_good || thaw_obj_is_whole(obj);
	if (opened.passthrough)
		inode->pass--;
	else
		inode->cached--;
	if (inode->pass == 0 && inode->cached == 0)
		inode->mode = IDLE;
	if (inode->doomed && is_idle(inode))
		remains = take_out(shard, find(shard, inode->node));
	thaw_mutex_unlock(&shard->lock);
	thaw_stage_close(inodes->stage, obj);
	let_go(inodes, remains);
}

struct thaw_obj *thaw_inode_obj(const struct thaw_inode *inode)
{
	return inode->obj;
}

void thaw_inodes_leaving(struct thaw_inodes *inodes, uint64_t node)
{
	struct shard *shard = shard_of(inodes, node);
	struct remains remains = {NULL, 0};
	struct thaw_inode **link;

	thaw_mutex_lock(&shard->lock);
	link = find(shard, node);
	if (*link && is_idle(*link))
		remains = take_out(shard, link);
	else if (*link)
		(*link)->doomed = true;
	thaw_mutex_unlock(&shard->lock);
	let_go(inodes, remains);
}

static void empty_shard(struct thaw_inodes *inodes, struct shard *shard)
{
	for (unsigned i = 0; i < CHAINS; i++) {
		while (shard->chains[i]) {
			struct thaw_inode *inode = shard->chains[i];

			for (unsigned n = inode->pass + inode->cached; n > 0; n--)
				thaw_stage_close(inodes->stage, inode->obj);
			let_go(inodes, take_out(shard, &shard->chains[i]));
		}
	}
	thaw_cond_destroy(&shard->registered);
	thaw_mutex_destroy(&shard->lock);
}

struct thaw_inodes *thaw_inodes_free(struct thaw_inodes *inodes)
{
	if (!inodes)
		return NULL;
	for (unsigned i = 0; i < SHARDS; i++)
		empty_shard(inodes, &inodes->shards[i]);
	free(inodes);
	return NULL;
}
