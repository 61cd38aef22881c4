/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opening the store, and whose it is.
 *
 * A directory becomes ours only when it is empty; the id file is the first
 * thing made in it, so that a crash right after leaves a directory that is
 * still recognised.  The lock is on the directory itself: no lock file that
 * rename or a cleaner could take from under us.
 */
#include "cache/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/path.h"
#include "base/units.h"
#include "cache/space.h"

static int explain_full(const struct thaw_store *store, int code, struct thaw_err *err)
{
	char room[THAW_SIZE_TEXT] = "little", whole[THAW_SIZE_TEXT] = "its disk";
	struct statvfs fs;

	if (!statvfs(store->path, &fs)) {
		(void)thaw_format_size(room, (uint64_t)fs.f_bavail * fs.f_frsize);
		(void)thaw_format_size(whole, (uint64_t)fs.f_blocks * fs.f_frsize);
	}
	return thaw_err_set(err, code,
			    "cache directory %s: the disk is full or its quota used up "
			    "(%s free of %s): make room there, or set [cache] path to another disk",
			    store->path, room, whole);
}

int thaw_store_explain(const struct thaw_store *store, int code, const char *what,
		       struct thaw_err *err)
{
	switch (code) {
	case -ENOSPC:
	case -EDQUOT:
		return explain_full(store, -ENOSPC, err);
	case -EROFS:
		return thaw_err_set(err, code,
				    "cache directory %s is on a read-only filesystem: "
				    "remount it read-write, or set [cache] path to another",
				    store->path);
	case -EACCES:
	case -EPERM:
		return thaw_err_set(err, -EACCES,
				    "cache directory %s: uid %u may not %s: give it the "
				    "directory (chown), or set [cache] path to another",
				    store->path, (unsigned)geteuid(), what);
	case -ENOTDIR:
		return thaw_err_set(err, code,
				    "cache directory %s is not a directory: set [cache] "
				    "path to one",
				    store->path);
	default:
		return thaw_err_set(err, code, "cache directory %s: cannot %s: %s", store->path,
				    what, strerror(-code));
	}
}

/* --- opening ------------------------------------------------------------- */

static int foreign_name(void *ctx, int dirfd, const char *name)
{
	static const char *const harmless[] = {"lost+found", THAW_STORE_ID_NEW};
	char *foreign = ctx;

	(void)dirfd;
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		if (!strcmp(name, harmless[i]))
			return 0;
	}
	(void)thaw_path_quote(foreign, 64, name, strlen(name));
	return -ENOTEMPTY;
}

static int check_empty(const struct thaw_store *store, struct thaw_err *err)
{
	char foreign[64];
	int r = thaw_store_each_name(store->dir, ".", foreign_name, foreign);

	if (r == -ENOTEMPTY)
		return thaw_err_set(
			err, r,
			"cache directory %s holds other things (%s) and no " THAW_STORE_ID
			": it is left alone; name an empty or new directory",
			store->path, foreign);
	return r ? thaw_store_explain(store, r, "list it", err) : 0;
}

