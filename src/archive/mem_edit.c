/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mem_edit.c - what tests do to an archive in memory.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/mem_tree.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define HELD_WAIT_NS (10 * THAW_NS_PER_S)

static struct thaw_mem *locked(struct thaw_archive *ar)
{
	struct thaw_mem *mem = thaw_mem_of(ar);

	thaw_mutex_lock(&mem->lock);
	return mem;
}

/* So that a function can end in `return unlock(mem, rc)`. */
static int unlock(struct thaw_mem *mem, int rc)
{
	thaw_mutex_unlock(&mem->lock);
	return rc;
}

/* --- objects --------------------------------------------------------------------------- */

static int put_content(struct thaw_mem *mem, struct thaw_key key, uint8_t *data, uint64_t size,
		       uint64_t seed)
{
	struct thaw_mem_content *content = thaw_mem_content_new(mem, data, size, seed);
	struct thaw_mem_node *node;
	int rc;

	if (!content)
		return -ENOMEM;
	rc = thaw_mem_make(mem, key, THAW_TYPE_FILE, &node);
	if (rc) {
		(void)thaw_mem_content_unref(content);
		return rc;
	}
	thaw_mem_set_content(node, content);
	return 0;
}

int thaw_archive_mem_put(struct thaw_archive *ar, struct thaw_key key, const void *data, size_t len)
{
	uint8_t *copy = malloc(len + 1);
	struct thaw_mem *mem;

	if (!copy)
		return -ENOMEM;
	if (len)
		memcpy(copy, data, len);
	mem = locked(ar);
	return unlock(mem, put_content(mem, key, copy, len, 0));
}

int thaw_archive_mem_put_pattern(struct thaw_archive *ar, struct thaw_key key, uint64_t size,
				 uint64_t seed)
{
	struct thaw_mem *mem = locked(ar);

	return unlock(mem, put_content(mem, key, NULL, size, seed));
}

int thaw_archive_mem_put_dir(struct thaw_archive *ar, struct thaw_key key)
{
	struct thaw_mem *mem = locked(ar);
	struct thaw_mem_node *node;

	return unlock(mem, thaw_mem_make(mem, key, THAW_TYPE_DIR, &node));
}

int thaw_archive_mem_put_symlink(struct thaw_archive *ar, struct thaw_key key, const char *target)
{
	char *copy = strdup(target);
	struct thaw_mem *mem = locked(ar);
	struct thaw_mem_node *node;
	int rc = copy ? thaw_mem_make(mem, key, THAW_TYPE_SYMLINK, &node) : -ENOMEM;

	if (!rc) {
		char *old = node->target;

		node->target = copy;
		copy = old;
	}
	free(copy);
	return unlock(mem, rc);
}

int thaw_archive_mem_link(struct thaw_archive *ar, struct thaw_key key, struct thaw_key of)
{
	struct thaw_mem *mem = locked(ar);
	struct thaw_mem_node *node, *other;
	struct thaw_mem_content *content;
	int rc = thaw_mem_find_file(mem, of, &other);

	if (rc)
		return unlock(mem, rc);
	content = other->content;
	content->refs++;
	rc = thaw_mem_make(mem, key, THAW_TYPE_FILE, &node);
	if (rc) {
		(void)thaw_mem_content_unref(content);
		return unlock(mem, rc);
	}
	if (!content->link_id)
		content->link_id = ++mem->last_link;
	thaw_mem_set_content(node, content);
	return unlock(mem, 0);
}

int thaw_archive_mem_remove(struct thaw_archive *ar, struct thaw_key key)
{
	struct thaw_mem *mem = locked(ar);

	return unlock(mem, thaw_mem_remove(mem, key));
}

int thaw_archive_mem_touch(struct thaw_archive *ar, struct thaw_key key)
{
	struct thaw_mem *mem = locked(ar);
	struct thaw_mem_content *content;
	struct thaw_mem_node *node;
	uint8_t *copy = NULL;
	int rc = thaw_mem_find_file(mem, key, &node);

	if (rc)
		return unlock(mem, rc);
	content = node->content;
	if (content->data) {
		copy = malloc(content->size + 1);
		if (!copy)
			return unlock(mem, -ENOMEM);
		memcpy(copy, content->data, content->size);
	}
	return unlock(mem, put_content(mem, key, copy, content->size, content->seed));
}

int thaw_archive_mem_set_attr(struct thaw_archive *ar, struct thaw_key key,
			      const struct thaw_entry *attr)
{
	struct thaw_mem *mem = locked(ar);
	struct thaw_mem_node *node;
	int rc = thaw_mem_find(mem, key, &node);

	if (rc)
		return unlock(mem, rc);
	node->mode = attr->mode;
	node->uid = attr->uid;
	node->gid = attr->gid;
	node->mtime_ns = attr->mtime_ns;
	node->ctime_ns = attr->ctime_ns;
	return unlock(mem, 0);
}

int thaw_archive_mem_set_class(struct thaw_archive *ar, struct thaw_key key, const char *text)
{
	struct thaw_mem *mem = locked(ar);
	struct thaw_mem_node *node;
	int rc = thaw_mem_find(mem, key, &node);

	if (!rc)
		node->storage_class = text;
	return unlock(mem, rc);
}

