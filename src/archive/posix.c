/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "archive/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "archive/backend.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "conf/conf.h"

/* --- errors ---------------------------------------------------------------------------- */

int thaw_posix_code(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENAMETOOLONG: /* no name that long can be there */
		return -ENOENT;
	case ENOTDIR:
	case ELOOP:
		return -errnum;
	case EACCES:
	case EPERM:
		return -EACCES;
	/* An NFS handle the server no longer knows: asked by name again it may
	 * work.  The contract's own -ESTALE means another thing. */
	case ESTALE:
	case EAGAIN:
	case EBUSY:
	case EINTR:
	case ETXTBSY:
	case ENODATA: /* Lustre: a restore was begun */
	/* servers that are away */
	case ETIMEDOUT:
	case ENOTCONN:
	case ECONNREFUSED:
	case ECONNRESET:
	case ECONNABORTED:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENETDOWN:
	case ENETUNREACH:
	case ESHUTDOWN:
	case ENOLINK:
	/* want of something on this side */
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		return -EAGAIN;
	default:
		return -EIO;
	}
}

int thaw_posix_fail(const struct thaw_posix *px, struct thaw_key key, const char *what, int errnum,
		    struct thaw_err *err)
{
	char text[THAW_KEY_TEXT];

	return thaw_err_set(err, thaw_posix_code(errnum), "%s%s%s: %s: %s", px->path,
			    key.len ? "/" : "", thaw_archive_key_text(text, key), what,
			    strerrordesc_np(errnum));
}

/* --- life ------------------------------------------------------------------------------ */

static void close_posix(struct thaw_archive *ar)
{
	struct thaw_posix *px = (struct thaw_posix *)ar;

	if (!px)
		return;
	if (px->hold >= 0)
		(void)close(px->hold);
	free(px->path);
	free(px);
}

static int read_version(struct thaw_posix *px, const struct thaw_conf_archive *conf,
			struct thaw_err *err)
{
	const char *version = thaw_conf_archive_get(conf, "version");

	if (!version || strcmp(version, "ctime") == 0)
		return 0;
	if (strcmp(version, "mtime") != 0)
		return thaw_archive_bad_value(conf, "version", "use ctime or mtime", err);
	px->mtime_only = true;
	return 0;
}

static int read_path(struct thaw_posix *px, const struct thaw_conf_archive *conf,
		     struct thaw_err *err)
{
	const char *path = thaw_conf_archive_get(conf, "path");

	if (!path || path[0] != '/')
		return thaw_archive_bad_value(conf, "path", "give a directory, from the root", err);
	px->path = strdup(path);
	return px->path ? 0 : -ENOMEM;
}

static int read_conf(struct thaw_posix *px, const struct thaw_conf_archive *conf,
		     struct thaw_err *err)
{
	static const char *const known[] = {"path", "version", NULL};
	int rc = thaw_archive_check_keys(conf, known, err);

	if (!rc)
		rc = read_version(px, conf, err);
	if (!rc)
		rc = read_path(px, conf, err);
	return rc;
}

/* The root must be there and readable now, so that a wrong path shows when the
 * mount starts and not at the first read. */
static int find_root(struct thaw_posix *px, const char *name, struct thaw_err *err)
{
	struct stat st;
	_cleanup_close_ int readable = -1;

	px->hold = open(px->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (px->hold < 0)
		goto fail;
	readable = openat(px->hold, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (readable < 0 || fstat(readable, &st) < 0)
		goto fail;
	px->dev = st.st_dev;
	px->ino = st.st_ino;
	px->openat2 = thaw_posix_has_openat2(px->hold);
	return 0;
fail:
	return thaw_err_set(err, errno == EACCES ? -EACCES : -EIO,
			    "archive %s: path = %s: %s: is its file system mounted?", name,
			    px->path, strerrordesc_np(errno));
}

static int open_posix(const struct thaw_conf_archive *conf, struct thaw_archive **ret,
		      struct thaw_err *err)
{
	struct thaw_posix *px = calloc(1, sizeof(*px));
	int rc;

	if (!px)
		return -ENOMEM;
	px->base.ops = &thaw_archive_posix;
	px->hold = -1;
	rc = read_conf(px, conf, err);
	if (!rc)
		rc = find_root(px, conf->name, err);
	if (rc) {
		close_posix(&px->base);
		return rc;
	}
	*ret = &px->base;
	return 0;
}

/* --- stat ------------------------------------------------------------------------------ */

static int stat_posix(struct thaw_archive *ar, struct thaw_key key, struct thaw_entry *ret,
		      const struct thaw_call *call)
{
	const struct thaw_posix *px = thaw_posix_of(ar);
	_cleanup_close_ int fd = -1;
	struct stat st;
	int rc;

	rc = thaw_posix_walk(px, key, O_PATH, &fd, call->err);
	if (rc == -ENOTDIR || rc == -ELOOP)
		return -ENOENT; /* what it was a part of is no directory now */
	if (rc)
		return rc;
	rc = thaw_posix_look(fd, &st);
	if (rc) {
		rc = thaw_posix_fail(px, key, "stat", -rc, call->err);
		return rc == -ENOENT ? -EAGAIN : rc; /* it was there to be opened */
	}
	if (!thaw_posix_entry(px, &st, ret))
		return thaw_err_set(call->err, -ENOENT, "%s: %s", px->path,
				    "not a file, directory or symbolic link");
	return 0;
}

const struct thaw_archive_ops thaw_archive_posix = {
	.type = "posix",
	.version = THAW_ARCHIVE_VERSION,
	.open = open_posix,
	.list = thaw_posix_list,
	.stat = stat_posix,
	.get = thaw_posix_get,
	.close = close_posix,
};
