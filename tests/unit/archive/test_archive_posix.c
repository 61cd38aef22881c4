/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opening a directory as an archive, stat(), and what errors become.
 */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "archive/posix.h"
#include "base/clock.h"

static struct thaw_err err;
static const struct thaw_call call = {.err = &err};

/* --- configuration --------------------------------------------------------------------- */

static int try_open(const char *key, const char *value)
{
	struct thaw_archive *ar = NULL;
	int rc = try_archive(&ar, &err, "posix", key, value, NULL);

	ck_assert((rc == 0) == (ar != NULL));
	(void)thaw_archive_close(ar);
	return rc;
}

START_TEST(opens_a_directory)
{
	ck_assert_int_eq(try_open("path", scratch), 0);
	ck_assert_str_eq(err.text, "");
}
END_TEST

START_TEST(a_wrong_path_is_an_error_at_once)
{
	put_text("file", "x");
	ck_assert_int_eq(try_open("path", in_scratch("none")), -EIO);
	ck_assert_ptr_nonnull(strstr(err.text, "No such file or directory"));
	ck_assert_ptr_nonnull(strstr(err.text, "mounted?"));
	ck_assert_int_eq(try_open("path", in_scratch("file")), -EIO);
	ck_assert_int_eq(try_open("path", "relative"), -EINVAL);
	ck_assert_str_eq(err.text,
			 "archive a, line 10: path = relative: give a directory, from the root");
	ck_assert_int_eq(try_open("version", "ctime"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "archive a, line 3: path is missing"));
}
END_TEST

START_TEST(version_is_ctime_or_mtime)
{
	struct thaw_archive *ar = NULL;

	ck_assert_int_eq(try_archive(&ar, &err, "posix", "path", scratch, "version", "atime", NULL),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "line 11: version = atime: use ctime or mtime"));
	ar = open_archive("posix", "path", scratch, "version", "ctime", NULL);
	(void)thaw_archive_close(ar);
	ar = open_archive("posix", "path", scratch, "version", "mtime", NULL);
	(void)thaw_archive_close(ar);
}
END_TEST

static void open_secret(void)
{
	ck_assert_int_eq(try_open("path", in_scratch("secret")), -EACCES);
}

START_TEST(a_closed_directory_is_no_archive)
{
	put_dir("secret");
	ck_assert_int_eq(fchmodat(scratch_fd, "secret", 0711, 0), 0);
	if (!is_root())
		ck_assert_int_eq(fchmodat(scratch_fd, "secret", 0, 0), 0);
	as_nobody(open_secret);
}
END_TEST

