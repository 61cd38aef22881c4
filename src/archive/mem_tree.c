/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "archive/mem_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/backend.h"

/* --- contents -------------------------------------------------------------------------- */

struct thaw_mem_content *thaw_mem_content_new(struct thaw_mem *mem, uint8_t *data, uint64_t size,
					      uint64_t seed)
{
	struct thaw_mem_content *content = calloc(1, sizeof(*content));

	if (!content) {
		free(data);
		return NULL;
	}
	content->refs = 1;
	content->data = data;
	content->size = size;
	content->seed = seed;
	mem->last_tag++;
	content->tag.len = sizeof(mem->last_tag);
	memcpy(content->tag.data, &mem->last_tag, sizeof(mem->last_tag));
	return content;
}

struct thaw_mem_content *thaw_mem_content_unref(struct thaw_mem_content *content)
{
	if (content && --content->refs == 0) {
		free(content->data);
		free(content);
	}
	return NULL;
}

void thaw_mem_set_content(struct thaw_mem_node *node, struct thaw_mem_content *content)
{
	(void)thaw_mem_content_unref(node->content);
	node->content = content;
}

/* --- nodes ----------------------------------------------------------------------------- */

struct thaw_mem_node *thaw_mem_node_new(enum thaw_entry_type type, const char *name, size_t len)
{
	struct thaw_mem_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->name = malloc(len + 1);
	if (!node->name) {
		free(node);
		return NULL;
	}
	*(char *)mempcpy(node->name, name, len) = '\0';
	node->name_len = len;
	node->type = type;
	node->mode = type == THAW_TYPE_DIR ? 0755 : type == THAW_TYPE_FILE ? 0644 : 0777;
	return node;
}

struct thaw_mem_node *thaw_mem_node_free(struct thaw_mem_node *node)
{
	if (!node)
		return NULL;
	for (size_t i = 0; i < node->child_count; i++)
		(void)thaw_mem_node_free(node->children[i]);
	(void)thaw_mem_content_unref(node->content);
	free(node->children);
	free(node->target);
	free(node->name);
	free(node);
	return NULL;
}

static int compare(const struct thaw_mem_node *node, const char *name, size_t len)
{
	size_t both = node->name_len < len ? node->name_len : len;
	int order = memcmp(node->name, name, both);

	if (order)
		return order;
	return node->name_len < len ? -1 : node->name_len > len;
}

/* Where `name` stands among the children, or would. */
static size_t find_place(const struct thaw_mem_node *dir, const char *name, size_t len,
			 bool *ret_there)
{
	size_t low = 0, high = dir->child_count;

	*ret_there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(dir->children[middle], name, len);

		if (order == 0) {
			*ret_there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int make_room(struct thaw_mem_node *dir)
{
	size_t room = dir->child_room ? 2 * dir->child_room : 8;
	struct thaw_mem_node **children;

	if (dir->child_count < dir->child_room)
		return 0;
	children = reallocarray(dir->children, room, sizeof(struct thaw_mem_node *));
	if (!children)
		return -ENOMEM;
	dir->children = children;
	dir->child_room = room;
	return 0;
}

static void take_out(struct thaw_mem_node *dir, size_t place)
{
	(void)thaw_mem_node_free(dir->children[place]);
	dir->child_count--;
	memmove(&dir->children[place], &dir->children[place + 1],
		(dir->child_count - place) * sizeof(struct thaw_mem_node *));
}

static int put_in(struct thaw_mem_node *dir, size_t place, enum thaw_entry_type type,
		  const char *name, size_t len)
{
	struct thaw_mem_node *node;

	if (make_room(dir))
		return -ENOMEM;
	node = thaw_mem_node_new(type, name, len);
	if (!node)
		return -ENOMEM;
	memmove(&dir->children[place + 1], &dir->children[place],
		(dir->child_count - place) * sizeof(struct thaw_mem_node *));
	dir->children[place] = node;
	dir->child_count++;
	return 0;
}

/* --- keys ------------------------------------------------------------------------------ */

/* The next part of a key; false at its end. */
static bool next_part(struct thaw_key *rest, struct thaw_key *ret_part)
{
	const char *slash;

	if (!rest->len)
		return false;
	slash = memchr(rest->data, '/', rest->len);
	ret_part->data = rest->data;
	ret_part->len = slash ? (size_t)(slash - rest->data) : rest->len;
	rest->data += ret_part->len + (slash != NULL);
	rest->len -= ret_part->len + (slash != NULL);
	return true;
}

int thaw_mem_find(const struct thaw_mem *mem, struct thaw_key key, struct thaw_mem_node **ret)
{
	struct thaw_mem_node *node = mem->root;
	struct thaw_key part;
	bool there;

	while (next_part(&key, &part)) {
		size_t place;

		if (node->type != THAW_TYPE_DIR)
			return -ENOTDIR;
		place = find_place(node, part.data, part.len, &there);
		if (!there)
			return -ENOENT;
		node = node->children[place];
	}
	*ret = node;
	return 0;
}

int thaw_mem_find_file(const struct thaw_mem *mem, struct thaw_key key, struct thaw_mem_node **ret)
{
	struct thaw_mem_node *node;

	if (thaw_mem_find(mem, key, &node) || node->type != THAW_TYPE_FILE)
		return -ENOENT;
	*ret = node;
	return 0;
}

int thaw_mem_make(struct thaw_mem *mem, struct thaw_key key, enum thaw_entry_type type,
		  struct thaw_mem_node **ret)
{
	struct thaw_mem_node *node = mem->root;
	struct thaw_key part;

	if (!key.len || !thaw_archive_key_is_plain(key))
		return -EINVAL;
	while (next_part(&key, &part)) {
		enum thaw_entry_type want = key.len ? THAW_TYPE_DIR : type;
		bool there;
		size_t place;

		if (node->type != THAW_TYPE_DIR)
			return -ENOTDIR;
		place = find_place(node, part.data, part.len, &there);
		if (there && !key.len && node->children[place]->type != type) {
			take_out(node, place);
			there = false;
		}
		if (!there && put_in(node, place, want, part.data, part.len))
			return -ENOMEM;
		node = node->children[place];
	}
	*ret = node;
	return 0;
}

int thaw_mem_remove(struct thaw_mem *mem, struct thaw_key key)
{
	const char *slash = key.len ? memrchr(key.data, '/', key.len) : NULL;
	size_t up = slash ? (size_t)(slash - key.data) : 0;
	const char *name = slash ? slash + 1 : key.data;
	struct thaw_mem_node *dir;
	bool there;
	size_t place;
	int rc = thaw_mem_find(mem, (struct thaw_key){key.data, up}, &dir);

	if (rc)
		return rc;
	if (!key.len || dir->type != THAW_TYPE_DIR)
		return -ENOENT;
	place = find_place(dir, name, (size_t)(key.data + key.len - name), &there);
	if (!there)
		return -ENOENT;
	take_out(dir, place);
	return 0;
}
