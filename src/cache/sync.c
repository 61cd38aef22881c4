/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Linked files become durable, each by itself or many at once.
 *
 * The link comes before the sync, so that a journal commits both in one.  From
 * a certain number on one syncfs(2) costs less than as many fsyncs, each with a
 * flush of the disk's own cache.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "cache/part.h"
#include "cache/space.h"

#define SYNCFS_FROM 16

/* Durably, before the name goes by which recovery would find it. */
void thaw_part_unpublish(const struct thaw_part *part)
{
	char final[THAW_STORE_NAME];

	thaw_store_object_name(final, part->object);
	(void)unlinkat(part->store->objects, final, 0);
	thaw_crash_point("abort.unpublished");
	(void)thaw_store_shard_sync(part->store, thaw_store_shard_of(part->object));
}

/* It reports an error of any file once, to one caller: from then on only the
 * files themselves can tell which of them it was. */
static bool sync_filesystem(struct thaw_store *store)
{
	if (atomic_load(&store->distrusted))
		return false;
	if (syncfs(store->dir) == 0)
		return true;
	atomic_store(&store->distrusted, true);
	return false;
}

/* Each file, and each directory once. */
static void sync_each(struct thaw_part *const *parts, size_t n, int *codes)
{
	int shards[THAW_STORE_SHARDS];
	bool synced[THAW_STORE_SHARDS] = { false };

	for (size_t i = 0; i < n; i++) /* all begin before the first is waited for */
		(void)sync_file_range(parts[i]->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	for (size_t i = 0; i < n; i++)
		codes[i] = thaw_store_fsync(parts[i]->fd);
	for (size_t i = 0; i < n; i++) {
		unsigned shard = thaw_store_shard_of(parts[i]->object);

		if (!synced[shard])
			shards[shard] = thaw_store_shard_sync(parts[i]->store, shard);
		synced[shard] = true;
		if (!codes[i])
			codes[i] = shards[shard];
	}
}

/* What a failed sync lost is not known: never to be served. */
static int settle(struct thaw_part *part, int code, uint64_t *ret_bytes)
{
	struct stat st;

	if (!code && fstat(part->fd, &st))
		code = -errno;
	if (code) {
		thaw_part_unpublish(part);
		part->linked = false;
		return code;
	}
	part->charged = thaw_store_blocks(&st);
	thaw_space_settle(part->store->space, part->reserved, part->charged);
	part->reserved = 0;
	part->published = true;
	*ret_bytes = part->charged;
	return 0;
}

void thaw_part_sync_many(struct thaw_part *const *parts, size_t n, uint64_t *ret_bytes, int *codes)
{
	if (n >= SYNCFS_FROM && sync_filesystem(parts[0]->store))
		memset(codes, 0, n * sizeof(*codes));
	else
		sync_each(parts, n, codes);
	thaw_crash_point("publish.synced");
	for (size_t i = 0; i < n; i++)
		codes[i] = settle(parts[i], codes[i], &ret_bytes[i]);
}

int thaw_part_sync(struct thaw_part *part, uint64_t *ret_bytes)
{
	uint64_t bytes;
	int code;

	if (!part->linked || part->published)
		return -EINVAL;
	thaw_part_sync_many(&part, 1, &bytes, &code);
	if (!code)
		*ret_bytes = bytes;
	return code;
}
