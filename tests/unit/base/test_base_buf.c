/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "../suite.h"

START_TEST(empty_is_a_string)
{
	struct thaw_buf buf;

	thaw_buf_init(&buf, 10);
	ck_assert_str_eq(buf.data, "");
	thaw_buf_clear(&buf);
	ck_assert_int_eq(thaw_buf_add(&buf, "", 0), 0);
	ck_assert_str_eq(buf.data, "");
	thaw_buf_release(&buf);
}
END_TEST

START_TEST(appends_of_all_kinds)
{
	struct thaw_buf buf;

	thaw_buf_init(&buf, 1000);
	thaw_buf_adds(&buf, "one");
	thaw_buf_add(&buf, ",\0,", 3);
	thaw_buf_addf(&buf, "%s-%d", "two", 3);
	ck_assert_uint_eq(buf.len, 11);
	ck_assert_int_eq(memcmp(buf.data, "one,\0,two-3", 12), 0);
	ck_assert_int_eq(buf.error, 0);
	thaw_buf_release(&buf);
}
END_TEST

START_TEST(grows_to_the_limit_and_no_further)
{
	struct thaw_buf buf;

	thaw_buf_init(&buf, 300);
	for (int i = 0; i < 300; i++)
		ck_assert_int_eq(thaw_buf_add(&buf, "x", 1), 0);
	ck_assert_int_eq(thaw_buf_add(&buf, "", 0), 0);
	ck_assert_int_eq(thaw_buf_add(&buf, "x", 1), -E2BIG);
	ck_assert_uint_eq(buf.len, 300);
	ck_assert_uint_eq(strlen(buf.data), 300);
	thaw_buf_release(&buf);
}
END_TEST

START_TEST(the_first_error_sticks)
{
	struct thaw_buf buf;

	thaw_buf_init(&buf, 4);
	ck_assert_int_eq(thaw_buf_addf(&buf, "%s", "12345"), -E2BIG);
	ck_assert_uint_eq(buf.len, 0);
	ck_assert_int_eq(thaw_buf_adds(&buf, "1"), -E2BIG);
	ck_assert_ptr_null(thaw_buf_steal(&buf));
	thaw_buf_clear(&buf);
	ck_assert_int_eq(thaw_buf_adds(&buf, "1"), 0);
	thaw_buf_release(&buf);
}
END_TEST

START_TEST(a_length_that_overflows_is_too_big)
{
	struct thaw_buf buf;

	thaw_buf_init(&buf, (size_t)-1);
	thaw_buf_adds(&buf, "x");
	ck_assert_int_eq(thaw_buf_add(&buf, "y", (size_t)-1), -E2BIG);
	thaw_buf_release(&buf);
	ck_assert_int_eq(thaw_buf_add(&buf, "y", (size_t)-1), -E2BIG);
	thaw_buf_release(&buf);
}
END_TEST

START_TEST(steal_hands_over_and_starts_anew)
{
	struct thaw_buf buf;
	char *text;

	thaw_buf_init(&buf, 100);
	text = thaw_buf_steal(&buf); /* of an empty one too */
	ck_assert_str_eq(text, "");
	free(text);
	thaw_buf_adds(&buf, "mine");
	text = thaw_buf_steal(&buf);
	ck_assert_str_eq(text, "mine");
	free(text);
	ck_assert_str_eq(buf.data, "");
	thaw_buf_adds(&buf, "again");
	ck_assert_str_eq(buf.data, "again");
	thaw_buf_release(&buf);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, empty_is_a_string);
	tcase_add_test(tcase, appends_of_all_kinds);
	tcase_add_test(tcase, grows_to_the_limit_and_no_further);
	tcase_add_test(tcase, the_first_error_sticks);
	tcase_add_test(tcase, a_length_that_overflows_is_too_big);
	tcase_add_test(tcase, steal_hands_over_and_starts_anew);
}

int main(void)
{
	return run_suite("buf", add);
}
