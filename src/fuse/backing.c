/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"

/* linux/fuse.h of Debian 12 has neither. */
struct backing_map {
	int32_t fd;
	uint32_t flags;
	uint64_t padding;
};
#define BACKING_OPEN  _IOW(229, 1, struct backing_map)
#define BACKING_CLOSE _IOW(229, 2, uint32_t)

int thaw_backing_open(int fuse_fd, int fd)
{
	struct backing_map map = {.fd = fd};
	int id = ioctl(fuse_fd, BACKING_OPEN, &map);

	if (id < 0)
		return -errno;
	return id > 0 ? id : -EINVAL;
}

void thaw_backing_close(int fuse_fd, int id)
{
	uint32_t arg = (uint32_t)id;

	(void)ioctl(fuse_fd, BACKING_CLOSE, &arg);
}

int thaw_backing_probe(int fuse_fd, const char *dir)
{
	_cleanup_close_ int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int id;

	if (fd < 0)
		return -errno;
	id = thaw_backing_open(fuse_fd, fd);
	if (id < 0)
		return id;
	thaw_backing_close(fuse_fd, id);
	return 0;
}
