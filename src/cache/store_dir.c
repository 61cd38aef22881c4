/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names and directories of the store, and what the directories take.
 *
 * A directory grows when a name is added.  The growth is read back after each
 * addition and charged; until then it is covered by the slack which
 * thaw_store_need() put into the reservation of the file that was added.  Some
 * filesystems shrink directories: that is noticed at the next start only.
 */
#include "cache/store_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cache/space.h"

void thaw_store_name(char name[THAW_STORE_NAME], uint64_t object)
{
	(void)snprintf(name, THAW_STORE_NAME, "%" PRIx64, object);
}

void thaw_store_object_name(char name[THAW_STORE_NAME], uint64_t object)
{
	(void)snprintf(name, THAW_STORE_NAME, "%02x/%" PRIx64, thaw_store_shard_of(object), object);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int thaw_store_parse_name(const char *name, char end, uint64_t *ret_object)
{
	uint64_t object = 0;
	unsigned digits = 0;

	for (; hex_digit(*name) >= 0; name++) {
		if (digits == 16 || (digits == 1 && !object)) /* too long; leading zero */
			return -EINVAL;
		object = object << 4 | (unsigned)hex_digit(*name);
		digits++;
	}
	if (!digits || *name != end)
		return -EINVAL;
	*ret_object = object;
	return 0;
}

int thaw_store_each_name(int dirfd, const char *sub, thaw_store_name_fn *fn, void *ctx)
{
	int fd = openat(dirfd, sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct dirent *entry;
	DIR *dir;
	int r = 0;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	while (!r) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			r = -errno;
			break;
		}
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			r = fn(ctx, fd, entry->d_name);
	}
	(void)closedir(dir);
	return r;
}

/* EINVAL: a filesystem whose directories have nothing to sync. */
int thaw_store_fsync(int fd)
{
	while (fsync(fd)) {
		if (errno == EINVAL)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

void thaw_store_shard_name(char name[THAW_STORE_NAME], unsigned shard)
{
	(void)snprintf(name, THAW_STORE_NAME, "%02x", shard);
}

int thaw_store_shard_make(struct thaw_store *store, uint64_t object)
{
	unsigned shard = thaw_store_shard_of(object);
	char name[THAW_STORE_NAME];
	int r;

	if (atomic_load(&store->shard_made[shard]))
		return 0;
	thaw_store_shard_name(name, shard);
	if (mkdirat(store->objects, name, 0700) && errno != EEXIST)
		return -errno;
	r = thaw_store_fsync(store->objects);
	if (!r)
		atomic_store(&store->shard_made[shard], true);
	return r;
}

int thaw_store_shard_sync(struct thaw_store *store, unsigned shard)
{
	_cleanup_close_ int fd = -1;
	char name[THAW_STORE_NAME];

	thaw_store_shard_name(name, shard);
	fd = openat(store->objects, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return thaw_store_fsync(fd);
}

static int dir_stat(const struct thaw_store *store, unsigned dir, struct stat *st)
{
	char name[THAW_STORE_NAME];
	int r;

	if (dir == THAW_DIR_INCOMING) {
		r = fstat(store->incoming, st);
	} else if (dir == THAW_DIR_OBJECTS) {
		r = fstat(store->objects, st);
	} else if (dir == THAW_DIR_QUARANTINE) {
		r = fstat(store->quarantine, st);
	} else {
		thaw_store_shard_name(name, dir);
		r = fstatat(store->objects, name, st, AT_SYMLINK_NOFOLLOW);
	}
	return r ? -errno : 0;
}

/* Several threads may look at once and come here in any order: the largest
 * figure wins, and each step up is charged by the one who made it. */
void thaw_store_dir_grew(struct thaw_store *store, unsigned dir, uint64_t *reserved)
{
	uint64_t now, before = atomic_load(&store->dir_bytes[dir]);
	struct stat st;

	if (dir_stat(store, dir, &st))
		return;
	now = thaw_store_blocks(&st);
	while (now > before) {
		if (!atomic_compare_exchange_weak(&store->dir_bytes[dir], &before, now))
			continue;
		*reserved -= thaw_space_grow_overhead(store->space, now - before, *reserved);
		break;
	}
}

static int add_blocks(void *ctx, int dirfd, const char *name)
{
	uint64_t *sum = ctx;
	struct stat st;

	if (!fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		*sum += thaw_store_blocks(&st);
	return 0;
}

/* The directory itself and the files in it that are no object's: the id file,
 * counted twice as its successor stands beside it for a moment; lost+found. */
static uint64_t measure_top(const struct thaw_store *store)
{
	uint64_t sum = 0;
	struct stat st;

	if (!fstat(store->dir, &st))
		sum += thaw_store_blocks(&st);
	if (!fstatat(store->dir, THAW_STORE_ID, &st, AT_SYMLINK_NOFOLLOW))
		sum += 2 * (thaw_store_blocks(&st) > store->unit ? thaw_store_blocks(&st)
								 : store->unit);
	if (!fstatat(store->dir, "lost+found", &st, AT_SYMLINK_NOFOLLOW))
		sum += thaw_store_blocks(&st);
	return sum;
}

int thaw_store_measure(struct thaw_store *store)
{
	uint64_t kept = 0, sum = measure_top(store);
	struct stat st;
	int r;

	for (unsigned dir = 0; dir < THAW_STORE_DIRS; dir++) {
		uint64_t bytes = 0;

		r = dir_stat(store, dir, &st);
		if (!r)
			bytes = thaw_store_blocks(&st);
		else if (r != -ENOENT)
			return r;
		atomic_store(&store->dir_bytes[dir], bytes);
		sum += bytes;
	}
	r = thaw_store_each_name(store->quarantine, ".", add_blocks, &kept);
	if (r)
		return r;
	atomic_store(&store->quarantined, kept);
	thaw_space_set_overhead(store->space, sum + kept);
	return 0;
}
