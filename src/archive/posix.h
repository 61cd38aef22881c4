/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * posix.h - the directory backend, between its own files.
 *
 * A key is a path below the root.  It is walked from a descriptor of the root
 * without ever following a symbolic link, so nothing outside the tree can be
 * reached whatever is moved about meanwhile.  Nothing is opened for writing.
 *
 *   posix.c       configuration, stat(), errors
 *   posix_walk.c  from a key to a descriptor
 *   posix_tag.c   from a struct stat to an entry and a tag
 *   posix_list.c  list()
 *   posix_get.c   get()
 *
 * Thread-safe: all of the struct is const after open.
 */
#ifndef THAW_ARCHIVE_POSIX_H
#define THAW_ARCHIVE_POSIX_H

#include <stdbool.h>
#include <sys/stat.h>

#include "archive/archive.h"

struct thaw_posix {
	struct thaw_archive base;
	char *path;
	/* The root as it was at open.  `hold` keeps its file system mounted (an
	 * automounter would take it away, and give it another st_dev later). */
	int hold;
	dev_t dev;
	ino_t ino;
	bool mtime_only; /* version = mtime */
	bool openat2;    /* the kernel has it and lets us */
};

static inline const struct thaw_posix *thaw_posix_of(const struct thaw_archive *ar)
{
	return (const struct thaw_posix *)ar;
}

/* --- posix.c --- */

/* The contract's code for an errno of the file system below.  -ENOTDIR and
 * -ELOOP stay: what they mean depends on the question. */
int thaw_posix_code(int errnum);
/* Writes "PATH/KEY: what: error" and returns thaw_posix_code(errnum). */
int thaw_posix_fail(const struct thaw_posix *px, struct thaw_key key, const char *what, int errnum,
		    struct thaw_err *err);

/* --- posix_walk.c --- */

/* A descriptor (O_PATH) of the root, when it still is the directory that was
 * opened.  Never -ENOENT: a root that is not there says nothing of its files. */
int thaw_posix_root(const struct thaw_posix *px, int *ret_fd, struct thaw_err *err);
/* Opens what `key` names; flags as for open(2), O_CLOEXEC and O_NOFOLLOW are
 * added, and O_NOATIME where the kernel lets us.  Codes as thaw_posix_code;
 * -ELOOP: a symbolic link is in the way or at the end. */
int thaw_posix_walk(const struct thaw_posix *px, struct thaw_key key, int flags, int *ret_fd,
		    struct thaw_err *err);
bool thaw_posix_has_openat2(int dir);

/* --- posix_tag.c --- */

/* What the file is now, asked of the server and not of a cache.  -errno. */
int thaw_posix_look(int fd, struct stat *ret);
void thaw_posix_tag(const struct thaw_posix *px, const struct stat *st, struct thaw_tag *ret);
/* Fills all but name and target.  False: of a type that archives do not show. */
bool thaw_posix_entry(const struct thaw_posix *px, const struct stat *st, struct thaw_entry *ret);
/* How long to wait until a later change must show in the times of `st`, when
 * it is `now_ns` (CLOCK_REALTIME).  0: it would show already. */
int64_t thaw_posix_racy_ns(const struct stat *st, int64_t now_ns);

/* --- posix_list.c, posix_get.c --- */

int thaw_posix_list(struct thaw_archive *ar, struct thaw_key dir, thaw_entry_fn *fn, void *ctx,
		    const struct thaw_call *call);
int thaw_posix_get(struct thaw_archive *ar, struct thaw_key key, const struct thaw_tag *tag,
		   uint64_t off, uint64_t len, thaw_sink_fn *sink, void *ctx,
		   const struct thaw_call *call);

#endif
