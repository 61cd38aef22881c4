/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What stands at a mountpoint already.
 */
#include <errno.h>
#include <mntent.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "fuse/fuse.h"
#include "fuse/room.h"

#define FS_TYPE "fuse.thawfs"

extern char **environ;

/* The topmost mount at `path`, which has no symbolic links: is it ours? */
static bool is_ours(const char *path)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char text[8192];
	struct mntent entry;
	bool ours = false;

	if (!mounts)
		return false;
	while (getmntent_r(mounts, &entry, text, sizeof(text))) {
		if (strcmp(entry.mnt_dir, path) == 0)
			ours = strcmp(entry.mnt_type, FS_TYPE) == 0;
	}
	(void)endmntent(mounts);
	return ours;
}

/* Without root only fusermount3 may. */
static int fusermount_lazily(char *path)
{
	char program[] = "fusermount3", unmount[] = "-u", lazy[] = "-z", quiet[] = "-q";
	char dashes[] = "--";
	char *const argv[] = {program, unmount, lazy, quiet, dashes, path, NULL};
	pid_t pid;
	int status;
	int r = posix_spawnp(&pid, program, NULL, NULL, argv, environ);

	if (r != 0)
		return -r;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

static int take_away(char *path)
{
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	return errno == EPERM ? fusermount_lazily(path) : -errno;
}

static int check_directory(const char *path, struct thaw_err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return thaw_err_set(err, -errno, "mountpoint %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return thaw_err_set(err, -ENOTDIR, "mountpoint %s is not a directory", path);
	return 0;
}

/* It was dead already, died while we asked, or did so over io_uring. */
static bool is_of_the_dead(int error)
{
	return error == ENOTCONN || error == ECONNABORTED || error == ECANCELED;
}

static bool is_dead(const char *path)
{
	struct stat st;

	/* Asking a living one waits for it, which is as good an answer. */
	return stat(path, &st) < 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

void thaw_mountpoint_clear(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);

	if (copy && is_ours(copy) && is_dead(copy))
		(void)take_away(copy);
}

int thaw_fuse_check_mountpoint(const char *path, bool *ret_stale, struct thaw_err *err)
{
	/* Unlike thaw_path_resolve, it does not stat what it finds: a dead mount
	 * would answer ENOTCONN. */
	_cleanup_free_ char *real = realpath(path, NULL);
	struct statvfs st;
	int r;

	*ret_stale = false;
	if (!real)
		return thaw_err_set(err, -errno, "mountpoint %s: %s", path, strerror(errno));
	if (!is_ours(real))
		return check_directory(real, err);
	/* Of a dead mount the kernel still knows the attributes, so stat(2) will not
	 * do.  A living one is waited for, which is as good an answer. */
	if (statvfs(real, &st) == 0 || !is_of_the_dead(errno))
		return thaw_err_set(err, -EBUSY, "thawfs is already mounted on %s", real);
	r = take_away(real);
	if (r < 0)
		return thaw_err_set(err, r,
				    "%s holds the mount of a thawfs that was killed and it cannot "
				    "be taken away (%s): run umount -l on it",
				    real, thaw_err_name(-r));
	*ret_stale = true;
	return check_directory(real, err);
}
