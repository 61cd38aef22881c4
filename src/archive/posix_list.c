/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * posix_list.c - the names of one directory.
 *
 * getdents64(2) itself: readdir(3) turns the ENOENT of a directory that was
 * removed meanwhile into its end, and so an unknown rest into an empty one.
 */
#include "archive/posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/backend.h"
#include "base/cleanup.h"
#include "base/err.h"

#define DENTS_ROOM  65536
#define TARGET_ROOM 256 /* of a symbolic link, at first */
#define TRIES       8   /* at an entry that changes as fast as it is looked at */

struct listing {
	const struct thaw_posix *px;
	struct thaw_key dir;
	int fd;
	thaw_entry_fn *fn;
	void *ctx;
	const struct thaw_call *call;
};

/* --- one entry ------------------------------------------------------------------------- */

/* A listing that leaves out what it could not look at would make it vanish. */
static int fail_entry(const struct listing *ls, const char *name, int errnum)
{
	char dir[THAW_KEY_TEXT], text[THAW_KEY_TEXT];
	int code = thaw_posix_code(errnum);

	if (code == -ENOTDIR || code == -ELOOP)
		code = -EIO;
	return thaw_err_set(ls->call->err, code, "\"%s\" in %s%s%s: %s",
			    thaw_archive_key_text(text, (struct thaw_key){name, strlen(name)}),
			    ls->px->path, ls->dir.len ? "/" : "",
			    thaw_archive_key_text(dir, ls->dir), strerrordesc_np(errnum));
}

/* The text of a symbolic link, however long; st_size is no help (0 in /proc). */
static int read_link(int dir, const char *name, char **ret, size_t *ret_len)
{
	for (size_t room = TARGET_ROOM;; room *= 2) {
		char *text = malloc(room);
		ssize_t n;

		if (!text)
			return -ENOMEM;
		n = readlinkat(dir, name, text, room);
		if (n >= 0 && (size_t)n < room) {
			*ret = text;
			*ret_len = (size_t)n;
			return 0;
		}
		n = n < 0 ? -errno : 0;
		free(text);
		if (n)
			return (int)n;
	}
}

/* One look at an entry: 1: tell of it, 0: not there or not shown. */
static int look_at(const struct listing *ls, const char *name, struct thaw_entry *ret,
		   char **ret_target)
{
	struct stat st;

	if (fstatat(ls->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!thaw_posix_entry(ls->px, &st, ret))
		return 0;
	if (ret->type == THAW_TYPE_SYMLINK) {
		int rc = read_link(ls->fd, name, ret_target, &ret->target_len);

		if (rc)
			return rc;
		ret->target = *ret_target;
	}
	return 1;
}

static int list_entry(const struct listing *ls, const char *name)
{
	_cleanup_free_ char *target = NULL;
	struct thaw_entry entry;
	int rc;

	/* ENOENT and EINVAL: it was a link at the first look and is none now. */
	for (int try = 0; try < TRIES; try++) {
		rc = look_at(ls, name, &entry, &target);
		if (rc != -ENOENT && rc != -EINVAL)
			break;
	}
	if (rc < 0)
		return fail_entry(ls, name, rc == -ENOENT || rc == -EINVAL ? EAGAIN : -rc);
	if (rc == 0)
		return 0;
	entry.name = name;
	entry.name_len = strlen(name);
	return ls->fn(ls->ctx, &entry);
}

/* --- all of them ----------------------------------------------------------------------- */

static bool is_shown(const struct dirent64 *d)
{
	const char *name = d->d_name;

	if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
		return false;
	return d->d_type != DT_FIFO && d->d_type != DT_SOCK && d->d_type != DT_CHR &&
	       d->d_type != DT_BLK;
}

static int list_some(const struct listing *ls, const char *dents, size_t len)
{
	for (size_t at = 0; at < len;) {
		const struct dirent64 *d = (const void *)(dents + at);
		int rc = 0;

		at += d->d_reclen;
		if (thaw_archive_cancelled(ls->call))
			return -ECANCELED;
		if (is_shown(d))
			rc = list_entry(ls, d->d_name);
		if (rc)
			return rc;
	}
	return 0;
}

/* The directory went away while it was read: if it was the root, or the root
 * went with it, nothing is known. */
static int vanished(const struct listing *ls)
{
	_cleanup_close_ int root = -1;
	int rc = thaw_posix_root(ls->px, &root, ls->call->err);

	if (rc)
		return rc;
	if (!ls->dir.len)
		return thaw_err_set(ls->call->err, -EAGAIN, "%s changed while it was listed",
				    ls->px->path);
	return thaw_posix_fail(ls->px, ls->dir, "list", ENOENT, ls->call->err);
}

static int list_all(const struct listing *ls)
{
	_cleanup_free_ char *dents = malloc(DENTS_ROOM);
	ssize_t n;
	int rc;

	if (!dents)
		return -EAGAIN;
	while ((n = getdents64(ls->fd, dents, DENTS_ROOM)) > 0) {
		rc = list_some(ls, dents, (size_t)n);
		if (rc)
			return rc;
	}
	if (n == 0)
		return 0;
	if (errno == ENOENT)
		return vanished(ls);
	return thaw_posix_fail(ls->px, ls->dir, "list", errno, ls->call->err);
}

int thaw_posix_list(struct thaw_archive *ar, struct thaw_key dir, thaw_entry_fn *fn, void *ctx,
		    const struct thaw_call *call)
{
	struct listing ls = {
		.px = thaw_posix_of(ar), .dir = dir, .fn = fn, .ctx = ctx, .call = call};
	_cleanup_close_ int fd = -1;
	int rc;

	rc = thaw_posix_walk(ls.px, dir, O_RDONLY | O_DIRECTORY, &fd, call->err);
	if (rc)
		return rc == -ELOOP ? -ENOTDIR : rc;
	ls.fd = fd;
	return list_all(&ls);
}
