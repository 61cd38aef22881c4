/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * archive.h - what a store of archived objects must be able to do.
 *
 * The one header a backend author needs.  A backend is a table of functions
 * over its own `struct thaw_archive` (embed `base` first).  The rest of the
 * program calls them through the thaw_archive_...() wrappers in
 * src/archive/archive.h, which check arguments, count the delivered bytes and
 * bound how many run at once; no backend is trusted to notice a cut transfer.
 *
 * No function writes to the archive, whatever it is asked: no create, change,
 * delete, truncate, lock or time stamp.  (recall() may ask a store to bring
 * bytes online.)
 *
 * Threads: open() and close() are called once, by one thread; all others from
 * many threads at once.  A call may block for as long as the store needs, but
 * returns soon after `cancel` of its call turned non-zero.
 *
 * Keys are bytes, not text: any but NUL, with a length; '/' divides them into
 * directories.  "" is the root.  Never begins or ends with '/'.
 *
 * Errors are -errno:
 *   -ENOENT     the store answered: there is no such object
 *   -ESTALE     there is, but it is not the version that was asked for
 *   -EAGAIN     not now; may work if tried again
 *   -EINPROGRESS the object is not online; a recall is needed or running
 *   -EACCES     the store refuses these credentials
 *   -ECANCELED  `cancel` was set
 *   -EIO        anything else that will not mend itself
 * A store that cannot be reached is -EAGAIN or -EIO, never -ENOENT: unknown
 * is not absent.
 */
#ifndef THAW_ARCHIVE_H
#define THAW_ARCHIVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THAW_ARCHIVE_VERSION 1

struct thaw_archive;
struct thaw_conf_archive;
struct thaw_err;

struct thaw_key {
	const char *data;
	size_t len;
};

/* Names one version of an object's content: equal tags, equal bytes.  Opaque
 * bytes from the backend (posix: size, times and inode; S3: the ETag). */
#define THAW_TAG_MAX 64
struct thaw_tag {
	uint8_t len;
	uint8_t data[THAW_TAG_MAX];
};

enum thaw_entry_type { THAW_TYPE_FILE = 1, THAW_TYPE_DIR, THAW_TYPE_SYMLINK };

enum thaw_avail {
	THAW_AVAIL_ONLINE,   /* get() would work now */
	THAW_AVAIL_OFFLINE,  /* needs recall() */
	THAW_AVAIL_RECALLING,
	THAW_AVAIL_LOST,     /* the store says it is gone */
};

struct thaw_entry {
	const char *name; /* list(): last part of the key; stat(): NULL.  Any byte but '/' and NUL */
	size_t name_len;
	enum thaw_entry_type type;
	uint32_t mode; /* permission bits only */
	uint32_t uid, gid;
	uint64_t size;
	int64_t mtime_ns, ctime_ns;
	const char *target; /* list(): text of a symbolic link; stat(): NULL */
	size_t target_len;
	/* Several names of one file share a link_id other than 0 (hard links). */
	uint64_t link_id;
	struct thaw_tag tag; /* files only */
	enum thaw_avail avail;
	const char *storage_class; /* NULL: none known; stat(): lives as long as the archive */
};

/* All pointers in the entry live as long as the call.  Other than 0 stops the
 * listing, which then returns that value. */
typedef int thaw_entry_fn(void *ctx, const struct thaw_entry *entry);

/* Takes bytes that belong at `off` of the object, in order and without gaps
 * from the call's own off.  Other than 0 stops the transfer and is returned. */
typedef int thaw_sink_fn(void *ctx, uint64_t off, const void *data, size_t len);

/* What every call is given beside its arguments. */
struct thaw_call {
	const atomic_int *cancel; /* NULL: cannot be cancelled */
	struct thaw_err *err;     /* NULL: text not wanted */
};

struct thaw_archive_ops {
	const char *type; /* the word in `type =` */
	unsigned version; /* THAW_ARCHIVE_VERSION */

	/* Checks the configuration and that the source can be read; makes no
	 * thread.  May be called before the daemon forks. */
	int (*open)(const struct thaw_conf_archive *conf, struct thaw_archive **ret, struct thaw_err *err);
	/* After the fork: threads and connections.  NULL: nothing to do. */
	int (*start)(struct thaw_archive *ar, struct thaw_err *err);

	/* The immediate children of directory `dir`, in any order.  -ENOENT or
	 * -ENOTDIR only when the store said so; an error in the middle fails the
	 * whole listing. Never "." or "..". Sockets, devices and pipes are left
	 * out. */
	int (*list)(struct thaw_archive *ar, struct thaw_key dir, thaw_entry_fn *fn, void *ctx,
		    const struct thaw_call *call);

	/* One object, without recalling it. */
	int (*stat)(struct thaw_archive *ar, struct thaw_key key, struct thaw_entry *ret,
		    const struct thaw_call *call);

	/* Asks the store to bring objects online; 0 when it has taken them all.
	 * NULL: everything is always online. */
	int (*recall)(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
		      const struct thaw_call *call);
	/* Where each of them stands.  NULL with recall. */
	int (*poll)(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
		    enum thaw_avail *ret, const struct thaw_call *call);

	/* Delivers exactly bytes [off, off+len) of the version `tag`, or fails.
	 * The version is checked before the first byte and after the last:
	 * 0 means that all bytes are of that version. */
	int (*get)(struct thaw_archive *ar, struct thaw_key key, const struct thaw_tag *tag,
		   uint64_t off, uint64_t len, thaw_sink_fn *sink, void *ctx,
		   const struct thaw_call *call);

	/* Where copies lie, as lines of "volume=... block=..."; NULL: not known. */
	int (*locate)(struct thaw_archive *ar, struct thaw_key key, char *text, size_t room,
		      const struct thaw_call *call);

	void (*close)(struct thaw_archive *ar);
};

/* First member of every backend's own struct. */
struct thaw_archive {
	const struct thaw_archive_ops *ops;
};

#endif
