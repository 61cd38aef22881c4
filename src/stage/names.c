/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stage/names.h"

#include <errno.h>

#include "base/buf.h"
#include "stage/impl.h"

/* What the collection says over what the archive says. */
static void dress(struct thaw_stage *stage, struct thaw_node *node)
{
	const struct stage_collection *c = stage_collection_of(stage, node->collection);

	if (!c)
		return;
	if (c->conf->uid >= 0)
		node->uid = (uint32_t)c->conf->uid;
	if (c->conf->gid >= 0)
		node->gid = (uint32_t)c->conf->gid;
	if (c->conf->mode < 0)
		return;
	if (node->type == THAW_TYPE_FILE)
		node->mode = (uint32_t)c->conf->mode;
	else if (node->type == THAW_TYPE_DIR) /* who may read a file there may pass */
		node->mode = (uint32_t)c->conf->mode | ((uint32_t)c->conf->mode & 0444) >> 2;
}

int stage_key(struct thaw_stage *stage, const struct stage_collection *c, uint64_t node,
	      struct thaw_buf *key)
{
	int r = thaw_buf_adds(key, c->conf->prefix);

	if (r == 0)
		r = thaw_catalog_key(stage->catalog, node, key);
	/* The root itself: "newspapers/" is the key "newspapers". */
	while (r == 0 && key->len && key->data[key->len - 1] == '/')
		key->data[--key->len] = '\0';
	return r;
}

int thaw_stage_node(struct thaw_stage *stage, uint64_t id, struct thaw_node *ret)
{
	struct thaw_node node;
	int r = thaw_catalog_node(stage->catalog, id, &node);

	if (r < 0)
		return r;
	dress(stage, &node);
	*ret = node;
	return 0;
}

/* Are the names of this directory known? */
static int names_known(struct thaw_stage *stage, uint64_t dir)
{
	struct thaw_node node;
	int r = thaw_catalog_node(stage->catalog, dir, &node);

	if (r < 0)
		return r;
	if (node.type != THAW_TYPE_DIR)
		return -ENOTDIR;
	if (node.listed == THAW_UNLISTED)
		return -EINPROGRESS;
	return node.listed == THAW_LIST_FAILED ? -EIO : 0;
}

int thaw_stage_lookup(struct thaw_stage *stage, uint64_t dir, const char *name, size_t len,
		      struct thaw_node *ret)
{
	struct thaw_node node;
	int known, r = thaw_catalog_lookup(stage->catalog, dir, name, len, &node);

	if (r == -ENOENT) {
		/* First ask whether the directory is known, then look again:
		 * its listing may have been merged in between. */
		known = names_known(stage, dir);
		if (known < 0)
			return known;
		r = thaw_catalog_lookup(stage->catalog, dir, name, len, &node);
	}
	if (r < 0)
		return r;
	dress(stage, &node);
	*ret = node;
	return 0;
}

struct dressing {
	struct thaw_stage *stage;
	thaw_child_fn *fn;
	void *ctx;
};

static int dress_child(void *ctx, const char *name, size_t len, const struct thaw_node *child)
{
	struct dressing *d = ctx;
	struct thaw_node node = *child;

	dress(d->stage, &node);
	return d->fn(d->ctx, name, len, &node);
}

int thaw_stage_children(struct thaw_stage *stage, uint64_t dir, const char *after, size_t after_len,
			size_t limit, thaw_child_fn *fn, void *ctx)
{
	struct dressing d = { stage, fn, ctx };
	int r = names_known(stage, dir);

	if (r < 0)
		return r;
	return thaw_catalog_children(stage->catalog, dir, after, after_len, limit, dress_child, &d);
}

int thaw_stage_readlink(struct thaw_stage *stage, uint64_t id, char **ret, size_t *ret_len)
{
	return thaw_catalog_readlink(stage->catalog, id, ret, ret_len);
}

int thaw_stage_path(struct thaw_stage *stage, uint64_t id, struct thaw_buf *buf)
{
	return thaw_catalog_path(stage->catalog, id, buf);
}

struct visiting {
	struct thaw_stage *stage;
	int (*visit)(void *ctx, const struct thaw_node *node, bool last);
	void *ctx;
};

static int dress_visit(void *ctx, const struct thaw_node *on_way, bool last)
{
	struct visiting *v = ctx;
	struct thaw_node node = *on_way;

	dress(v->stage, &node);
	return v->visit ? v->visit(v->ctx, &node, last) : 0;
}

int thaw_stage_resolve(struct thaw_stage *stage, const char *path, size_t len,
		       int (*visit)(void *ctx, const struct thaw_node *node, bool last), void *ctx,
		       struct thaw_node *ret)
{
	struct visiting v = { stage, visit, ctx };
	struct thaw_node node;
	int r = thaw_catalog_resolve(stage->catalog, stage->root, path, len, dress_visit, &v, &node);

	if (r < 0)
		return r;
	dress(stage, &node);
	*ret = node;
	return 0;
}

int thaw_stage_totals(struct thaw_stage *stage, uint64_t *ret_files, uint64_t *ret_bytes)
{
	return thaw_catalog_totals(stage->catalog, ret_files, ret_bytes);
}
