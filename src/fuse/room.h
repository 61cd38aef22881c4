/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * room.h - what the files of this room share: the mount, node ids, and the
 * handlers that ops.c puts into libfuse's table.
 *
 * Every handler answers its request exactly once, or parks it (park.h).
 */
#ifndef THAW_FUSE_ROOM_H
#define THAW_FUSE_ROOM_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "catalog/tree.h"
#include "fuse/lib.h"
#include "fuse/phase.h"

/* Seconds.  The kernel cuts it to what it can count. */
#define THAW_FOREVER 1e9
/* For stat.st_blksize.  At least what cp(1) and tar(1) like, and no more,
 * because Python's buffered files read a whole block for every small read at a
 * random place. */
#define THAW_BLKSIZE (128 * 1024)
/* Longest READ, and the size of an io_uring entry. */
#define THAW_MAX_IO       (1024 * 1024)
#define THAW_MAX_IO_URING (128 * 1024)

struct thaw_conf;
struct thaw_inodes;
struct thaw_notifier;
struct thaw_park;
struct thaw_stage;
struct thaw_told;

struct thaw_fuse {
	/* const once started */
	struct thaw_stage *stage;
	const struct thaw_conf *conf;
	struct fuse_session *session;
	uint64_t root; /* node id */
	bool uring;
	unsigned uring_depth;
	atomic_bool can_passthrough; /* by init: the kernel agreed */
	bool mounted;
	int over_fd; /* eventfd: the loop ended */
	struct thaw_told *told;
	struct thaw_inodes *inodes;
	struct thaw_park *park;
	struct thaw_notifier *notifier;
	pthread_t loop;
	bool looping;
	sem_t finish; /* posted by whatever ends the loop of io_uring */

	struct thaw_phase phase;
};

static inline struct thaw_fuse *thaw_fuse_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* The kernel's root is 1; node ids begin at 1 and the root may have any. */
static inline fuse_ino_t thaw_ino_from_node(uint64_t root, uint64_t node)
{
	return node == root ? FUSE_ROOT_ID : node + 1;
}

static inline uint64_t thaw_node_from_ino(uint64_t root, fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? root : ino - 1;
}

/* attr.c */
void thaw_attr_fill(uint64_t root, const struct thaw_node *node, struct stat *ret);
void thaw_attr_entry(uint64_t root, const struct thaw_node *node, bool lasting,
		     struct fuse_entry_param *ret);

/* stat.c */
void thaw_stat_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void thaw_stat_readlink(fuse_req_t req, fuse_ino_t ino);
void thaw_stat_statfs(fuse_req_t req, fuse_ino_t ino);

/* lookup.c */
void thaw_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
/* Reads the node's parent: the root for one without. */
int thaw_lookup_parent(struct thaw_fuse *fuse, uint64_t node, struct thaw_node *ret);

/* dir.c */
void thaw_dir_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void thaw_dir_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		      struct fuse_file_info *fi);
void thaw_dir_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			  struct fuse_file_info *fi);
void thaw_dir_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* file.c */
void thaw_file_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void thaw_file_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);

/* read.c */
void thaw_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);

/* xattr.c */
void thaw_xattr_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void thaw_xattr_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void thaw_xattr_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
			 size_t size, int flags);
void thaw_xattr_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);

/* ops.c */
extern const struct fuse_lowlevel_ops thaw_fuse_ops;
/* For an error the kernel or a program should see: -ESHUTDOWN becomes -EIO. */
void thaw_fuse_error(fuse_req_t req, int error);

/* init.c */
void thaw_init(void *userdata, struct fuse_conn_info *conn);

/* mountpoint.c */
/* Takes away what an aborted connection left; libfuse believes it is gone. */
void thaw_mountpoint_clear(const char *path);

/* loop.c */
int thaw_loop_start(struct thaw_fuse *fuse);
void thaw_loop_stop(struct thaw_fuse *fuse);

#endif
