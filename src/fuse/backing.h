/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * backing.h - telling the kernel which file to read itself (passthrough).
 *
 * A registration belongs to the connection and holds the file open in the
 * kernel until it is closed; it does not need the descriptor it was made
 * from.  Needs CAP_SYS_ADMIN.  fuse_fd: any descriptor of the connection.
 */
#ifndef THAW_FUSE_BACKING_H
#define THAW_FUSE_BACKING_H

/* The id (> 0) or -errno: -EPERM not root or not negotiated, -ELOOP or
 * -EINVAL a file system that cannot be read this way (overlay, another FUSE). */
int thaw_backing_open(int fuse_fd, int fd);
void thaw_backing_close(int fuse_fd, int id);
/* 0 when a file in `dir` can be registered. */
int thaw_backing_probe(int fuse_fd, const char *dir);

#endif
