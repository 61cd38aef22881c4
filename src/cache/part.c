/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One file on its way in: making it, filling it, asking what is there.
 *
 * The blocks are allocated before the first byte, so that a full disk is
 * found out before the archive is asked, and so that what the file takes does
 * not change under the budget while it fills.
 */
#include "cache/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "cache/space.h"

/* Writing back starts every so many bytes of a chunk, so that publishing does
 * not begin with all of a large file in memory. */
#define WRITEBACK (UINT64_C(4) << 20)

/* EOPNOTSUPP: then the filesystem allocates as the bytes come. */
static int allocate(int fd, uint64_t size)
{
	if (!size)
		return 0;
	if (size > INT64_MAX)
		return -EFBIG;
	while (fallocate(fd, 0, 0, (off_t)size)) {
		if (errno == EOPNOTSUPP || errno == ENOSYS)
			return ftruncate(fd, (off_t)size) ? -errno : 0;
		if (errno != EINTR)
			return errno == EDQUOT ? -ENOSPC : -errno;
	}
	return 0;
}

/* A leftover is unlinked, never written to: it may be a second name of a
 * published file. */
static int create(struct thaw_store *store, const char *name, int *ret_fd)
{
	int fd;

	if (unlinkat(store->incoming, name, 0) && errno != ENOENT)
		return -errno;
	fd = openat(store->incoming, name,
		    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOATIME, 0400);
	if (fd < 0)
		return errno == EDQUOT ? -ENOSPC : -errno;
	*ret_fd = fd;
	return 0;
}

struct thaw_part *thaw_part_free(struct thaw_part *part)
{
	if (!part)
		return NULL;
	if (part->fd >= 0)
		(void)close(part->fd);
	thaw_chunkmap_release(&part->map);
	free(part);
	return NULL;
}

int thaw_part_new(struct thaw_store *store, uint64_t object, uint64_t size, uint64_t chunk,
		  uint64_t reserved, struct thaw_part **ret)
{
	struct thaw_part *part = calloc(1, sizeof(*part));
	char name[THAW_STORE_NAME];
	int r;

	if (!part)
		return -ENOMEM;
	part->store = store;
	part->object = object;
	part->size = size;
	part->reserved = reserved;
	part->fd = -1;
	r = thaw_chunkmap_init(&part->map, size, chunk);
	if (r)
		goto fail;
	thaw_store_name(name, object);
	r = create(store, name, &part->fd);
	if (r)
		goto fail;
	thaw_crash_point("new.created");
	r = allocate(part->fd, size);
	if (r)
		goto fail_unlink;
	thaw_store_dir_grew(store, THAW_DIR_INCOMING, &part->reserved);
	*ret = part;
	return 0;
fail_unlink:
	(void)unlinkat(store->incoming, name, 0);
	thaw_store_dir_grew(store, THAW_DIR_INCOMING, &(uint64_t){0});
fail:
	(void)thaw_part_free(part);
	return r;
}

static int write_all(int fd, uint64_t off, const uint8_t *data, uint64_t len)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EDQUOT ? -ENOSPC : -errno;
		data += n;
		off += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

/* Only advice: a filesystem that cannot do it loses nothing. */
static void start_writeback(const struct thaw_part *part, uint64_t off, uint64_t len)
{
	uint64_t begin = off / WRITEBACK * WRITEBACK;
	uint64_t end = (off + len) / WRITEBACK * WRITEBACK;

	if (end > begin)
		(void)sync_file_range(part->fd, (off_t)begin, (off_t)(end - begin),
				      SYNC_FILE_RANGE_WRITE);
}

int thaw_part_write(struct thaw_part *part, uint64_t off, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	while (len) {
		uint64_t n = thaw_chunkmap_room(&part->map, off);
		int r;

		if (!n)
			return -EINVAL;
		if (n > len)
			n = len;
		r = write_all(part->fd, off, bytes, n);
		if (!r)
			r = thaw_chunkmap_add(&part->map, off, n);
		if (r)
			return r;
		start_writeback(part, off, n);
		off += n;
		bytes += n;
		len -= n;
	}
	return 0;
}

void thaw_part_reset_chunk(struct thaw_part *part, uint64_t chunk_index)
{
	thaw_chunkmap_reset(&part->map, chunk_index);
}

bool thaw_part_covered(const struct thaw_part *part, uint64_t off, uint64_t len)
{
	return thaw_chunkmap_covered(&part->map, off, len);
}

uint64_t thaw_part_filled(const struct thaw_part *part)
{
	return thaw_chunkmap_total(&part->map);
}

int thaw_part_fd(const struct thaw_part *part)
{
	return part->fd;
}
