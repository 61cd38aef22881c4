/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mem_get.c - bytes out of memory, held where a test wants them held.
 */
#include <errno.h>
#include <stdlib.h>

#include "archive/backend.h"
#include "archive/mem_tree.h"
#include "base/cleanup.h"
#include "base/clock.h"

/* `cancel` has no wake-up. */
#define LOOK_NS (5 * THAW_NS_PER_MS)

struct transfer {
	struct thaw_mem *mem;
	struct thaw_mem_content *content; /* owns a reference */
	const struct thaw_call *call;
	uint64_t done, len;
};

static int check(struct thaw_mem *mem, struct thaw_mem_node *node, const struct thaw_tag *tag)
{
	node->gets++;
	if (mem->down)
		return mem->down;
	if (node->fail_times) {
		node->fail_times--;
		return node->fail_code;
	}
	if (!thaw_tag_equal(&node->content->tag, tag))
		return -ESTALE;
	switch (node->content->avail) {
	case THAW_AVAIL_ONLINE:
		return 0;
	case THAW_AVAIL_LOST:
		return -ENOENT;
	default:
		return -EINPROGRESS;
	}
}

static int begin(struct transfer *tr, struct thaw_key key, const struct thaw_tag *tag)
{
	struct thaw_mem *mem = tr->mem;
	struct thaw_mem_node *node;
	int rc;

	thaw_mutex_lock(&mem->lock);
	mem->counts.gets++;
	rc = thaw_mem_find_file(mem, key, &node);
	if (rc)
		rc = mem->down ? mem->down : rc;
	else
		rc = check(mem, node, tag);
	if (!rc) {
		tr->content = node->content;
		tr->content->refs++;
		mem->counts.running++;
		if (mem->counts.running > mem->counts.most_running)
			mem->counts.most_running = mem->counts.running;
	}
	thaw_mutex_unlock(&mem->lock);
	return rc;
}

/* The look after the last byte. */
static int end(struct transfer *tr, struct thaw_key key)
{
	struct thaw_mem *mem = tr->mem;
	struct thaw_mem_node *node;
	int rc;

	thaw_mutex_lock(&mem->lock);
	rc = thaw_mem_find_file(mem, key, &node) || node->content != tr->content ? -ESTALE : 0;
	mem->counts.running--;
	tr->content = thaw_mem_content_unref(tr->content);
	thaw_mutex_unlock(&mem->lock);
	return rc;
}

/* Waits while held here; then how many bytes go in the next piece. */
static int next_piece(struct transfer *tr, size_t *ret)
{
	struct thaw_mem *mem = tr->mem;
	uint64_t piece;

	thaw_mutex_lock(&mem->lock);
	if (mem->hold && tr->done >= mem->hold_after) {
		mem->held++;
		thaw_cond_broadcast(&mem->changed);
		while (mem->hold && !thaw_archive_cancelled(tr->call))
			(void)thaw_cond_wait_until(&mem->changed, &mem->lock,
						   thaw_clock_mono_ns() + LOOK_NS);
		mem->held--;
	}
	piece = tr->len - tr->done;
	if (mem->hold && tr->done < mem->hold_after && mem->hold_after - tr->done < piece)
		piece = mem->hold_after - tr->done;
	*ret = piece < mem->piece ? piece : mem->piece;
	thaw_mutex_unlock(&mem->lock);
	return thaw_archive_cancelled(tr->call) ? -ECANCELED : 0;
}

static int deliver(struct transfer *tr, uint64_t off, size_t len, thaw_sink_fn *sink, void *ctx)
{
	_cleanup_free_ uint8_t *computed = NULL;
	int rc;

	if (tr->content->data) {
		rc = sink(ctx, off, tr->content->data + off, len);
	} else {
		computed = malloc(len);
		if (!computed)
			return -EAGAIN;
		thaw_archive_mem_pattern(tr->content->seed, off, computed, len);
		rc = sink(ctx, off, computed, len);
	}
	if (rc)
		return rc;
	thaw_mutex_lock(&tr->mem->lock);
	tr->mem->counts.bytes += len;
	thaw_mutex_unlock(&tr->mem->lock);
	return 0;
}

static int deliver_all(struct transfer *tr, uint64_t off, thaw_sink_fn *sink, void *ctx)
{
	if (off + tr->len > tr->content->size)
		return -EIO;
	for (;;) {
		size_t piece;
		int rc = next_piece(tr, &piece);

		if (rc || !piece)
			return rc;
		rc = deliver(tr, off + tr->done, piece, sink, ctx);
		if (rc)
			return rc;
		tr->done += piece;
	}
}

int thaw_mem_get(struct thaw_archive *ar, struct thaw_key key, const struct thaw_tag *tag,
		 uint64_t off, uint64_t len, thaw_sink_fn *sink, void *ctx,
		 const struct thaw_call *call)
{
	struct transfer tr = {.mem = thaw_mem_of(ar), .call = call, .len = len};
	int rc, after;

	rc = begin(&tr, key, tag);
	if (rc)
		return thaw_mem_fail(call, key, rc);
	rc = deliver_all(&tr, off, sink, ctx);
	after = end(&tr, key);
	return rc ? rc : thaw_mem_fail(call, key, after);
}
