/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mem.c - the table of functions over the tree in memory, all but get().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/backend.h"
#include "archive/mem_tree.h"
#include "base/cleanup.h"
#include "base/err.h"

int thaw_mem_fail(const struct thaw_call *call, struct thaw_key key, int code)
{
	char text[THAW_KEY_TEXT];

	if (!code)
		return 0;
	return thaw_err_set(call->err, code, "%s: %s", thaw_archive_key_text(text, key),
			    strerrordesc_np(-code));
}

/* --- names ----------------------------------------------------------------------------- */

static void show(const struct thaw_mem_node *node, struct thaw_entry *ret)
{
	*ret = (struct thaw_entry){
		.type = node->type,
		.mode = node->mode,
		.uid = node->uid,
		.gid = node->gid,
		.mtime_ns = node->mtime_ns,
		.ctime_ns = node->ctime_ns,
		.storage_class = node->storage_class,
	};
	if (node->target)
		ret->size = strlen(node->target);
	if (node->content) {
		ret->size = node->content->size;
		ret->tag = node->content->tag;
		ret->avail = node->content->avail;
		ret->link_id = node->content->link_id;
	}
}

static size_t text_room(const struct thaw_mem_node *node)
{
	return node->name_len + (node->target ? strlen(node->target) : 0);
}

/* The children as they are now, in one block: entries, then their texts. */
static struct thaw_entry *snapshot(const struct thaw_mem_node *dir)
{
	size_t room = dir->child_count * sizeof(struct thaw_entry);
	struct thaw_entry *entries;
	char *text;

	for (size_t i = 0; i < dir->child_count; i++)
		room += text_room(dir->children[i]);
	entries = malloc(room + 1);
	if (!entries)
		return NULL;
	text = (char *)(entries + dir->child_count);
	for (size_t i = 0; i < dir->child_count; i++) {
		const struct thaw_mem_node *node = dir->children[i];

		show(node, &entries[i]);
		entries[i].name = text;
		entries[i].name_len = node->name_len;
		text = mempcpy(text, node->name, node->name_len);
		if (node->target) {
			entries[i].target = text;
			entries[i].target_len = entries[i].size;
			text = mempcpy(text, node->target, entries[i].size);
		}
	}
	return entries;
}

static int take_snapshot(struct thaw_mem *mem, struct thaw_key key, struct thaw_entry **ret,
			 size_t *ret_n)
{
	struct thaw_mem_node *dir;
	int rc;

	thaw_mutex_lock(&mem->lock);
	mem->counts.lists++;
	rc = mem->down ? mem->down : thaw_mem_find(mem, key, &dir);
	if (!rc && dir->type != THAW_TYPE_DIR)
		rc = -ENOTDIR;
	if (!rc) {
		*ret = snapshot(dir);
		*ret_n = dir->child_count;
		rc = *ret ? 0 : -EAGAIN;
	}
	thaw_mutex_unlock(&mem->lock);
	return rc;
}

static int list_mem(struct thaw_archive *ar, struct thaw_key dir, thaw_entry_fn *fn, void *ctx,
		    const struct thaw_call *call)
{
	_cleanup_free_ struct thaw_entry *entries = NULL;
	size_t n = 0;
	int rc = take_snapshot(thaw_mem_of(ar), dir, &entries, &n);

	if (rc)
		return thaw_mem_fail(call, dir, rc);
	for (size_t i = 0; i < n; i++) {
		rc = thaw_archive_cancelled(call) ? -ECANCELED : fn(ctx, &entries[i]);
		if (rc)
			return rc;
	}
	return 0;
}

static int stat_mem(struct thaw_archive *ar, struct thaw_key key, struct thaw_entry *ret,
		    const struct thaw_call *call)
{
	struct thaw_mem *mem = thaw_mem_of(ar);
	struct thaw_mem_node *node;
	int rc;

	thaw_mutex_lock(&mem->lock);
	mem->counts.stats++;
	rc = mem->down ? mem->down : thaw_mem_find(mem, key, &node);
	if (!rc)
		show(node, ret);
	thaw_mutex_unlock(&mem->lock);
	return thaw_mem_fail(call, key, rc == -ENOTDIR ? -ENOENT : rc);
}

