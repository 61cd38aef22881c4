/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "conf/conf.h"
#include "fuse/backing.h"
#include "fuse/inode.h"
#include "fuse/room.h"

/* For files read while they arrive.  The kernel's 128 KiB is one request; a
 * page fault at random reads as much around it, so not much more. */
#define READ_AHEAD_KB "1024"

static void widen_read_ahead(dev_t dev)
{
	_cleanup_close_ int fd = -1;
	char path[64];

	(void)snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", major(dev),
		       minor(dev));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, READ_AHEAD_KB, strlen(READ_AHEAD_KB)) < 0)
		thaw_debug("read-ahead stays as it is: %s", thaw_err_name(errno));
}

static const char *why_not(int error)
{
	switch (error) {
	case -EPERM:
		return "it needs root (CAP_SYS_ADMIN)";
	case -ELOOP:
	case -EINVAL:
		return "the kernel cannot do it with the cache's file system (overlay, FUSE): put "
		       "the cache on ext4, xfs or btrfs";
	case -ENOTTY:
	case -EOPNOTSUPP:
		return "the kernel is too old (Linux 6.9 or newer)";
	default:
		return strerrordesc_np(-error);
	}
}

static int decide_passthrough(struct thaw_fuse *fuse, struct thaw_err *err)
{
	const struct thaw_conf *conf = fuse->conf;
	int fd = fuse_session_fd(fuse->session);
	int r;

	if (conf->passthrough == THAW_OFF)
		return 0;
	r = fuse->can_passthrough ? thaw_backing_probe(fd, conf->cache_path) : -EOPNOTSUPP;
	if (r == 0) {
		thaw_inodes_use_passthrough(fuse->inodes, fd);
		return 0;
	}
	if (conf->passthrough == THAW_ON)
		return thaw_err_set(err, r, "passthrough=on: %s; use passthrough=auto", why_not(r));
	thaw_notice("reads go through the daemon, not passthrough: %s", why_not(r));
	return 0;
}

int thaw_fuse_settle(struct thaw_fuse *fuse, struct thaw_err *err)
{
	struct stat st;

	/* The kernel lets this through when INIT was answered, not before. */
	if (stat(fuse->conf->mountpoint, &st) < 0)
		return thaw_err_set(err, -errno, "the mount on %s does not answer: %s",
				    fuse->conf->mountpoint, strerror(errno));
	widen_read_ahead(st.st_dev);
	return decide_passthrough(fuse, err);
}