/* One number of splitmix64 for every eight bytes, lowest byte first. */
static uint64_t pattern_word(uint64_t seed, uint64_t n)
{
	uint64_t x = seed + (n + 1) * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

void thaw_archive_mem_pattern(uint64_t seed, uint64_t off, void *buf, size_t len)
{
	uint8_t *bytes = buf;

	while (len) {
		uint64_t word = htole64(pattern_word(seed, off / 8));
		size_t skip = off % 8;
		size_t n = len < 8 - skip ? len : 8 - skip;

		memcpy(bytes, (uint8_t *)&word + skip, n);
		bytes += n;
		off += n;
		len -= n;
	}
}

/* --- online and offline ---------------------------------------------------------------- */

int thaw_archive_mem_set_avail(struct thaw_archive *ar, struct thaw_key key, enum thaw_avail avail)
{
	struct thaw_mem *mem = locked(ar);
	struct thaw_mem_node *node;
	int rc = thaw_mem_find_file(mem, key, &node);

	if (!rc) {
		node->content->avail = avail;
		node->content->online_at = UINT64_MAX; /* no recall that a tick could end */
	}
	return unlock(mem, rc);
}

void thaw_archive_mem_recall_ticks(struct thaw_archive *ar, unsigned n)
{
	struct thaw_mem *mem = locked(ar);

	mem->recall_ticks = n;
	(void)unlock(mem, 0);
}

static size_t bring_online(const struct thaw_mem *mem, struct thaw_mem_node *node)
{
	size_t n = 0;

	for (size_t i = 0; i < node->child_count; i++)
		n += bring_online(mem, node->children[i]);
	if (node->content && node->content->avail == THAW_AVAIL_RECALLING &&
	    node->content->online_at <= mem->tick) {
		node->content->avail = THAW_AVAIL_ONLINE;
		n++;
	}
	return n;
}

size_t thaw_archive_mem_tick(struct thaw_archive *ar)
{
	struct thaw_mem *mem = locked(ar);
	size_t n;

	mem->tick++;
	n = bring_online(mem, mem->root);
	(void)unlock(mem, 0);
	return n;
}

/* --- faults ---------------------------------------------------------------------------- */

int thaw_archive_mem_fail(struct thaw_archive *ar, struct thaw_key key, int code, unsigned times)
{
	struct thaw_mem *mem = locked(ar);
	struct thaw_mem_node *node;
	int rc = thaw_mem_find_file(mem, key, &node);

	if (!rc) {
		node->fail_code = code;
		node->fail_times = times;
	}
	return unlock(mem, rc);
}

void thaw_archive_mem_down(struct thaw_archive *ar, int code)
{
	struct thaw_mem *mem = locked(ar);

	mem->down = code;
	(void)unlock(mem, 0);
}

void thaw_archive_mem_piece(struct thaw_archive *ar, size_t len)
{
	struct thaw_mem *mem = locked(ar);

	mem->piece = len ? len : 1;
	(void)unlock(mem, 0);
}

void thaw_archive_mem_hold(struct thaw_archive *ar, uint64_t after)
{
	struct thaw_mem *mem = locked(ar);

	mem->hold = true;
	mem->hold_after = after;
	(void)unlock(mem, 0);
}

void thaw_archive_mem_release(struct thaw_archive *ar)
{
	struct thaw_mem *mem = locked(ar);

	mem->hold = false;
	thaw_cond_broadcast(&mem->changed);
	(void)unlock(mem, 0);
}

bool thaw_archive_mem_wait_held(struct thaw_archive *ar, unsigned n)
{
	int64_t deadline_ns = thaw_clock_mono_ns() + HELD_WAIT_NS;
	struct thaw_mem *mem = locked(ar);
	bool in_time = true;

	while (mem->held < n && in_time)
		in_time = thaw_cond_wait_until(&mem->changed, &mem->lock, deadline_ns);
	in_time = mem->held >= n;
	(void)unlock(mem, 0);
	return in_time;
}

/* --- counts ---------------------------------------------------------------------------- */

void thaw_archive_mem_counts(struct thaw_archive *ar, struct thaw_mem_counts *ret)
{
	struct thaw_mem *mem = locked(ar);

	*ret = mem->counts;
	(void)unlock(mem, 0);
}

uint64_t thaw_archive_mem_gets_of(struct thaw_archive *ar, struct thaw_key key)
{
	struct thaw_mem *mem = locked(ar);
	struct thaw_mem_node *node;
	uint64_t n = thaw_mem_find_file(mem, key, &node) ? 0 : node->gets;

	(void)unlock(mem, 0);
	return n;
}

uint64_t thaw_archive_mem_recalls_of(struct thaw_archive *ar, struct thaw_key key)
{
	struct thaw_mem *mem = locked(ar);
	struct thaw_mem_node *node;
	uint64_t n = thaw_mem_find_file(mem, key, &node) ? 0 : node->recalls;

	(void)unlock(mem, 0);
	return n;
}
