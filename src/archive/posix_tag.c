/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * posix_tag.c - which version of a file this is.
 *
 * Layout of a tag, little-endian, never changed without another first byte
 * (tags are kept in the catalog):
 *   version = ctime: 1, size 8, mtime s 8 ns 4, ctime s 8 ns 4, inode 8
 *   version = mtime: 2, size 8, mtime s 8 ns 4
 * The device is left out: its number changes with the order of mounting.
 */
#include "archive/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#include "base/clock.h"

/* --- look ------------------------------------------------------------------------------ */

static struct timespec time_of(const struct statx_timestamp *t)
{
	return (struct timespec){.tv_sec = t->tv_sec, .tv_nsec = t->tv_nsec};
}

/* statx(2), because NFS answers fstat(2) from what it remembers for seconds. */
int thaw_posix_look(int fd, struct stat *ret)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &sx) < 0)
		return -errno;
	*ret = (struct stat){
		.st_dev = makedev(sx.stx_dev_major, sx.stx_dev_minor),
		.st_ino = sx.stx_ino,
		.st_mode = sx.stx_mode,
		.st_nlink = sx.stx_nlink,
		.st_uid = sx.stx_uid,
		.st_gid = sx.stx_gid,
		.st_size = (off_t)sx.stx_size,
		.st_mtim = time_of(&sx.stx_mtime),
		.st_ctim = time_of(&sx.stx_ctime),
	};
	return 0;
}

/* --- tag ------------------------------------------------------------------------------- */

static void put(struct thaw_tag *tag, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		tag->data[tag->len++] = (uint8_t)(value >> (8 * i));
}

static void put_time(struct thaw_tag *tag, const struct timespec *t)
{
	put(tag, (uint64_t)t->tv_sec, 8);
	put(tag, (uint64_t)t->tv_nsec, 4);
}

void thaw_posix_tag(const struct thaw_posix *px, const struct stat *st, struct thaw_tag *ret)
{
	ret->len = 0;
	put(ret, px->mtime_only ? 2 : 1, 1);
	put(ret, (uint64_t)st->st_size, 8);
	put_time(ret, &st->st_mtim);
	if (px->mtime_only)
		return;
	put_time(ret, &st->st_ctim);
	put(ret, st->st_ino, 8);
}

/* --- entry ----------------------------------------------------------------------------- */

/* Beyond the years 1677 to 2262 the nearest time that fits. */
static int64_t to_ns(const struct timespec *t)
{
	int64_t ns;

	if (__builtin_mul_overflow((int64_t)t->tv_sec, THAW_NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, (int64_t)t->tv_nsec, &ns))
		return t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

/* splitmix64's finaliser: one to one, and every bit in moves half of those out. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/*
 * Two files with one id would be taken for one file, so no two of a device may
 * share it: the inode number goes in as it is, and is only moved aside by a
 * number made of the device.  That is 0 for the root's own: its ids then do
 * not depend on a device number that the next boot may change.
 */
static uint64_t link_id(const struct thaw_posix *px, const struct stat *st)
{
	uint64_t id;

	if (!S_ISREG(st->st_mode) || st->st_nlink < 2)
		return 0;
	id = st->st_ino ^ (st->st_dev == px->dev ? 0 : mix(st->st_dev + 1));
	return id ? id : UINT64_MAX;
}

static enum thaw_entry_type type_of(mode_t mode)
{
	if (S_ISREG(mode))
		return THAW_TYPE_FILE;
	if (S_ISDIR(mode))
		return THAW_TYPE_DIR;
	return S_ISLNK(mode) ? THAW_TYPE_SYMLINK : 0;
}

bool thaw_posix_entry(const struct thaw_posix *px, const struct stat *st, struct thaw_entry *ret)
{
	enum thaw_entry_type type = type_of(st->st_mode);

	if (!type)
		return false;
	*ret = (struct thaw_entry){
		.type = type,
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.size = (uint64_t)st->st_size,
		.mtime_ns = to_ns(&st->st_mtim),
		.ctime_ns = to_ns(&st->st_ctim),
		.link_id = link_id(px, st),
		.avail = THAW_AVAIL_ONLINE,
	};
	if (type == THAW_TYPE_FILE)
		thaw_posix_tag(px, st, &ret->tag);
	return true;
}

/* --- racy times ------------------------------------------------------------------------ */

/* Kernels stamp with the time of the last tick (1 to 10 ms), and keep it for
 * every write until the next. */
#define TICK_NS (20 * THAW_NS_PER_MS)
/* FAT counts in two seconds, old ext and some servers in one; all of them show
 * no fraction. */
#define COARSE_NS (2 * THAW_NS_PER_S)
/* A file server's clock may differ from ours by about this. */
#define SKEW_NS THAW_NS_PER_S

static bool is_recent(const struct timespec *t, int64_t now_ns, int64_t grain)
{
	int64_t age;

	if (__builtin_sub_overflow(now_ns, to_ns(t), &age))
		return false;
	return age > -(grain + SKEW_NS) && age < grain + SKEW_NS;
}

/*
 * A file that is written twice within one grain of its time stamps has the same
 * stamps, and perhaps the same size, after the first write and after the
 * second: a tag cannot tell the two contents apart.  git calls such files
 * racily clean.  Here it is enough to wait one grain before the first look
 * that is trusted: what is written after that look gets another stamp, which
 * the look after the last byte finds.
 */
int64_t thaw_posix_racy_ns(const struct stat *st, int64_t now_ns)
{
	int64_t grain = st->st_mtim.tv_nsec || st->st_ctim.tv_nsec ? TICK_NS : COARSE_NS;

	if (is_recent(&st->st_mtim, now_ns, grain) || is_recent(&st->st_ctim, now_ns, grain))
		return grain;
	return 0;
}
