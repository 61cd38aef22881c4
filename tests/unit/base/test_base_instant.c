/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <inttypes.h>

#include "base/units.h"
#include "../suite.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct {
	const char *text;
	int rc;
	int64_t at;
} instants[] = {
	{"1970-01-01", 0, 0},
	{"2026-12-01", 0, 1796083200},
	{"2026-12-01T00:00:00Z", 0, 1796083200},
	{"2026-12-01T00:00:00", 0, 1796083200},
	{"2026-12-01 00:00", 0, 1796083200},
	{"2026-12-01T00:00:00.999Z", 0, 1796083200},
	{"2026-12-01T01:30:00+01:30", 0, 1796083200},
	{"2026-11-30T19:00-05:00", 0, 1796083200},
	{"2024-02-29T12:00:00Z", 0, 1709208000},
	{"1969-12-31T23:59:59Z", 0, -1},
	{"2026-02-29", -EINVAL, 0},
	{"2026-13-01", -EINVAL, 0},
	{"2026-00-01", -EINVAL, 0},
	{"2026-04-31", -EINVAL, 0},
	{"2026-12-01T24:00:00Z", -EINVAL, 0},
	{"2026-12-01T00:60:00Z", -EINVAL, 0},
	{"2026-12-01T00:00:60Z", -EINVAL, 0},
	{"2026-12-01T00:00:00.Z", -EINVAL, 0},
	{"2026-12-01T00:00:00+1:30", -EINVAL, 0},
	{"2026-12-01T00:00:00+24:00", -EINVAL, 0},
	{"2026-12-01T00:00:00ZZ", -EINVAL, 0},
	{"2026-12-01T", -EINVAL, 0},
	{"2026-12-01Z", -EINVAL, 0},
	{"2026-12-1", -EINVAL, 0},
	{"26-12-01", -EINVAL, 0},
	{"20261201", -EINVAL, 0},
	{"tomorrow", -EINVAL, 0},
	{"", -EINVAL, 0},
};

START_TEST(instants_are_read)
{
	int64_t at = 77;

	ck_assert_msg(thaw_parse_instant(instants[_i].text, &at) == instants[_i].rc, "%s",
		      instants[_i].text);
	ck_assert_msg(at == (instants[_i].rc ? 77 : instants[_i].at), "%s: %" PRId64,
		      instants[_i].text, at);
}
END_TEST

START_TEST(the_time_zone_of_the_process_does_not_matter)
{
	int64_t at;

	ck_assert_int_eq(setenv("TZ", "Pacific/Auckland", 1), 0);
	ck_assert_int_eq(thaw_parse_instant("2026-12-01T00:00:00Z", &at), 0);
	ck_assert_int_eq(at, 1796083200);
}
END_TEST

START_TEST(instants_are_shown)
{
	char text[THAW_INSTANT_TEXT];

	ck_assert_str_eq(thaw_format_instant(text, 1796083200), "2026-12-01T00:00:00Z");
	ck_assert_str_eq(thaw_format_instant(text, 253402300799), "9999-12-31T23:59:59Z");
	ck_assert_str_eq(thaw_format_instant(text, 253402300800), "@253402300800");
	ck_assert_str_eq(thaw_format_instant(text, INT64_MAX), "@9223372036854775807");
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_loop_test(tcase, instants_are_read, 0, COUNT(instants));
	tcase_add_test(tcase, the_time_zone_of_the_process_does_not_matter);
	tcase_add_test(tcase, instants_are_shown);
}

int main(void)
{
	return run_suite("instant", add);
}
