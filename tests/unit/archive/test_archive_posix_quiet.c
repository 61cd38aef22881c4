/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading leaves no trace: every attribute of every file, its access time too,
 * is after everything was read what it was before.  And it all works where the
 * kernel itself forbids writing.
 */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const all_paths[] = {
	"tree",           "tree/file", "tree/same",   "tree/dir",        "tree/dir/large",
	"tree/dir/empty", "tree/link", "tree/sparse", "tree/dir/deeper", "tree/pipe",
};
#define PATHS (sizeof(all_paths) / sizeof(all_paths[0]))

static struct statx before[PATHS];

/* Access times older than the others: relatime would renew them. */
static void make_old(const char *path)
{
	const struct timespec times[2] = {{1000000000, 5}, {1100000000, 7}};

	ck_assert_int_eq(utimensat(scratch_fd, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void make_tree(void)
{
	static char large[3 << 20];

	memset(large, 'l', sizeof(large));
	put_dir("tree");
	put_dir("tree/dir");
	put_dir("tree/dir/deeper");
	put_text("tree/file", "text");
	put_text("tree/dir/empty", "");
	put_file("tree/dir/large", large, sizeof(large));
	put_text("tree/sparse", "");
	ck_assert_int_eq(truncate(in_scratch("tree/sparse"), 1 << 22), 0);
	ck_assert_int_eq(linkat(scratch_fd, "tree/file", scratch_fd, "tree/same", 0), 0);
	ck_assert_int_eq(symlinkat("dir/large", scratch_fd, "tree/link"), 0);
	ck_assert_int_eq(mkfifoat(scratch_fd, "tree/pipe", 0644), 0);
	for (size_t i = PATHS; i-- > 0;)
		make_old(all_paths[i]);
}

static void look(const char *path, struct statx *ret)
{
	memset(ret, 0, sizeof(*ret));
	ck_assert_int_eq(
		statx(scratch_fd, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, ret),
		0);
}

static void remember(void)
{
	for (size_t i = 0; i < PATHS; i++)
		look(all_paths[i], &before[i]);
}

static bool same_time(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* link_atime: readlink(2) marks a link as read and knows no O_NOATIME; only a
 * read-only or noatime mount prevents that. */
static void compare(bool link_atime)
{
	for (size_t i = 0; i < PATHS; i++) {
		const struct statx *a = &before[i];
		struct statx b;

		look(all_paths[i], &b);
		if (link_atime || !S_ISLNK(b.stx_mode))
			ck_assert_msg(same_time(&a->stx_atime, &b.stx_atime), "%s: atime",
				      all_paths[i]);
		ck_assert_msg(same_time(&a->stx_mtime, &b.stx_mtime), "%s: mtime", all_paths[i]);
		ck_assert_msg(same_time(&a->stx_ctime, &b.stx_ctime), "%s: ctime", all_paths[i]);
		ck_assert_uint_eq(a->stx_size, b.stx_size);
		ck_assert_uint_eq(a->stx_ino, b.stx_ino);
		ck_assert_uint_eq(a->stx_mode, b.stx_mode);
		ck_assert_uint_eq(a->stx_nlink, b.stx_nlink);
		ck_assert_uint_eq(a->stx_blocks, b.stx_blocks);
		ck_assert_uint_eq(a->stx_uid, b.stx_uid);
	}
}

/* --- everything an archive can be asked ------------------------------------------------ */

static void read_entry(struct thaw_archive *ar, const char *key, const struct thaw_entry *e)
{
	struct thaw_err err = {""};
	const struct thaw_call call = {.err = &err};
	struct taken taken = {0};
	char text[64];

	(void)stat_key(ar, key);
	ck_assert_int_eq(thaw_archive_locate(ar, thaw_key_of(key), text, sizeof(text), &call), 0);
	if (e->type != THAW_TYPE_FILE)
		return;
	ck_assert_int_eq(get_all(ar, key, &taken, &err), 0);
	ck_assert_uint_eq(taken.len, e->size);
	ck_assert_int_eq(thaw_archive_get(ar, thaw_key_of(key), &(struct thaw_tag){0}, 0, 0, take,
					  &taken, &call),
			 -ESTALE);
	taken_release(&taken);
}

static unsigned read_all(struct thaw_archive *ar, const char *dir)
{
	struct listed *listed = list_dir(ar, dir);
	unsigned n = 0;

	for (size_t i = 0; i < listed->n; i++) {
		const struct thaw_entry *e = &listed->items[i].entry;
		char key[256];

		(void)snprintf(key, sizeof(key), "%s%s%s", dir, *dir ? "/" : "", e->name);
		read_entry(ar, key, e);
		n++;
		if (e->type == THAW_TYPE_DIR)
			n += read_all(ar, key);
	}
	(void)listed_free(listed);
	return n;
}

static void use(const char *root, const char *version)
{
	struct thaw_archive *ar = open_archive("posix", "path", root, "version", version, NULL);

	ck_assert_int_eq(thaw_archive_start(ar, NULL), 0);
	ck_assert_uint_eq(read_all(ar, ""), PATHS - 2); /* not the root, not the pipe */
	(void)thaw_archive_close(ar);
}

START_TEST(reading_leaves_no_trace)
{
	make_tree();
	remember();
	use(in_scratch("tree"), "ctime");
	use(in_scratch("tree"), "mtime");
	compare(false);
}
END_TEST

/* Were it not for O_NOATIME, the test above would fail; unless the file system
 * keeps no access times, where it proves nothing. */
START_TEST(the_file_system_keeps_access_times)
{
	struct statx after;
	char byte;
	int fd;

	make_tree();
	remember();
	fd = openat(scratch_fd, "tree/file", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(read(fd, &byte, 1), 1);
	(void)close(fd);
	look("tree/file", &after);
	if (same_time(&before[1].stx_atime, &after.stx_atime))
		printf("no access times here: reading_leaves_no_trace proves less\n");
}
END_TEST

/* --- where writing is forbidden -------------------------------------------------------- */

static int mount_read_only(const char *from, const char *to)
{
	if (!private_mounts())
		return -EPERM;
	if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	if (mount(NULL, to, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return -errno;
	return 0;
}

/* In a child, whose mounts end with it.  77: not allowed to mount here. */
static int use_read_only(void)
{
	int fd;

	if (mount_read_only(in_scratch("tree"), in_scratch("ro")) < 0)
		return 77;
	fd = openat(scratch_fd, "ro/file", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 || errno != EROFS)
		return 1;
	use(in_scratch("ro"), "ctime");
	use(in_scratch("ro"), "mtime");
	return 0;
}

START_TEST(a_read_only_mount_is_enough)
{
	int status;
	pid_t pid;

	make_tree();
	put_dir("ro");
	remember();
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(use_read_only());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		printf("not allowed to mount: not tried on a read-only mount\n");
		return;
	}
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	compare(true);
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		reading_leaves_no_trace,
		the_file_system_keeps_access_times,
		a_read_only_mount_is_enough,
	};

	return run_suite(suite_of("archive", "posix_quiet", TESTS_OF(tests)));
}