START_TEST(everything_is_online)
{
	struct thaw_archive *ar = open_scratch();

	ck_assert(!thaw_archive_recalls(ar));
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- stat ------------------------------------------------------------------------------ */

START_TEST(stat_tells_attributes)
{
	struct thaw_archive *ar = open_scratch();
	const struct timespec times[2] = {{0, UTIME_OMIT}, {1234567890, 123456789}};
	struct thaw_entry e;

	put_dir("d");
	put_text("d/file", "hello");
	ck_assert_int_eq(fchmodat(scratch_fd, "d/file", 04750, 0), 0);
	ck_assert_int_eq(utimensat(scratch_fd, "d/file", times, 0), 0);
	e = stat_key(ar, "d/file");
	ck_assert_int_eq(e.type, THAW_TYPE_FILE);
	ck_assert_ptr_null(e.name);
	ck_assert_uint_eq(e.mode, 04750);
	ck_assert_uint_eq(e.size, 5);
	ck_assert_int_eq(e.mtime_ns, INT64_C(1234567890123456789));
	ck_assert_int_gt(e.ctime_ns, e.mtime_ns);
	ck_assert_uint_eq(e.uid, geteuid());
	ck_assert_uint_gt(e.tag.len, 0);
	ck_assert_uint_eq(e.link_id, 0);
	ck_assert_int_eq(e.avail, THAW_AVAIL_ONLINE);
	e = stat_key(ar, "d");
	ck_assert_int_eq(e.type, THAW_TYPE_DIR);
	ck_assert_uint_eq(e.tag.len, 0);
	e = stat_key(ar, "");
	ck_assert_int_eq(e.type, THAW_TYPE_DIR);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(stat_does_not_follow_links)
{
	struct thaw_archive *ar = open_scratch();

	put_dir("d");
	put_text("d/file", "hello");
	ck_assert_int_eq(symlinkat("d/file", scratch_fd, "link"), 0);
	ck_assert_int_eq(symlinkat("nowhere", scratch_fd, "broken"), 0);
	ck_assert_int_eq(symlinkat("d", scratch_fd, "dirlink"), 0);
	ck_assert_int_eq(stat_key(ar, "link").type, THAW_TYPE_SYMLINK);
	ck_assert_uint_eq(stat_key(ar, "link").size, 6);
	ck_assert_int_eq(stat_key(ar, "broken").type, THAW_TYPE_SYMLINK);
	ck_assert_int_eq(stat_key(ar, "dirlink").type, THAW_TYPE_SYMLINK);
	ck_assert_int_eq(
		thaw_archive_stat(ar, thaw_key_of("dirlink/file"), &(struct thaw_entry){0}, &call),
		-ENOENT);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(stat_of_what_is_not_there)
{
	static const char *const keys[] = {"none",      "none/x", "file/x", "d/./file",
					   "d/../file", "..",     ".",      "d//file"};
	struct thaw_archive *ar = open_scratch();
	struct thaw_entry e;

	put_text("file", "x");
	put_dir("d");
	put_text("d/file", "x");
	ck_assert_int_eq(mkfifoat(scratch_fd, "pipe", 0644), 0);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		ck_assert_msg(thaw_archive_stat(ar, thaw_key_of(keys[i]), &e, &call) == -ENOENT,
			      "%s: %s", keys[i], err.text);
		ck_assert_str_ne(err.text, "");
	}
	ck_assert_int_eq(thaw_archive_stat(ar, thaw_key_of("pipe"), &e, &call), -ENOENT);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(names_in_messages_are_printable)
{
	struct thaw_archive *ar = open_scratch();
	struct thaw_entry e;

	ck_assert_int_eq(thaw_archive_stat(ar, thaw_key_of("a\033[2Jb"), &e, &call), -ENOENT);
	ck_assert_ptr_null(strchr(err.text, '\033'));
	ck_assert_ptr_nonnull(strstr(err.text, "a\\033[2Jb"));
	(void)thaw_archive_close(ar);
}
END_TEST

static void stat_secret(void)
{
	struct thaw_archive *ar = open_scratch();
	struct thaw_entry e;

	ck_assert_int_eq(thaw_archive_stat(ar, thaw_key_of("secret/file"), &e, &call), -EACCES);
	ck_assert_int_eq(list_code(ar, "secret", &err), -EACCES);
	ck_assert_ptr_nonnull(strstr(err.text, "Permission denied"));
	(void)thaw_archive_close(ar);
}

START_TEST(what_may_not_be_seen_is_not_absent)
{
	put_dir("secret");
	put_text("secret/file", "x");
	ck_assert_int_eq(fchmodat(scratch_fd, "secret", 0, 0), 0);
	as_nobody(stat_secret);
}
END_TEST

/* --- codes ----------------------------------------------------------------------------- */

START_TEST(codes_of_the_file_system)
{
	static const int again[] = {ESTALE,       EAGAIN, EBUSY,  ETIMEDOUT, ENOTCONN, EHOSTDOWN,
				    ECONNREFUSED, EMFILE, ENFILE, ENOMEM,    EINTR,    ENODATA};
	static const int io[] = {EIO, EREMOTEIO, EUCLEAN, ENODEV, EINVAL, EOVERFLOW};

	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++)
		ck_assert_int_eq(thaw_posix_code(again[i]), -EAGAIN);
	for (size_t i = 0; i < sizeof(io) / sizeof(io[0]); i++)
		ck_assert_int_eq(thaw_posix_code(io[i]), -EIO);
	ck_assert_int_eq(thaw_posix_code(EACCES), -EACCES);
	ck_assert_int_eq(thaw_posix_code(EPERM), -EACCES);
	ck_assert_int_eq(thaw_posix_code(ENOENT), -ENOENT);
	ck_assert_int_eq(thaw_posix_code(ENAMETOOLONG), -ENOENT);
	ck_assert_int_eq(thaw_posix_code(ENOTDIR), -ENOTDIR);
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		opens_a_directory,
		a_wrong_path_is_an_error_at_once,
		version_is_ctime_or_mtime,
		a_closed_directory_is_no_archive,
		everything_is_online,
		stat_tells_attributes,
		stat_does_not_follow_links,
		stat_of_what_is_not_there,
		names_in_messages_are_printable,
		what_may_not_be_seen_is_not_absent,
		codes_of_the_file_system,
	};

	return run_suite(suite_of("archive", "posix", TESTS_OF(tests)));
}
