/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Published files: opening, weighing and listing them.
 */
#include "cache/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Four blocks a directory: an htree directory that splits at each level and a
 * first extent block. One entry goes to incoming/, one to a shard (which may
 * have to be made) or to quarantine/. */
#define DIR_SLACK (2 * 4)
/* A first extent block, an attribute block (inherited ACL or label). */
#define FILE_SLACK 2
/* ext4: 340 extents a leaf block of 4 KiB, half of them used after splits; xfs:
 * about 250 records. A file whose every block is an extent needs 1/160 more. */
#define BLOCKS_PER_MAP_BLOCK 160

uint64_t thaw_store_need(const struct thaw_store *store, uint64_t size)
{
	uint64_t blocks = size / store->unit + (size % store->unit != 0);

	blocks += blocks / BLOCKS_PER_MAP_BLOCK + FILE_SLACK + DIR_SLACK;
	return blocks > UINT64_MAX / store->unit ? UINT64_MAX : blocks * store->unit;
}

/* O_NONBLOCK so that no FIFO can hold us up; it must not stay on the
 * descriptor, io_uring would take it for a wish. */
int thaw_store_open_object(struct thaw_store *store, uint64_t object, uint64_t size, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	char name[THAW_STORE_NAME];
	struct stat st;

	thaw_store_object_name(name, object);
	fd = openat(store->objects, name,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOATIME | O_NONBLOCK);
	if (fd < 0)
		return errno == ELOOP || errno == ENXIO || errno == EPERM ? -EUCLEAN : -errno;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
		return -EUCLEAN;
	if (fcntl(fd, F_SETFL, O_NOATIME))
		return -errno;
	*ret_fd = thaw_steal_fd(&fd);
	return 0;
}

int thaw_store_charge(struct thaw_store *store, uint64_t object, uint64_t *ret_bytes)
{
	char name[THAW_STORE_NAME];
	struct stat st;

	thaw_store_object_name(name, object);
	if (fstatat(store->objects, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	*ret_bytes = thaw_store_blocks(&st);
	return 0;
}

struct each {
	int (*fn)(void *ctx, uint64_t object, uint64_t bytes);
	void *ctx;
	unsigned shard;
};

static int each_object(void *ctx, int dirfd, const char *name)
{
	const struct each *each = ctx;
	struct stat st;
	uint64_t object;

	if (thaw_store_parse_name(name, '\0', &object) ||
	    thaw_store_shard_of(object) != each->shard)
		return 0;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno; /* evicted meanwhile */
	return each->fn(each->ctx, object, thaw_store_blocks(&st));
}

int thaw_store_each(struct thaw_store *store, int (*fn)(void *ctx, uint64_t object, uint64_t bytes),
		    void *ctx)
{
	struct each each = {.fn = fn, .ctx = ctx};
	char name[THAW_STORE_NAME];
	int r = 0;

	for (; !r && each.shard < THAW_STORE_SHARDS; each.shard++) {
		thaw_store_shard_name(name, each.shard);
		r = thaw_store_each_name(store->objects, name, each_object, &each);
		if (r == -ENOENT)
			r = 0;
	}
	return r;
}
