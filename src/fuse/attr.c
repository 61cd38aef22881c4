/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/clock.h"
#include "fuse/room.h"

static mode_t type_bits(enum thaw_entry_type type)
{
	switch (type) {
	case THAW_TYPE_DIR:
		return S_IFDIR;
	case THAW_TYPE_SYMLINK:
		return S_IFLNK;
	default:
		return S_IFREG;
	}
}

static struct timespec timespec_of(int64_t ns)
{
	struct timespec ts = {.tv_sec = ns / THAW_NS_PER_S, .tv_nsec = ns % THAW_NS_PER_S};

	if (ts.tv_nsec < 0) {
		ts.tv_sec--;
		ts.tv_nsec += THAW_NS_PER_S;
	}
	return ts;
}

void thaw_attr_fill(uint64_t root, const struct thaw_node *node, struct stat *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->st_ino = thaw_ino_from_node(root, node->id);
	ret->st_mode = type_bits(node->type) | (node->mode & 07777);
	ret->st_nlink = node->nlink ? node->nlink : 1;
	ret->st_uid = node->uid;
	ret->st_gid = node->gid;
	ret->st_size = (off_t)node->size;
	/* As if it were all here: tar -S and cp look for holes by this. */
	ret->st_blocks = (blkcnt_t)(node->size / 512 + (node->size % 512 != 0));
	ret->st_blksize = THAW_BLKSIZE;
	ret->st_mtim = ret->st_atim = timespec_of(node->mtime_ns);
	ret->st_ctim = timespec_of(node->ctime_ns);
}

void thaw_attr_entry(uint64_t root, const struct thaw_node *node, bool lasting,
		     struct fuse_entry_param *ret)
{
	memset(ret, 0, sizeof(*ret));
	thaw_attr_fill(root, node, &ret->attr);
	ret->ino = ret->attr.st_ino;
	ret->generation = 1; /* ids are never used again */
	ret->attr_timeout = ret->entry_timeout = lasting ? THAW_FOREVER : 0;
}
