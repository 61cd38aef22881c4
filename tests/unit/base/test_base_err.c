/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "../suite.h"

START_TEST(set_returns_the_code_and_writes_the_text)
{
	struct thaw_err err;

	ck_assert_int_eq(thaw_err_set(&err, -ENOSPC, "%s: %d bytes short", "cache", 12), -ENOSPC);
	ck_assert_str_eq(err.text, "cache: 12 bytes short");
	ck_assert_int_eq(thaw_err_set(NULL, -EIO, "nobody asked"), -EIO);
}
END_TEST

START_TEST(set_takes_its_own_text_as_argument)
{
	struct thaw_err err = {"inner"};

	thaw_err_set(&err, -EIO, "outer: %s!", err.text);
	ck_assert_str_eq(err.text, "outer: inner!");
}
END_TEST

START_TEST(prefix_stands_before_what_was_there)
{
	struct thaw_err err = {"no such bucket"};

	thaw_err_prefix(&err, "%s:%u", "a.conf", 3u);
	ck_assert_str_eq(err.text, "a.conf:3: no such bucket");
	err.text[0] = '\0';
	thaw_err_prefix(&err, "alone");
	ck_assert_str_eq(err.text, "alone");
	thaw_err_prefix(NULL, "nobody asked");
}
END_TEST

START_TEST(long_texts_are_cut_not_overrun)
{
	struct thaw_err err;
	char big[2 * sizeof(err.text)];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	thaw_err_set(&err, -EIO, "%s", big);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	thaw_err_prefix(&err, "%s", "front");
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	ck_assert_int_eq(strncmp(err.text, "front: xxx", 10), 0);
}
END_TEST

START_TEST(names_of_errors)
{
	ck_assert_str_eq(thaw_err_name(ENOSPC), "ENOSPC");
	ck_assert_str_eq(thaw_err_name(-ENOSPC), "ENOSPC");
	ck_assert_str_eq(thaw_err_name(123456), "EUNKNOWN");
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, set_returns_the_code_and_writes_the_text);
	tcase_add_test(tcase, set_takes_its_own_text_as_argument);
	tcase_add_test(tcase, prefix_stands_before_what_was_there);
	tcase_add_test(tcase, long_texts_are_cut_not_overrun);
	tcase_add_test(tcase, names_of_errors);
}

int main(void)
{
	return run_suite("err", add);
}
