/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * posix_get.c - the bytes of one version of a file.
 *
 * The file is looked at before the first byte and after the last.  Both looks
 * must show the version that was asked for, or whoever reads a file while
 * somebody writes it would get a mixture.
 */
#include "archive/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "archive/backend.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"

#define PIECE (UINT64_C(1) << 20)

struct transfer {
	const struct thaw_posix *px;
	struct thaw_key key;
	const struct thaw_tag *tag;
	int fd;
	const struct thaw_call *call;
};

/* It was opened, so that it is not there can no longer be the answer. */
static int fail(const struct transfer *tr, const char *what, int errnum)
{
	int code = thaw_posix_fail(tr->px, tr->key, what, errnum, tr->call->err);

	return code == -ENOENT ? -EAGAIN : code;
}

/* thaw_posix_code() keeps -ESTALE for the contract's meaning. */
static int stale(const struct transfer *tr, const char *why)
{
	char text[THAW_KEY_TEXT];

	return thaw_err_set(tr->call->err, -ESTALE, "%s/%s: %s", tr->px->path,
			    thaw_archive_key_text(text, tr->key), why);
}

/* --- which version --------------------------------------------------------------------- */

static int check_version(const struct transfer *tr, struct stat *ret)
{
	struct thaw_tag now;
	int rc = thaw_posix_look(tr->fd, ret);

	if (rc)
		return fail(tr, "stat", -rc);
	if (!S_ISREG(ret->st_mode))
		return stale(tr, "is no longer a regular file");
	thaw_posix_tag(tr->px, ret, &now);
	if (!thaw_tag_equal(&now, tr->tag))
		return stale(tr, "is not the version that was listed");
	return 0;
}

/* The first look; taken twice of a file that was changed just now. */
static int check_before(const struct transfer *tr, struct stat *ret)
{
	int64_t wait_ns;
	int rc = check_version(tr, ret);

	if (rc)
		return rc;
	wait_ns = thaw_posix_racy_ns(ret, thaw_clock_real_ns());
	if (!wait_ns)
		return 0;
	rc = thaw_archive_sleep(tr->call, wait_ns);
	return rc ? rc : check_version(tr, ret);
}

/* --- opening --------------------------------------------------------------------------- */

/*
 * O_NONBLOCK, or a pipe that stands there now would hold this thread for ever.
 * It is taken back for reading: some HSM file systems answer it with EAGAIN
 * where they would otherwise bring the file from tape.
 */
static int open_file(struct transfer *tr, int *ret_fd)
{
	int rc = thaw_posix_walk(tr->px, tr->key, O_RDONLY | O_NONBLOCK | O_NOCTTY, ret_fd,
				 tr->call->err);

	if (rc == -ELOOP)
		return stale(tr, "a symbolic link stands there now");
	if (rc == -ENOTDIR)
		return -ENOENT;
	if (rc)
		return rc;
	tr->fd = *ret_fd;
	return 0;
}

static int make_blocking(const struct transfer *tr)
{
	int flags = fcntl(tr->fd, F_GETFL);

	if (flags < 0 || fcntl(tr->fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
		return fail(tr, "fcntl", errno);
	return 0;
}

/* --- bytes ----------------------------------------------------------------------------- */

/* Fills all of buf.  Holes come as zeros. */
static int read_piece(const struct transfer *tr, char *buf, size_t len, uint64_t off)
{
	while (len) {
		ssize_t n = pread(tr->fd, buf, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(tr, "read", errno);
		if (n == 0)
			return stale(tr, "became shorter while it was read");
		buf += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int copy(const struct transfer *tr, uint64_t off, uint64_t len, thaw_sink_fn *sink,
		void *ctx)
{
	_cleanup_free_ char *buf = malloc(len < PIECE ? len + !len : PIECE);

	if (!buf)
		return -EAGAIN;
	if (len > PIECE)
		(void)posix_fadvise(tr->fd, (off_t)off, (off_t)len, POSIX_FADV_SEQUENTIAL);
	while (len) {
		size_t piece = len < PIECE ? len : PIECE;
		int rc;

		if (thaw_archive_cancelled(tr->call))
			return -ECANCELED;
		rc = read_piece(tr, buf, piece, off);
		if (!rc)
			rc = sink(ctx, off, buf, piece);
		if (rc)
			return rc;
		off += piece;
		len -= piece;
	}
	return 0;
}

int thaw_posix_get(struct thaw_archive *ar, struct thaw_key key, const struct thaw_tag *tag,
		   uint64_t off, uint64_t len, thaw_sink_fn *sink, void *ctx,
		   const struct thaw_call *call)
{
	struct transfer tr = {.px = thaw_posix_of(ar), .key = key, .tag = tag, .call = call};
	_cleanup_close_ int fd = -1;
	struct stat st;
	int rc;

	rc = open_file(&tr, &fd);
	if (rc)
		return rc;
	rc = check_before(&tr, &st);
	if (rc)
		return rc;
	if (off + len > (uint64_t)st.st_size)
		return thaw_err_set(call->err, -EIO, "%s: a range past the end was asked for",
				    tr.px->path);
	rc = make_blocking(&tr);
	if (!rc)
		rc = copy(&tr, off, len, sink, ctx);
	return rc ? rc : check_version(&tr, &st);
}