/* --- recalls --------------------------------------------------------------------------- */

/* A store takes all of a batch or none. */
static int find_all(struct thaw_mem *mem, const struct thaw_key *keys, size_t n,
		    const struct thaw_call *call)
{
	struct thaw_mem_node *node;

	if (mem->down)
		return thaw_mem_fail(call, keys[0], mem->down);
	for (size_t i = 0; i < n; i++) {
		if (thaw_mem_find_file(mem, keys[i], &node))
			return thaw_mem_fail(call, keys[i], -ENOENT);
	}
	return 0;
}

static void recall_one(struct thaw_mem *mem, struct thaw_key key)
{
	struct thaw_mem_node *node;

	if (thaw_mem_find_file(mem, key, &node))
		return;
	node->recalls++;
	mem->counts.recalled++;
	if (node->content->avail != THAW_AVAIL_OFFLINE)
		return;
	node->content->avail = mem->recall_ticks ? THAW_AVAIL_RECALLING : THAW_AVAIL_ONLINE;
	node->content->online_at = mem->tick + mem->recall_ticks;
}

static int recall_mem(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
		      const struct thaw_call *call)
{
	struct thaw_mem *mem = thaw_mem_of(ar);
	int rc;

	thaw_mutex_lock(&mem->lock);
	mem->counts.recalls++;
	rc = find_all(mem, keys, n, call);
	for (size_t i = 0; !rc && i < n; i++)
		recall_one(mem, keys[i]);
	thaw_mutex_unlock(&mem->lock);
	return rc;
}

static int poll_mem(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
		    enum thaw_avail *ret, const struct thaw_call *call)
{
	struct thaw_mem *mem = thaw_mem_of(ar);
	struct thaw_mem_node *node;
	int rc;

	thaw_mutex_lock(&mem->lock);
	mem->counts.polls++;
	rc = mem->down ? thaw_mem_fail(call, keys[0], mem->down) : 0;
	for (size_t i = 0; !rc && i < n; i++)
		ret[i] = thaw_mem_find_file(mem, keys[i], &node) ? THAW_AVAIL_LOST
								 : node->content->avail;
	thaw_mutex_unlock(&mem->lock);
	return rc;
}

/* --- life ------------------------------------------------------------------------------ */

static void close_mem(struct thaw_archive *ar)
{
	struct thaw_mem *mem = thaw_mem_of(ar);

	(void)thaw_mem_node_free(mem->root);
	thaw_cond_destroy(&mem->changed);
	thaw_mutex_destroy(&mem->lock);
	free(mem);
}

/* Of an archive whose objects are always online. */
static const struct thaw_archive_ops online_ops = {
	.type = "mem",
	.version = THAW_ARCHIVE_VERSION,
	.list = list_mem,
	.stat = stat_mem,
	.get = thaw_mem_get,
	.close = close_mem,
};

int thaw_archive_mem_new(bool recalls, struct thaw_archive **ret)
{
	struct thaw_mem *mem = calloc(1, sizeof(*mem));

	if (!mem)
		return -ENOMEM;
	mem->root = thaw_mem_node_new(THAW_TYPE_DIR, "", 0);
	if (!mem->root) {
		free(mem);
		return -ENOMEM;
	}
	mem->base.ops = recalls ? &thaw_archive_mem : &online_ops;
	mem->recall_ticks = 1;
	mem->piece = 65536;
	thaw_mutex_init(&mem->lock, THAW_RANK_ARCHIVE);
	thaw_cond_init(&mem->changed);
	*ret = &mem->base;
	return 0;
}

/* An empty one: for trying a configuration out. */
static int open_mem(const struct thaw_conf_archive *conf, struct thaw_archive **ret,
		    struct thaw_err *err)
{
	static const char *const known[] = {NULL};
	int rc = thaw_archive_check_keys(conf, known, err);

	return rc ? rc : thaw_archive_mem_new(false, ret);
}

const struct thaw_archive_ops thaw_archive_mem = {
	.type = "mem",
	.version = THAW_ARCHIVE_VERSION,
	.open = open_mem,
	.list = list_mem,
	.stat = stat_mem,
	.recall = recall_mem,
	.poll = poll_mem,
	.get = thaw_mem_get,
	.close = close_mem,
};
