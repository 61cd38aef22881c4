/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * posix_walk.c - from a key to a descriptor, inside the tree.
 *
 * openat2(2) lets the kernel refuse symbolic links for a whole path at once;
 * before Linux 5.6, or where a container forbids it, the path is taken one
 * component at a time with O_NOFOLLOW.  Both go in pieces, so that a key may be
 * longer than PATH_MAX.  There is no ".." in what the kernel is given.
 */
#include "archive/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "archive/backend.h"
#include "base/cleanup.h"
#include "base/err.h"

/* --- root ------------------------------------------------------------------------------ */

static int root_lost(const struct thaw_posix *px, int errnum, struct thaw_err *err)
{
	int code = thaw_posix_code(errnum);

	if (code == -ENOENT || code == -ENOTDIR || code == -ELOOP)
		code = -EAGAIN;
	return thaw_err_set(err, code, "the archive's directory %s cannot be reached: %s: %s",
			    px->path, strerrordesc_np(errnum), "is its file system mounted?");
}

/* By name every time: an empty directory left behind by an unmount, or another
 * one put in its place, must not pass for the archive. */
int thaw_posix_root(const struct thaw_posix *px, int *ret_fd, struct thaw_err *err)
{
	_cleanup_close_ int fd = open(px->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return root_lost(px, errno, err);
	if (st.st_dev != px->dev || st.st_ino != px->ino)
		return thaw_err_set(err, -EAGAIN, "%s is not the directory that was opened: %s",
				    px->path, "mount its file system, or start this mount again");
	*ret_fd = thaw_steal_fd(&fd);
	return 0;
}

/* --- one step -------------------------------------------------------------------------- */

static int openat2_once(int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

bool thaw_posix_has_openat2(int dir)
{
	_cleanup_close_ int fd = openat2_once(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0;
}

/* ENOTDIR says of a symbolic link what it says of a file: tell them apart. */
static int why_no_dir(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		return -ELOOP;
	return -ENOTDIR;
}

static int open_step(const struct thaw_posix *px, int dir, const char *path, int flags)
{
	int fd;

	if (px->openat2)
		fd = openat2_once(dir, path, flags);
	else
		fd = openat(dir, path, flags);
	if (fd >= 0)
		return fd;
	if (errno == ENOTDIR && !px->openat2)
		return why_no_dir(dir, path);
	return -errno;
}

/* Reading must not leave an access time behind.  Only the owner and root may
 * ask for that; others depend on a mount that is read-only or noatime. */
static int open_end(const struct thaw_posix *px, int dir, const char *path, int flags)
{
	int fd;

	flags |= O_NOFOLLOW | O_CLOEXEC;
	if (flags & O_PATH)
		return open_step(px, dir, path, flags);
	fd = open_step(px, dir, path, flags | O_NOATIME);
	return fd == -EPERM ? open_step(px, dir, path, flags) : fd;
}

/* A directory on the way.  openat2 says ELOOP of a link, but with O_NOFOLLOW
 * only ENOTDIR of one at the end. */
static int open_dir(const struct thaw_posix *px, int dir, const char *path)
{
	int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

	return open_step(px, dir, path, px->openat2 ? flags : flags | O_NOFOLLOW);
}

/* --- walk ------------------------------------------------------------------------------ */

/* How much of the rest goes in one step: whole components, 0: not even one. */
static size_t step_len(const struct thaw_posix *px, const char *rest, size_t len)
{
	const char *slash;

	if (!px->openat2) {
		slash = memchr(rest, '/', len);
		len = slash ? (size_t)(slash - rest) : len;
		return len < PATH_MAX ? len : 0;
	}
	if (len < PATH_MAX)
		return len;
	slash = memrchr(rest, '/', PATH_MAX);
	return slash ? (size_t)(slash - rest) : 0;
}

static int descend(const struct thaw_posix *px, int root, struct thaw_key key, int flags)
{
	_cleanup_close_ int dir = -1;
	char step[PATH_MAX];

	for (size_t at = 0; at < key.len;) {
		size_t len = step_len(px, key.data + at, key.len - at);
		int from = dir < 0 ? root : dir;
		int fd;

		if (!len)
			return -ENAMETOOLONG;
		memcpy(step, key.data + at, len);
		step[len] = '\0';
		at += len + 1;
		if (at > key.len)
			return open_end(px, from, step, flags);
		fd = open_dir(px, from, step);
		if (fd < 0)
			return fd;
		if (dir >= 0)
			(void)close(dir);
		dir = fd;
	}
	return open_end(px, root, ".", flags);
}

static int check_root(const struct thaw_posix *px, struct thaw_err *err)
{
	_cleanup_close_ int fd = -1;

	return thaw_posix_root(px, &fd, err);
}

int thaw_posix_walk(const struct thaw_posix *px, struct thaw_key key, int flags, int *ret_fd,
		    struct thaw_err *err)
{
	_cleanup_close_ int root = -1;
	int fd, rc;

	rc = thaw_posix_root(px, &root, err);
	if (rc)
		return rc;
	/* "a//b" would be found as "a/b": one file must have one key. */
	fd = thaw_archive_key_is_plain(key) ? descend(px, root, key, flags) : -ENOENT;
	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	/* "It is not there" counts only if the root was there all the while. */
	if (thaw_posix_code(-fd) == -ENOENT) {
		rc = check_root(px, err);
		if (rc)
			return rc;
	}
	return thaw_posix_fail(px, key, "open", -fd, err);
}
