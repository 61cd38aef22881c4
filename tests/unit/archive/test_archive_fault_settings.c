/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scratch.h"

#include <errno.h>
#include <string.h>

#include "archive/fault.h"

static struct thaw_fault_settings s;
static struct thaw_err err;

static int parse(const char *text)
{
	s = thaw_fault_settings_none;
	err = (struct thaw_err){""};
	return thaw_fault_settings_parse(&s, text, &err);
}

START_TEST(nothing_goes_wrong_by_itself)
{
	ck_assert_int_eq(parse(""), 0);
	ck_assert_int_eq(parse("\n\n  # a comment\n\t\n"), 0);
	ck_assert_uint_eq(s.delay, 0);
	ck_assert_uint_eq(s.endless, 0);
	ck_assert_uint_eq(s.error_rate, 0);
	ck_assert_uint_eq(s.stall_after, UINT64_MAX);
	ck_assert_int_eq(thaw_fault_settings_code(&s, thaw_key_of("any")), 0);
}
END_TEST

START_TEST(every_key)
{
	ck_assert_int_eq(
		parse("delay = 40\n list_delay=5 \nrate = 1M # a comment\nstall_after = 4K\n"
		      "seed = 18446744073709551615\nendless = yes\ndown = true\n"
		      "error_rate = 1\neagain_rate = 2%\nshort_rate = 3\nflip_rate = 4\n"
		      "stale_rate = 100\nfail_keys = a:EIO"),
		0);
	ck_assert_uint_eq(s.delay, 40);
	ck_assert_uint_eq(s.list_delay, 5);
	ck_assert_uint_eq(s.rate, 1048576);
	ck_assert_uint_eq(s.stall_after, 4096);
	ck_assert_uint_eq(s.seed, UINT64_MAX);
	ck_assert_uint_eq(s.endless, 1);
	ck_assert_uint_eq(s.down, 1);
	ck_assert_uint_eq(s.error_rate, 1);
	ck_assert_uint_eq(s.eagain_rate, 2);
	ck_assert_uint_eq(s.short_rate, 3);
	ck_assert_uint_eq(s.flip_rate, 4);
	ck_assert_uint_eq(s.stale_rate, 100);
	ck_assert_int_eq(thaw_fault_settings_code(&s, thaw_key_of("xay")), -EIO);
}
END_TEST

START_TEST(the_last_line_wins)
{
	ck_assert_int_eq(parse("endless = yes\nendless = no\nstall_after = 5\nstall_after = no\n"),
			 0);
	ck_assert_uint_eq(s.endless, 0);
	ck_assert_uint_eq(s.stall_after, UINT64_MAX);
}
END_TEST

START_TEST(wrong_lines_say_so)
{
	static const char *const wrong[] = {
		"delay = -1",
		"delay = 99999999999",
		"delay =",
		"error_rate = 101",
		"endless = perhaps",
		"rate = fast",
		"fail_keys = a",
		"fail_keys = a:EWHAT",
		"fail_keys = :EIO",
		"fail_keys = a:",
		"fail_keys = a:EIO b",
		"unknown = 1",
		"no equals sign",
		"= 1",
		"delay 40",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_msg(parse(wrong[i]) == -EINVAL, "%s", wrong[i]);
		ck_assert_ptr_nonnull(strstr(err.text, "line 1: "));
	}
	ck_assert_int_eq(parse("delay = 1\n\nerror_rate = 200\n"), -EINVAL);
	ck_assert_str_eq(err.text, "line 3: error_rate = 200: give 0 to 100");
}
END_TEST

START_TEST(long_lines_are_refused)
{
	char text[4096];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(parse(text), -EINVAL);
	memcpy(text, "fail_keys = ", 12);
	text[400] = '\0';
	ck_assert_int_eq(parse(text), -EINVAL);
}
END_TEST

START_TEST(keys_that_fail)
{
	ck_assert_int_eq(parse("fail_keys = broken/:EIO  a:b:EACCES\tgone:ENOENT full:ENOSPC"), 0);
	ck_assert_int_eq(thaw_fault_settings_code(&s, thaw_key_of("x/broken/y")), -EIO);
	ck_assert_int_eq(thaw_fault_settings_code(&s, thaw_key_of("x/broken")), 0);
	ck_assert_int_eq(thaw_fault_settings_code(&s, thaw_key_of("xa:by")), -EACCES);
	ck_assert_int_eq(thaw_fault_settings_code(&s, thaw_key_of("gone")), -ENOENT);
	ck_assert_int_eq(thaw_fault_settings_code(&s, thaw_key_of("full")), -ENOSPC);
	ck_assert_int_eq(thaw_fault_settings_code(&s, thaw_key_of("")), 0);
	/* the first that fits */
	ck_assert_int_eq(thaw_fault_settings_code(&s, thaw_key_of("gone/broken/")), -EIO);
	/* keys are bytes */
	ck_assert_int_eq(thaw_fault_settings_code(&s, (struct thaw_key){"\xffgone\n", 6}), -ENOENT);
	ck_assert_int_eq(thaw_fault_settings_code(&s, (struct thaw_key){"gone", 3}), 0);
}
END_TEST

START_TEST(own_keys)
{
	ck_assert(thaw_fault_settings_has("delay"));
	ck_assert(thaw_fault_settings_has("fail_keys"));
	ck_assert(!thaw_fault_settings_has("path"));
	ck_assert(!thaw_fault_settings_has("control"));
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		nothing_goes_wrong_by_itself,
		every_key,
		the_last_line_wins,
		wrong_lines_say_so,
		long_lines_are_refused,
		keys_that_fail,
		own_keys,
	};

	return run_suite(suite_of("archive", "fault_settings", TESTS_OF(tests)));
}
