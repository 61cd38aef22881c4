/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inode.h - how each file is open: the table that makes warm opens cheap and
 * keeps the kernel's rules.
 *
 * The kernel reads an inode either itself (passthrough, from one registered
 * backing file) or through its page cache with READs to us (cached), never
 * both at a time: an open that breaks this fails with EIO.  So the mode is
 * decided here, once per inode, and holds until the last handle is closed:
 *
 *   mode         pass  cached  backing id  obj      the next open
 *   IDLE         0     0       any         or NULL  whole: passthrough if it can be had;
 *                                                   else cached
 *   REGISTERING  0     0       none        set      waits until it is one of the others
 *   PASSTHROUGH  > 0   0       set         set      passthrough, same id
 *   CACHED       0     > 0     none        set      cached, also when whole by now
 *
 * Handles are counted when the answer is sent; an answer the kernel did not
 * take is uncounted by thaw_inodes_close, as RELEASE is: the kernel leaves
 * its own mode before it sends RELEASE, so at zero we may change ours.
 *
 * An IDLE entry keeps its object (a reference, not a use) and its backing id,
 * so that the next open is one look-up here and a reply.  Of these a bounded
 * number stays, by second chance.  What leaves the cache is dropped
 * at once.  A backing id is closed only when no handle is open: until then an
 * answer that names it may be under way.
 */
#ifndef THAW_FUSE_INODE_H
#define THAW_FUSE_INODE_H

#include <stdbool.h>
#include <stdint.h>

#define THAW_INODES_KEPT 65536 /* a good number */

struct thaw_inode;
struct thaw_inodes;
struct thaw_obj;
struct thaw_stage;

/* One open handle, to be answered to the kernel. */
struct thaw_opened {
	struct thaw_inode *inode;
	bool passthrough;
	int backing_id;  /* of passthrough */
	bool keep_pages; /* what the kernel has cached of it is right (cached opens) */
};

/* kept: most idle entries; each may hold a descriptor open. */
struct thaw_inodes *thaw_inodes_new(struct thaw_stage *stage, unsigned kept);
/* No handle may be open any more as far as we are concerned: uses are closed. */
struct thaw_inodes *thaw_inodes_free(struct thaw_inodes *inodes);
/* From now on whole files are opened in passthrough, over this connection. */
void thaw_inodes_use_passthrough(struct thaw_inodes *inodes, int fuse_fd);

/* The warm path: true when the node is known here, its object could be used
 * and the mode needs no registration.  Takes no call into the engine but
 * thaw_obj_try_use, which is lock-free. */
bool thaw_inodes_try_open(struct thaw_inodes *inodes, uint64_t node, struct thaw_opened *ret);
/* Any other open.  Takes over the use of obj; on failure gives it back with
 * thaw_stage_close.  -ENOMEM; -EIO: handles of a transfer that failed are open. */
int thaw_inodes_open(struct thaw_inodes *inodes, uint64_t node, struct thaw_obj *obj,
		     struct thaw_opened *ret);
/* Ends a handle and its use of the object. */
void thaw_inodes_close(struct thaw_inodes *inodes, struct thaw_opened opened);
/* While a handle is open: what it reads.  Borrowed. */
struct thaw_obj *thaw_inode_obj(const struct thaw_inode *inode);

/* The staged copy goes: forget what was kept for quick opens. */
void thaw_inodes_leaving(struct thaw_inodes *inodes, uint64_t node);

#endif
