/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scratch.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

static char scratch_dir[SCRATCH_PATH];
static char tmpfs_dir[SCRATCH_PATH];

const char *scratch_begin(void)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(scratch_dir, sizeof(scratch_dir), "%s/thaw-cache-XXXXXX",
		       tmp ? tmp : "/tmp");
	if (!mkdtemp(scratch_dir)) { /* not check's: main() may call this */
		perror(scratch_dir);
		abort();
	}
	return scratch_dir;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void scratch_remove_tree(const char *path)
{
	(void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void scratch_end(void)
{
	if (tmpfs_dir[0])
		(void)umount2(tmpfs_dir, MNT_DETACH);
	tmpfs_dir[0] = '\0';
	if (scratch_dir[0])
		scratch_remove_tree(scratch_dir);
	scratch_dir[0] = '\0';
}

const char *scratch_path(const char *dir, const char *name)
{
	static char ring[8][SCRATCH_PATH * 2];
	static unsigned next;
	char *path = ring[next++ % 8];

	(void)snprintf(path, sizeof(ring[0]), "%s/%s", dir, name);
	return path;
}

bool scratch_private_mounts(void)
{
	return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

const char *scratch_tmpfs(uint64_t bytes)
{
	const char *path = scratch_path(scratch_dir, "tmpfs");
	char options[64];

	(void)snprintf(options, sizeof(options), "size=%llu,mode=0700", (unsigned long long)bytes);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	if (!scratch_private_mounts() || mount("thaw-test", path, "tmpfs", 0, options))
		return NULL;
	(void)snprintf(tmpfs_dir, sizeof(tmpfs_dir), "%s", path);
	return tmpfs_dir;
}

void scratch_store_open(struct scratch_store *s, const char *path, uint64_t size)
{
	struct thaw_err err = {""};

	thaw_space_init(&s->space, size);
	ck_assert_msg(thaw_store_open(path, &s->space, &s->store, &err) == 0, "%s", err.text);
}

void scratch_store_close(struct scratch_store *s)
{
	s->store = thaw_store_close(s->store);
	thaw_space_destroy(&s->space);
}

uint64_t scratch_used(struct thaw_space *space)
{
	struct thaw_space_use use;

	thaw_space_get(space, &use);
	return use.resident + use.reserved + use.overhead;
}

#define DU_INODES 65536

struct du {
	uint64_t sum;
	size_t count;
	ino_t seen[DU_INODES]; /* those with several names */
};

static bool counted_before(struct du *du, ino_t ino)
{
	for (size_t i = 0; i < du->count; i++) {
		if (du->seen[i] == ino)
			return true;
	}
	ck_assert_uint_lt(du->count, DU_INODES);
	du->seen[du->count++] = ino;
	return false;
}

static void du_dir(struct du *du, int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	if (fd < 0 || fstat(fd, &st)) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	du->sum += (uint64_t)st.st_blocks * 512;
	dir = fdopendir(fd);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (S_ISDIR(st.st_mode))
			du_dir(du, fd, entry->d_name);
		else if (!counted_before(du, st.st_ino))
			du->sum += (uint64_t)st.st_blocks * 512;
	}
	(void)closedir(dir);
}

uint64_t scratch_du(const char *path)
{
	struct du *du = calloc(1, sizeof(*du));
	uint64_t sum;

	ck_assert_ptr_nonnull(du);
	du_dir(du, AT_FDCWD, path);
	sum = du->sum;
	free(du);
	return sum;
}

void scratch_check_books(struct scratch_store *s, const char *path)
{
	uint64_t used = scratch_used(&s->space), du = scratch_du(path), id, twice;
	struct stat st;

	ck_assert_int_eq(stat(scratch_path(path, "thawfs.cache"), &st), 0);
	id = (uint64_t)st.st_blocks * 512;
	twice = 2 * (id > (uint64_t)st.st_blksize ? id : (uint64_t)st.st_blksize);
	ck_assert_uint_eq(used, du - id + twice);
}

static uint64_t word(uint64_t x)
{
	x *= UINT64_C(0x9e3779b97f4a7c15);
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

void scratch_bytes(uint64_t id, uint64_t off, uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(word(id * 1000003 + (off + i) / 8 + 1) >> (off + i) % 8 * 8);
}

struct thaw_part *scratch_fill(struct scratch_store *s, uint64_t id, uint64_t size)
{
	uint64_t need = thaw_store_need(s->store, size);
	struct thaw_part *part = NULL;
	uint8_t *data = malloc(size + 1);

	ck_assert_ptr_nonnull(data);
	scratch_bytes(id, 0, data, size);
	ck_assert_int_eq(thaw_space_reserve(&s->space, need), 0);
	ck_assert_int_eq(thaw_part_new(s->store, id, size, 65536, need, &part), 0);
	ck_assert_int_eq(thaw_part_write(part, 0, data, size / 2), 0);
	ck_assert_int_eq(thaw_part_write(part, size / 2, data + size / 2, size - size / 2), 0);
	free(data);
	return part;
}

uint64_t scratch_stage(struct scratch_store *s, uint64_t id, uint64_t size)
{
	struct thaw_part *part = scratch_fill(s, id, size);
	uint64_t bytes;

	ck_assert_int_eq(thaw_part_publish(part, &bytes), 0);
	ck_assert_ptr_null(thaw_part_done(part));
	return bytes;
}

void scratch_check_object(struct scratch_store *s, uint64_t id, uint64_t size)
{
	uint8_t *data = malloc(size + 1), *want = malloc(size + 1);
	int fd = -1;

	ck_assert(data && want);
	ck_assert_int_eq(thaw_store_open_object(s->store, id, size, &fd), 0);
	ck_assert_int_eq(pread(fd, data, size + 1, 0), (ssize_t)size);
	scratch_bytes(id, 0, want, size);
	ck_assert_int_eq(memcmp(data, want, size), 0);
	(void)close(fd);
	free(data);
	free(want);
}

size_t scratch_count(const char *path)
{
	DIR *dir = opendir(path);
	size_t count = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count - 2;
}
