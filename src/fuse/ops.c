/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of operations.  Those left out are answered ENOSYS by libfuse,
 * once: the kernel then does without (flush, fsync, lseek, access, locks,
 * ioctl, poll) or has nothing to call them on (write, fallocate,
 * copy_file_range need a file opened for writing).  FORGET needs nothing:
 * node ids are the catalog's.
 */
#include <errno.h>

#include "fuse/room.h"
#include "metrics/metrics.h"

void thaw_fuse_error(fuse_req_t req, int error)
{
	(void)fuse_reply_err(req, error == -ESHUTDOWN ? EIO : -error);
}

/* An archive is never written to. */
static void refuse(fuse_req_t req)
{
	thaw_metrics_add(THAW_M_FUSE_REQUESTS, 1);
	(void)fuse_reply_err(req, EROFS);
}

static void no_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *fi)
{
	(void)ino, (void)attr, (void)to_set, (void)fi;
	refuse(req);
}

static void no_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	(void)parent, (void)name, (void)mode, (void)fi;
	refuse(req);
}

static void no_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	(void)parent, (void)name, (void)mode, (void)rdev;
	refuse(req);
}

static void no_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)parent, (void)name, (void)mode;
	refuse(req);
}

static void no_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)parent, (void)name;
	refuse(req);
}

static void no_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
		      const char *newname, unsigned int flags)
{
	(void)parent, (void)name, (void)newparent, (void)newname, (void)flags;
	refuse(req);
}

static void no_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	(void)link, (void)parent, (void)name;
	refuse(req);
}

static void no_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname)
{
	(void)ino, (void)newparent, (void)newname;
	refuse(req);
}

static void no_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	(void)ino, (void)buf, (void)size, (void)off, (void)fi;
	refuse(req);
}

static void no_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
			 struct fuse_file_info *fi)
{
	(void)ino, (void)mode, (void)offset, (void)length, (void)fi;
	refuse(req);
}

const struct fuse_lowlevel_ops thaw_fuse_ops = {
	.init = thaw_init,
	.lookup = thaw_lookup,
	.getattr = thaw_stat_getattr,
	.readlink = thaw_stat_readlink,
	.statfs = thaw_stat_statfs,
	.opendir = thaw_dir_opendir,
	.readdir = thaw_dir_readdir,
	.readdirplus = thaw_dir_readdirplus,
	.releasedir = thaw_dir_releasedir,
	.open = thaw_file_open,
	.read = thaw_read,
	.release = thaw_file_release,
	.getxattr = thaw_xattr_getxattr,
	.listxattr = thaw_xattr_listxattr,
	.setxattr = thaw_xattr_setxattr,
	.removexattr = thaw_xattr_removexattr,
	.setattr = no_setattr,
	.create = no_create,
	.mknod = no_mknod,
	.mkdir = no_mkdir,
	.unlink = no_unlink,
	.rmdir = no_unlink,
	.rename = no_rename,
	.symlink = no_symlink,
	.link = no_link,
	.write = no_write,
	.fallocate = no_fallocate,
};
