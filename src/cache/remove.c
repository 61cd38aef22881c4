/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Taking published files away, when nobody uses them.
 *
 * The unlink is made durable before the caller forgets the row: a file without
 * a row would take space that no budget knows of.
 */
#include "cache/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"

/* -EBUSY: another open file description, or a mapping, which keeps one. */
static int check_unused(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_WRLCK))
		return errno == EAGAIN ? -EBUSY : 0; /* others: no leases here */
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return 0;
}

/* The descriptor outlives the unlink: closing it is what frees the blocks, and
 * that has happened when this returns. */
static int remove_one(struct thaw_store *store, uint64_t object)
{
	_cleanup_close_ int fd = -1;
	char name[THAW_STORE_NAME];
	int r;

	thaw_store_object_name(name, object);
	fd = openat(store->objects, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd >= 0) { /* what cannot be opened cannot be in use */
		r = check_unused(fd);
		if (r)
			return r;
	}
	thaw_crash_point("remove.begin");
	if (unlinkat(store->objects, name, 0) && errno != ENOENT)
		return -errno;
	thaw_crash_point("remove.unlinked");
	return 0;
}

/* Shards are synced for files that were gone already, too: the unlink may have
 * been ours, of a life that ended before its sync. */
int thaw_store_remove_many(struct thaw_store *store, const uint64_t *objects, size_t n,
			   int *ret_codes)
{
	bool touched[THAW_STORE_SHARDS] = {false};
	int first = 0;

	for (size_t i = 0; i < n; i++) {
		ret_codes[i] = remove_one(store, objects[i]);
		if (!ret_codes[i])
			touched[thaw_store_shard_of(objects[i])] = true;
	}
	for (unsigned shard = 0; shard < THAW_STORE_SHARDS; shard++) {
		int r = touched[shard] ? thaw_store_shard_sync(store, shard) : 0;

		if (r && !first)
			first = r;
	}
	thaw_crash_point("remove.synced");
	return first;
}

int thaw_store_remove(struct thaw_store *store, uint64_t object)
{
	int code = 0;
	int r = thaw_store_remove_many(store, &object, 1, &code);

	return code ? code : r;
}
