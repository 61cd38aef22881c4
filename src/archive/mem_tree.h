/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mem_tree.h - the tree of an archive in memory, between its own files.
 *
 *   mem_tree.c  nodes and contents
 *   mem.c       the table of functions
 *   mem_get.c   transfers
 *   mem_edit.c  what tests do to it
 *
 * All of it is guarded by the archive's lock, which the caller of any function
 * here but the last two holds.  The bytes of a content never change: a transfer
 * keeps a reference to the one it began with and reads it without the lock.
 */
#ifndef THAW_ARCHIVE_MEM_TREE_H
#define THAW_ARCHIVE_MEM_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/archive.h"
#include "archive/mem.h"
#include "base/mutex.h"

/* One version of a file's bytes; hard links share it. */
struct thaw_mem_content {
	unsigned refs;
	uint8_t *data; /* NULL: computed from the seed */
	uint64_t size, seed;
	uint64_t link_id;
	struct thaw_tag tag;
	enum thaw_avail avail;
	uint64_t online_at; /* the tick that ends the recall */
};

struct thaw_mem_node {
	char *name; /* with a NUL behind; "" of the root */
	size_t name_len;
	enum thaw_entry_type type;
	uint32_t mode, uid, gid;
	int64_t mtime_ns, ctime_ns;
	const char *storage_class; /* borrowed */
	char *target;              /* symbolic links */

	struct thaw_mem_content *content; /* files; owns a reference */
	uint64_t gets, recalls;
	int fail_code;
	unsigned fail_times;

	struct thaw_mem_node **children; /* directories; owned, by name */
	size_t child_count, child_room;
};

struct thaw_mem {
	struct thaw_archive base;
	struct thaw_mutex lock;   /* THAW_RANK_ARCHIVE, for all below */
	struct thaw_cond changed; /* hold, held */
	struct thaw_mem_node *root;
	uint64_t last_tag, last_link;
	uint64_t tick;
	unsigned recall_ticks;
	int down;
	size_t piece;
	bool hold;
	uint64_t hold_after;
	unsigned held;
	struct thaw_mem_counts counts;
};

static inline struct thaw_mem *thaw_mem_of(struct thaw_archive *ar)
{
	return (struct thaw_mem *)ar;
}

/* A node that stands nowhere yet; NULL on OOM. */
struct thaw_mem_node *thaw_mem_node_new(enum thaw_entry_type type, const char *name, size_t len);
/* With all below it. */
struct thaw_mem_node *thaw_mem_node_free(struct thaw_mem_node *node);

/* -ENOENT, -ENOTDIR. */
int thaw_mem_find(const struct thaw_mem *mem, struct thaw_key key, struct thaw_mem_node **ret);
/* Likewise, and -ENOENT of what is no file. */
int thaw_mem_find_file(const struct thaw_mem *mem, struct thaw_key key, struct thaw_mem_node **ret);
/* The node of this type at `key`, made with the directories above it when it is
 * not there, and in the place of another type when it is. */
int thaw_mem_make(struct thaw_mem *mem, struct thaw_key key, enum thaw_entry_type type,
		  struct thaw_mem_node **ret);
int thaw_mem_remove(struct thaw_mem *mem, struct thaw_key key);

/* Online, with a tag of its own; takes over data, also on failure. */
struct thaw_mem_content *thaw_mem_content_new(struct thaw_mem *mem, uint8_t *data, uint64_t size,
					      uint64_t seed);
struct thaw_mem_content *thaw_mem_content_unref(struct thaw_mem_content *content);
/* Takes over the reference. */
void thaw_mem_set_content(struct thaw_mem_node *node, struct thaw_mem_content *content);

/* --- without the lock --- */

/* The text for a code; returns it. */
int thaw_mem_fail(const struct thaw_call *call, struct thaw_key key, int code);
int thaw_mem_get(struct thaw_archive *ar, struct thaw_key key, const struct thaw_tag *tag,
		 uint64_t off, uint64_t len, thaw_sink_fn *sink, void *ctx,
		 const struct thaw_call *call);

#endif
