/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes of one version, whatever happens to the file meanwhile.  What
 * happens is done by the sink, in the middle of the transfer.
 */
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/posix.h"
#include "base/clock.h"
#include "base/thread.h"

#define MIB ((size_t)1 << 20)

static struct thaw_err err;
static const struct thaw_call call = {.err = &err};

/* Bytes that tell where they stand. */
static uint8_t *make_bytes(size_t len)
{
	uint8_t *bytes = malloc(len + 1);

	thaw_archive_mem_pattern(1, 0, bytes, len);
	return bytes;
}

static void put_pattern(const char *path, size_t len)
{
	uint8_t *bytes = make_bytes(len);

	put_file(path, bytes, len);
	free(bytes);
}

/* --- what is there --------------------------------------------------------------------- */

START_TEST(whole_files)
{
	static const size_t sizes[] = {0, 1, 4096, MIB - 1, MIB, MIB + 1, 3 * MIB, 3 * MIB + 17};
	struct thaw_archive *ar = open_scratch();
	uint8_t *bytes = make_bytes(4 * MIB);
	struct taken taken = {0};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put_pattern("file", sizes[i]);
		ck_assert_int_eq(get_all(ar, "file", &taken, &err), 0);
		ck_assert_uint_eq(taken.len, sizes[i]);
		ck_assert_int_eq(memcmp(bytes, taken.len ? taken.data : bytes, taken.len), 0);
		ck_assert_uint_eq(taken.calls, (sizes[i] + MIB - 1) / MIB);
	}
	taken_release(&taken);
	free(bytes);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(parts_of_files)
{
	static const size_t ranges[][2] = {{0, 0},           {5, 0},          {2 * MIB, 0},
					   {0, 1},           {MIB - 1, 2},    {100, MIB},
					   {1, 2 * MIB - 1}, {2 * MIB - 1, 1}};
	struct thaw_archive *ar = open_scratch();
	uint8_t *bytes = make_bytes(2 * MIB);
	struct thaw_entry e;

	put_pattern("file", 2 * MIB);
	e = stat_key(ar, "file");
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct taken taken = {0};
		int rc = thaw_archive_get(ar, thaw_key_of("file"), &e.tag, ranges[i][0],
					  ranges[i][1], take, &taken, &call);

		ck_assert_msg(rc == 0, "%s", err.text);
		ck_assert_uint_eq(taken.len, ranges[i][1]);
		if (taken.len)
			ck_assert_mem_eq(taken.data, bytes + ranges[i][0], taken.len);
		taken_release(&taken);
	}
	free(bytes);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(a_range_past_the_end)
{
	struct thaw_archive *ar = open_scratch();
	struct taken taken = {0};
	struct thaw_entry e;

	put_text("file", "0123456789");
	e = stat_key(ar, "file");
	ck_assert_int_eq(
		thaw_archive_get(ar, thaw_key_of("file"), &e.tag, 5, 6, take, &taken, &call), -EIO);
	ck_assert_int_eq(
		thaw_archive_get(ar, thaw_key_of("file"), &e.tag, 11, 0, take, &taken, &call),
		-EIO);
	ck_assert_uint_eq(taken.len, 0);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(holes_are_zeros)
{
	const off_t far = INT64_C(6) << 30;
	struct thaw_archive *ar = open_scratch();
	struct taken taken = {0};
	size_t filled = 0;
	struct thaw_entry e;
	int fd = openat(scratch_fd, "sparse", O_WRONLY | O_CREAT, 0644);

	ck_assert_int_eq(pwrite(fd, "end", 3, far), 3);
	(void)close(fd);
	e = stat_key(ar, "sparse");
	ck_assert_uint_eq(e.size, (uint64_t)far + 3);
	ck_assert_int_eq(thaw_archive_get(ar, thaw_key_of("sparse"), &e.tag,
					  (uint64_t)far - 2 * MIB, 2 * MIB + 3, take, &taken,
					  &call),
			 0);
	ck_assert_uint_eq(taken.len, 2 * MIB + 3);
	for (size_t i = 0; i < 2 * MIB; i++)
		filled += taken.data[i] != 0;
	ck_assert_uint_eq(filled, 0);
	ck_assert_mem_eq(taken.data + 2 * MIB, "end", 3);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- another version ------------------------------------------------------------------- */

static void expect_stale(struct thaw_archive *ar, const struct thaw_tag *tag)
{
	struct taken taken = {0};
	int rc = thaw_archive_get(ar, thaw_key_of("file"), tag, 0, 1, take, &taken, &call);

	ck_assert_msg(rc == -ESTALE, "%d %s", rc, err.text);
	ck_assert_uint_eq(taken.len, 0);
	ck_assert_ptr_nonnull(strstr(err.text, "/file: "));
}

START_TEST(an_older_version_is_not_served)
{
	struct thaw_archive *ar = open_scratch();
	struct thaw_entry e;

	put_text("file", "one");
	e = stat_key(ar, "file");
	put_text("other", "two");
	ck_assert_int_eq(renameat(scratch_fd, "other", scratch_fd, "file"), 0);
	expect_stale(ar, &e.tag);
	e = stat_key(ar, "file");
	put_text("file", "three");
	expect_stale(ar, &e.tag);
	expect_stale(ar, &(struct thaw_tag){0});
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(what_stands_there_now_is_no_file)
{
	struct thaw_archive *ar = open_scratch();
	struct thaw_entry e;

	put_text("file", "one");
	e = stat_key(ar, "file");
	ck_assert_int_eq(unlinkat(scratch_fd, "file", 0), 0);
	ck_assert_int_eq(mkfifoat(scratch_fd, "file", 0644), 0);
	expect_stale(ar, &e.tag); /* and does not wait for a writer */
	ck_assert_ptr_nonnull(strstr(err.text, "no longer a regular file"));
	ck_assert_int_eq(unlinkat(scratch_fd, "file", 0), 0);
	put_dir("file");
	expect_stale(ar, &e.tag);
	ck_assert_int_eq(unlinkat(scratch_fd, "file", AT_REMOVEDIR), 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", scratch_fd, "file"), 0);
	expect_stale(ar, &e.tag);
	ck_assert_int_eq(unlinkat(scratch_fd, "file", 0), 0);
	ck_assert_int_eq(thaw_archive_get(ar, thaw_key_of("file"), &e.tag, 0, 1, take, NULL, &call),
			 -ENOENT);
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- meanwhile ------------------------------------------------------------------------- */

struct meddler {
	struct taken taken;
	void (*act)(void);
	atomic_int cancel;
	int answer;
};

static int meddle(void *ctx, uint64_t off, const void *data, size_t len)
{
	struct meddler *m = ctx;

	if (m->taken.calls == 0 && m->act)
		m->act();
	(void)take(&m->taken, off, data, len);
	return m->answer;
}

/* 3 MiB are read, and `act` comes after the first. */
static int get_meddling(struct thaw_archive *ar, void (*act)(void), size_t *ret_len)
{
	struct meddler m = {.act = act};
	uint8_t *bytes = make_bytes(3 * MIB);
	struct thaw_entry e;
	int rc;

	put_pattern("file", 3 * MIB);
	e = stat_key(ar, "file");
	rc = thaw_archive_get(ar, thaw_key_of("file"), &e.tag, 0, e.size, meddle, &m, &call);
	if (rc == 0) {
		ck_assert_uint_eq(m.taken.len, 3 * MIB);
		ck_assert_mem_eq(m.taken.data, bytes, 3 * MIB);
	}
	if (ret_len)
		*ret_len = m.taken.len;
	taken_release(&m.taken);
	free(bytes);
	return rc;
}

static int open_file(int flags)
{
	int fd = openat(scratch_fd, "file", flags);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void act_append(void)
{
	int fd = open_file(O_WRONLY | O_APPEND);

	ck_assert_int_eq(write(fd, "x", 1), 1);
	(void)close(fd);
}

static void act_overwrite(void)
{
	int fd = open_file(O_WRONLY);

	ck_assert_int_eq(pwrite(fd, "x", 1, 2 * MIB), 1);
	(void)close(fd);
}

/* As cp -p, rsync -t or a virus would: the size and mtime of before. */
static void act_overwrite_secretly(void)
{
	int fd = open_file(O_WRONLY);
	struct timespec times[2];
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(pwrite(fd, "x", 1, 2 * MIB), 1);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	ck_assert_int_eq(futimens(fd, times), 0);
	(void)close(fd);
}

static void act_truncate(void)
{
	ck_assert_int_eq(truncate(in_scratch("file"), 2 * MIB + 5), 0);
}

static void act_replace(void)
{
	put_text("other", "another");
	ck_assert_int_eq(renameat(scratch_fd, "other", scratch_fd, "file"), 0);
}

static void act_unlink(void)
{
	ck_assert_int_eq(unlinkat(scratch_fd, "file", 0), 0);
}

static void act_chmod(void)
{
	ck_assert_int_eq(fchmodat(scratch_fd, "file", 0600, 0), 0);
}

START_TEST(a_file_that_changes_while_it_is_read)
{
	static void (*const acts[])(void) = {act_append, act_overwrite, act_overwrite_secretly,
					     act_replace, act_unlink};
	struct thaw_archive *ar = open_scratch();

	ck_assert_int_eq(get_meddling(ar, NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		int rc = get_meddling(ar, acts[i], NULL);

		ck_assert_msg(rc == -ESTALE, "%zu: %d %s", i, rc, err.text);
		ck_assert_ptr_nonnull(strstr(err.text, "not the version that was listed"));
	}
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(a_file_that_becomes_shorter_while_it_is_read)
{
	struct thaw_archive *ar = open_scratch();
	size_t len;

	ck_assert_int_eq(get_meddling(ar, act_truncate, &len), -ESTALE);
	ck_assert_ptr_nonnull(strstr(err.text, "became shorter"));
	ck_assert_uint_eq(len, 2 * MIB); /* and no made-up bytes */
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(with_mtime_only_the_bytes_count)
{
	struct thaw_archive *ar = open_archive("posix", "path", scratch, "version", "mtime", NULL);

	ck_assert_int_eq(get_meddling(ar, act_chmod, NULL), 0);
	ck_assert_int_eq(get_meddling(ar, act_replace, NULL), 0); /* the old one is still open */
	ck_assert_int_eq(get_meddling(ar, act_unlink, NULL), 0);
	ck_assert_int_eq(get_meddling(ar, act_append, NULL), -ESTALE);
	ck_assert_int_eq(get_meddling(ar, act_overwrite, NULL), -ESTALE);
	(void)thaw_archive_close(ar);
}
END_TEST

/* Listed, written again within the same tick, then read. */
START_TEST(racy_files)
{
	struct thaw_archive *ar = open_scratch();
	unsigned served = 0;

	for (int i = 0; i < 20; i++) {
		struct meddler m = {.act = act_overwrite};
		struct thaw_entry e;
		int rc;

		put_pattern("file", 3 * MIB);
		e = stat_key(ar, "file");
		rc = thaw_archive_get(ar, thaw_key_of("file"), &e.tag, 0, e.size, meddle, &m,
				      &call);
		served += rc == 0;
		taken_release(&m.taken);
	}
	ck_assert_uint_eq(served, 0);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(a_fresh_file_waits_until_its_times_tell)
{
	struct thaw_archive *ar = open_scratch();
	struct taken taken = {0};
	struct stat st;

	put_text("file", "fresh");
	ck_assert_int_eq(fstatat(scratch_fd, "file", &st, 0), 0);
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), 0);
	ck_assert_int_ge(thaw_clock_real_ns(), st.st_ctim.tv_sec * THAW_NS_PER_S +
						       st.st_ctim.tv_nsec + 20 * THAW_NS_PER_MS);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- ends ------------------------------------------------------------------------------ */

START_TEST(cancelled_between_pieces)
{
	struct thaw_archive *ar = open_scratch();
	struct meddler m = {0};
	const struct thaw_call cancelled = {.cancel = &m.cancel, .err = &err};
	struct thaw_entry e;

	put_pattern("file", 3 * MIB);
	e = stat_key(ar, "file");
	atomic_store(&m.cancel, 1);
	ck_assert_int_eq(thaw_archive_get(ar, thaw_key_of("file"), &e.tag, 0, e.size, meddle, &m,
					  &cancelled),
			 -ECANCELED);
	ck_assert_uint_eq(m.taken.len, 0);
	(void)thaw_archive_close(ar);
}
END_TEST

static struct meddler stopper;

static void act_cancel(void)
{
	atomic_store(&stopper.cancel, 1);
}

START_TEST(cancelled_in_the_middle)
{
	struct thaw_archive *ar = open_scratch();
	const struct thaw_call cancelled = {.cancel = &stopper.cancel, .err = &err};
	struct thaw_entry e;

	stopper.act = act_cancel;
	put_pattern("file", 3 * MIB);
	e = stat_key(ar, "file");
	ck_assert_int_eq(thaw_archive_get(ar, thaw_key_of("file"), &e.tag, 0, e.size, meddle,
					  &stopper, &cancelled),
			 -ECANCELED);
	ck_assert_uint_eq(stopper.taken.len, MIB);
	taken_release(&stopper.taken);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(a_sink_that_refuses)
{
	struct thaw_archive *ar = open_scratch();
	struct meddler m = {.answer = -ENOSPC};
	struct thaw_entry e;

	put_pattern("file", 3 * MIB);
	e = stat_key(ar, "file");
	ck_assert_int_eq(
		thaw_archive_get(ar, thaw_key_of("file"), &e.tag, 0, e.size, meddle, &m, &call),
		-ENOSPC);
	ck_assert_uint_eq(m.taken.calls, 1);
	taken_release(&m.taken);
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- permissions ----------------------------------------------------------------------- */

static void read_as_nobody(void)
{
	struct thaw_archive *ar = open_scratch();
	struct taken taken = {0};

	/* another's file: O_NOATIME is refused */
	ck_assert_int_eq(get_all(ar, "open", &taken, &err), 0);
	ck_assert_uint_eq(taken.len, 4);
	ck_assert_int_eq(get_all(ar, "closed", &taken, &err), -EACCES);
	ck_assert_ptr_nonnull(strstr(err.text, "/closed: open: Permission denied"));
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}

START_TEST(files_of_others)
{
	put_text("open", "text");
	put_text("closed", "text");
	ck_assert_int_eq(fchmodat(scratch_fd, "closed", 0, 0), 0);
	as_nobody(read_as_nobody);
}
END_TEST

/* --- how it is opened ------------------------------------------------------------------ */

/* The flags of this process's descriptor of "file". */
static int flags_of_file(int *ret_fd_flags)
{
	DIR *fds = opendir("/proc/self/fd");
	struct dirent *d;
	int flags = -1;

	while (fds && (d = readdir(fds))) {
		char target[256] = "";
		int fd = (int)strtol(d->d_name, NULL, 10);

		if (readlinkat(dirfd(fds), d->d_name, target, sizeof(target) - 1) < 0 ||
		    strcmp(target, in_scratch("file")) != 0)
			continue;
		flags = fcntl(fd, F_GETFL);
		*ret_fd_flags = fcntl(fd, F_GETFD);
	}
	if (fds)
		(void)closedir(fds);
	return flags;
}

static int seen_flags, seen_fd_flags;

static void act_look_at_flags(void)
{
	seen_flags = flags_of_file(&seen_fd_flags);
}

START_TEST(it_is_opened_for_reading_and_no_more)
{
	struct thaw_archive *ar = open_scratch();
	int unused;

	ck_assert_int_eq(get_meddling(ar, act_look_at_flags, NULL), 0);
	ck_assert_int_ne(seen_flags, -1);
	ck_assert_int_eq(seen_flags & O_ACCMODE, O_RDONLY);
	ck_assert_int_ne(seen_flags & O_NOATIME, 0);
	/* reads of an HSM file system must be allowed to take long */
	ck_assert_int_eq(seen_flags & O_NONBLOCK, 0);
	ck_assert_int_eq(seen_fd_flags & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(flags_of_file(&unused), -1); /* and closed after */
	(void)thaw_archive_close(ar);
}
END_TEST

static size_t open_fds(void)
{
	DIR *fds = opendir("/proc/self/fd");
	size_t n = 0;

	while (fds && readdir(fds))
		n++;
	if (fds)
		(void)closedir(fds);
	return n;
}

START_TEST(no_descriptor_stays_behind)
{
	struct thaw_archive *ar = open_scratch();
	size_t before = open_fds();
	struct thaw_entry e;

	(void)get_meddling(ar, act_truncate, NULL);
	(void)get_meddling(ar, act_unlink, NULL);
	(void)get_meddling(ar, NULL, NULL);
	(void)thaw_archive_stat(ar, thaw_key_of("none"), &e, &call);
	(void)list_code(ar, "", &err);
	(void)list_code(ar, "file", &err);
	ck_assert_uint_eq(open_fds(), before);
	(void)thaw_archive_close(ar);
	ck_assert_uint_eq(open_fds(), before - 1);
}
END_TEST

/* --- threads --------------------------------------------------------------------------- */

static void *get_often(void *arg)
{
	struct thaw_archive *ar = arg;
	struct thaw_err own = {""};
	uint8_t *bytes = make_bytes(MIB + 5);
	struct taken taken = {0};
	long bad = 0;

	for (int i = 0; i < 20; i++)
		bad += get_all(ar, "file", &taken, &own) != 0 || taken.len != MIB + 5 ||
		       memcmp(taken.data, bytes, MIB + 5) != 0;
	taken_release(&taken);
	free(bytes);
	return (void *)bad;
}

START_TEST(many_at_once)
{
	struct thaw_archive *ar = open_scratch();
	pthread_t threads[4];

	put_pattern("file", MIB + 5);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(thaw_thread_start(&threads[i], "get", get_often, ar), 0);
	for (size_t i = 0; i < 4; i++) {
		void *bad;

		(void)pthread_join(threads[i], &bad);
		ck_assert_ptr_null(bad);
	}
	(void)thaw_archive_close(ar);
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		whole_files,
		parts_of_files,
		a_range_past_the_end,
		holes_are_zeros,
		an_older_version_is_not_served,
		what_stands_there_now_is_no_file,
		a_file_that_changes_while_it_is_read,
		a_file_that_becomes_shorter_while_it_is_read,
		with_mtime_only_the_bytes_count,
		racy_files,
		a_fresh_file_waits_until_its_times_tell,
		cancelled_between_pieces,
		cancelled_in_the_middle,
		a_sink_that_refuses,
		files_of_others,
		it_is_opened_for_reading_and_no_more,
		no_descriptor_stays_behind,
		many_at_once,
	};

	return run_suite(suite_of("archive", "posix_get", TESTS_OF(tests)));
}