static int lock_dir(const struct thaw_store *store, struct thaw_err *err)
{
	while (flock(store->dir, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return thaw_err_set(err, -EBUSY,
					    "cache directory %s is in use by another "
					    "thawfs: stop that one, or give this one its own "
					    "directory",
					    store->path);
		if (errno != EINTR)
			return thaw_store_explain(store, -errno, "lock it", err);
	}
	return 0;
}

/* What others could write to cannot be trusted to hold what was verified. */
static int check_owner(const struct thaw_store *store, bool ours, struct thaw_err *err)
{
	struct stat st;

	if (fstat(store->dir, &st))
		return thaw_store_explain(store, -errno, "look at it", err);
	if (st.st_uid != geteuid())
		return thaw_err_set(err, -EACCES,
				    "cache directory %s belongs to uid %u and this is "
				    "uid %u: chown it, or run thawfs as its owner",
				    store->path, (unsigned)st.st_uid, (unsigned)geteuid());
	if (!(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	if (ours)
		return thaw_err_set(err, -EACCES,
				    "cache directory %s may be written by others "
				    "(mode %04o): see who did, then chmod go-w it",
				    store->path, (unsigned)st.st_mode & 07777);
	if (fchmod(store->dir, 0700)) /* empty: nobody loses anything */
		return thaw_store_explain(store, -errno, "chmod it", err);
	return 0;
}

static int open_sub(const struct thaw_store *store, const char *name, int *ret_fd)
{
	int fd;

	if (mkdirat(store->dir, name, 0700) && errno != EEXIST)
		return -errno;
	fd = openat(store->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static int open_subs(struct thaw_store *store)
{
	int r = open_sub(store, "incoming", &store->incoming);

	if (!r)
		r = open_sub(store, "objects", &store->objects);
	if (!r)
		r = open_sub(store, "quarantine", &store->quarantine);
	return r ? r : thaw_store_fsync(store->dir);
}

/* The id file is smaller than any block: what it takes is the least a file
 * takes here (clusters of bigalloc, huge pages), where that is more than the
 * block size the directory names. */
static int find_unit(struct thaw_store *store)
{
	struct stat st;

	if (fstatat(store->dir, THAW_STORE_ID, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	store->unit = st.st_blksize > 512 ? (uint64_t)st.st_blksize : 512;
	if (thaw_store_blocks(&st) > store->unit)
		store->unit = thaw_store_blocks(&st);
	return 0;
}

static int open_dir(struct thaw_store *store, const char *path, struct thaw_err *err)
{
	int r = thaw_path_make(path, 0700);

	if (r)
		return thaw_store_explain(store, r, "make it", err);
	store->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return store->dir < 0 ? thaw_store_explain(store, -errno, "open it", err) : 0;
}

/* Locked before anything is read, so that no other daemon is half way through
 * making or claiming it. */
static int identify(struct thaw_store *store, struct thaw_err *err)
{
	bool ours;
	int r;

	r = lock_dir(store, err);
	if (r)
		return r;
	r = thaw_store_id_read(store, err);
	if (r && r != -ENOENT)
		return r;
	ours = !r;
	if (!ours) {
		r = check_empty(store, err);
		if (r)
			return r;
	}
	r = check_owner(store, ours, err);
	if (r || ours)
		return r;
	r = thaw_store_id_write(store, "", "");
	return r ? thaw_store_explain(store, r, "write to it", err) : 0;
}

static struct thaw_store *store_new(const char *path, struct thaw_space *space)
{
	struct thaw_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->dir = store->incoming = store->objects = store->quarantine = -1;
	store->space = space;
	store->path = strdup(path);
	store->catalog = strdup("");
	if (!store->path || !store->catalog)
		return thaw_store_close(store);
	return store;
}

int thaw_store_open(const char *path, struct thaw_space *space, struct thaw_store **ret,
		    struct thaw_err *err)
{
	struct thaw_store *store = store_new(path, space);
	int r;

	if (!store)
		return thaw_err_set(err, -ENOMEM, "out of memory");
	r = open_dir(store, path, err);
	if (!r)
		r = identify(store, err);
	if (r)
		goto fail;
	thaw_crash_point("open.identified");
	(void)unlinkat(store->dir, THAW_STORE_ID_NEW, 0); /* of a crash while it was replaced */
	r = open_subs(store);
	if (!r)
		r = find_unit(store);
	if (!r)
		r = thaw_store_measure(store);
	if (r) {
		(void)thaw_store_explain(store, r, "set it up", err);
		goto fail;
	}
	*ret = store;
	return 0;
fail:
	(void)thaw_store_close(store);
	return r == -EDQUOT ? -ENOSPC : r == -EPERM ? -EACCES : r;
}

struct thaw_store *thaw_store_close(struct thaw_store *store)
{
	if (!store)
		return NULL;
	(void)thaw_cleanup_close(&store->quarantine);
	(void)thaw_cleanup_close(&store->objects);
	(void)thaw_cleanup_close(&store->incoming);
	(void)thaw_cleanup_close(&store->dir); /* the lock goes last */
	free(store->catalog);
	free(store->path);
	free(store);
	return NULL;
}

const char *thaw_store_uuid(const struct thaw_store *store)
{
	return store->uuid;
}

const char *thaw_store_catalog(const struct thaw_store *store)
{
	return store->catalog;
}

/* --- claiming ------------------------------------------------------------ */

/* RFC 9562, version 4. */
static int new_uuid(char text[THAW_STORE_UUID_TEXT])
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return -EIO;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	(void)snprintf(text, THAW_STORE_UUID_TEXT,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		       b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		       b[13], b[14], b[15]);
	return 0;
}

static int unlink_name(void *ctx, int dirfd, const char *name)
{
	(void)ctx;
	return unlinkat(dirfd, name, 0) && errno != ENOENT && errno != EISDIR ? -errno : 0;
}

/* A shard goes whole, so that its grown directory shrinks too. */
static int unlink_shard(void *ctx, int dirfd, const char *name)
{
	int r = thaw_store_each_name(dirfd, name, unlink_name, ctx);

	if (r)
		return r == -ENOTDIR ? 0 : r;
	return unlinkat(dirfd, name, AT_REMOVEDIR) && errno != ENOTEMPTY ? -errno : 0;
}

static int empty_all(struct thaw_store *store)
{
	int r = thaw_store_each_name(store->objects, ".", unlink_shard, NULL);

	for (unsigned i = 0; i < THAW_STORE_SHARDS; i++)
		atomic_store(&store->shard_made[i], false);
	if (!r)
		r = thaw_store_each_name(store->incoming, ".", unlink_name, NULL);
	if (!r)
		r = thaw_store_each_name(store->quarantine, ".", unlink_name, NULL);
	if (!r)
		r = thaw_store_fsync(store->objects);
	return r;
}

/* Disowned first: from then on no catalog believes in what is here, however
 * far the emptying comes. */
int thaw_store_claim(struct thaw_store *store, const char *catalog_file, struct thaw_err *err)
{
	char uuid[THAW_STORE_UUID_TEXT];
	int r;

	r = new_uuid(uuid);
	if (!r)
		r = thaw_store_id_write(store, "", "");
	if (r)
		goto fail;
	thaw_crash_point("claim.disowned");
	r = empty_all(store);
	if (r)
		goto fail;
	thaw_crash_point("claim.emptied");
	r = thaw_store_id_write(store, uuid, catalog_file);
	if (!r)
		r = thaw_store_measure(store);
	if (!r)
		return 0;
fail:
	return thaw_store_explain(store, r, "claim it", err);
}
