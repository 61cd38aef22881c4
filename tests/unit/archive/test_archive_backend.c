/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scratch.h"

#include <errno.h>
#include <string.h>

#include "archive/backend.h"
#include "base/clock.h"

START_TEST(plain_keys)
{
	static const char *const plain[] = {"", "a", "a/b", "...", ".a", "a/..b/c", "-", "\\", " "};
	static const char *const other[] = {".",      "..",   "a/.",  "./a",
					    "a/../b", "a//b", "..//", "a/.."};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		ck_assert_msg(thaw_archive_key_is_plain(thaw_key_of(plain[i])), "%s", plain[i]);
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		ck_assert_msg(!thaw_archive_key_is_plain(thaw_key_of(other[i])), "%s", other[i]);
	/* only the first `len` bytes count */
	ck_assert(thaw_archive_key_is_plain((struct thaw_key){"a/..", 3 - 2}));
	ck_assert(thaw_archive_key_is_plain((struct thaw_key){NULL, 0}));
}
END_TEST

START_TEST(keys_as_text)
{
	char text[THAW_KEY_TEXT];
	char longer[1000];

	ck_assert_str_eq(thaw_archive_key_text(text, thaw_key_of("a\n\xff/b")), "a\\012\\377/b");
	memset(longer, 'x', sizeof(longer));
	(void)thaw_archive_key_text(text, (struct thaw_key){longer, sizeof(longer)});
	ck_assert_uint_eq(strlen(text), THAW_KEY_TEXT - 1);
}
END_TEST

START_TEST(sleeping)
{
	const struct thaw_call call = {0};
	int64_t start_ns = thaw_clock_mono_ns();

	ck_assert_int_eq(thaw_archive_sleep(&call, 25 * THAW_NS_PER_MS), 0);
	ck_assert_int_ge(thaw_clock_mono_ns() - start_ns, 25 * THAW_NS_PER_MS);
	ck_assert_int_eq(thaw_archive_sleep(&call, 0), 0);
	ck_assert_int_eq(thaw_archive_sleep(&call, -5), 0);
}
END_TEST

START_TEST(sleeping_no_longer_than_wanted)
{
	const atomic_int cancel = 1;
	const struct thaw_call call = {.cancel = &cancel};
	int64_t start_ns = thaw_clock_mono_ns();

	ck_assert_int_eq(thaw_archive_sleep(&call, INT64_MAX), -ECANCELED);
	ck_assert_int_lt(thaw_clock_mono_ns() - start_ns, 10 * THAW_NS_PER_S);
}
END_TEST

START_TEST(unknown_keys_name_line_and_mend)
{
	struct thaw_archive *ar = NULL;
	struct thaw_err err = {""};

	ck_assert_int_eq(try_archive(&ar, &err, "posix", "path", scratch, "pahts", "x", NULL),
			 -EINVAL);
	ck_assert_str_eq(err.text, "archive a, line 11: unknown key \"pahts\" for type = posix: "
				   "use path, version");
	ck_assert_int_eq(try_archive(&ar, &err, "mem", "path", "/", NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "use none"));
	ck_assert_int_eq(try_archive(&ar, NULL, "mem", "path", "/", NULL), -EINVAL);
	ck_assert_ptr_null(ar);
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		plain_keys,
		keys_as_text,
		sleeping,
		sleeping_no_longer_than_wanted,
		unknown_keys_name_line_and_mend,
	};

	return run_suite(suite_of("archive", "backend", TESTS_OF(tests)));
}
