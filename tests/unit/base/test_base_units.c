/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <inttypes.h>

#include "base/units.h"
#include "../suite.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define UNSET       UINT64_C(77)

struct row {
	const char *text;
	int rc;
	uint64_t value;
};

static const struct row sizes[] = {
	{"0", 0, 0},
	{"1", 0, 1},
	{"512B", 0, 512},
	{"64K", 0, 65536},
	{"64k", 0, 65536},
	{"1KB", 0, 1024},
	{"1KiB", 0, 1024},
	{"500G", 0, UINT64_C(500) << 30},
	{"2T", 0, UINT64_C(2) << 40},
	{"1.5G", 0, UINT64_C(3) << 29},
	{"0.001K", 0, 1},
	{"16383P", 0, UINT64_C(16383) << 50},
	{"18446744073709551615", 0, UINT64_MAX},
	{"18446744073709551616", -ERANGE, 0},
	{"16384P", -ERANGE, 0},
	{"99999999999999999999K", -ERANGE, 0},
	{"", -EINVAL, 0},
	{"G", -EINVAL, 0},
	{"-1", -EINVAL, 0},
	{"+1", -EINVAL, 0},
	{" 1", -EINVAL, 0},
	{"1 G", -EINVAL, 0},
	{"1G ", -EINVAL, 0},
	{"1E", -EINVAL, 0},
	{"1iB", -EINVAL, 0},
	{"1Ki", -EINVAL, 0},
	{"1KBB", -EINVAL, 0},
	{"1.5", -EINVAL, 0},
	{"1.G", -EINVAL, 0},
	{".5G", -EINVAL, 0},
	{"1e3", -EINVAL, 0},
	{"0x10", -EINVAL, 0},
	{"99999999999999999999Z", -EINVAL, 0},
};

START_TEST(sizes_are_read)
{
	uint64_t value = UNSET;

	ck_assert_msg(thaw_parse_size(sizes[_i].text, &value) == sizes[_i].rc, "%s",
		      sizes[_i].text);
	ck_assert_msg(value == (sizes[_i].rc ? UNSET : sizes[_i].value), "%s: %" PRIu64,
		      sizes[_i].text, value);
}
END_TEST

static const struct row durations[] = {
	{"0", 0, 0},
	{"0s", 0, 0},
	{"90s", 0, 90},
	{"15m", 0, 900},
	{"12h", 0, 43200},
	{"7d", 0, 604800},
	{"2w", 0, 1209600},
	{"2h05m", 0, 7500},
	{"1d12h30m5s", 0, 131405},
	{"", -EINVAL, 0},
	{"7", -EINVAL, 0}, /* seconds or days? */
	{"d", -EINVAL, 0},
	{"5m2h", -EINVAL, 0},
	{"5m5m", -EINVAL, 0},
	{"1h30", -EINVAL, 0},
	{"-1s", -EINVAL, 0},
	{"1 h", -EINVAL, 0},
	{"1y", -EINVAL, 0},
	{"1H", -EINVAL, 0},
	{"9223372036854775807s", 0, INT64_MAX},
	{"9223372036854775808s", -ERANGE, 0},
	{"99999999999999999999w", -ERANGE, 0},
};

START_TEST(durations_are_read)
{
	int64_t value = (int64_t)UNSET;

	ck_assert_msg(thaw_parse_duration(durations[_i].text, &value) == durations[_i].rc, "%s",
		      durations[_i].text);
	ck_assert_msg((uint64_t)value == (durations[_i].rc ? UNSET : durations[_i].value),
		      "%s: %" PRId64, durations[_i].text, value);
}
END_TEST

static const struct row percents[] = {
	{"0", 0, 0},          {"95%", 0, 95},       {"95", 0, 95},        {"100%", 0, 100},
	{"101%", -ERANGE, 0}, {"%", -EINVAL, 0},    {"", -EINVAL, 0},     {"9.5%", -EINVAL, 0},
	{"-1", -EINVAL, 0},   {"95%%", -EINVAL, 0}, {"95 %", -EINVAL, 0},
};

START_TEST(percents_are_read)
{
	unsigned value = UNSET;

	ck_assert_msg(thaw_parse_percent(percents[_i].text, &value) == percents[_i].rc, "%s",
		      percents[_i].text);
	ck_assert_uint_eq(value, percents[_i].rc ? UNSET : percents[_i].value);
}
END_TEST

static const struct row modes[] = {
	{"0444", 0, 0444},     {"444", 0, 0444},     {"0", 0, 0},      {"7777", 0, 07777},
	{"10000", -ERANGE, 0}, {"0888", -EINVAL, 0}, {"", -EINVAL, 0}, {"rw", -EINVAL, 0},
	{"-1", -EINVAL, 0},    {"0x44", -EINVAL, 0},
};

START_TEST(modes_are_read)
{
	uint32_t value = UNSET;

	ck_assert_msg(thaw_parse_mode(modes[_i].text, &value) == modes[_i].rc, "%s",
		      modes[_i].text);
	ck_assert_uint_eq(value, modes[_i].rc ? UNSET : modes[_i].value);
}
END_TEST

START_TEST(plain_numbers_are_read)
{
	uint64_t value = UNSET;

	ck_assert_int_eq(thaw_parse_u64("18446744073709551616", &value), -ERANGE);
	ck_assert_int_eq(thaw_parse_u64("1K", &value), -EINVAL);
	ck_assert_int_eq(thaw_parse_u64("", &value), -EINVAL);
	ck_assert_uint_eq(value, UNSET);
	ck_assert_int_eq(thaw_parse_u64("007", &value), 0);
	ck_assert_uint_eq(value, 7);
}
END_TEST

static const struct {
	uint64_t bytes;
	const char *text;
} shown_sizes[] = {
	{0, "0"},
	{1023, "1023"},
	{1024, "1K"},
	{1536, "1.5K"},
	{102400, "100K"},
	{102451, "100K"},
	{1048575, "1M"}, /* never "1024K" */
	{UINT64_C(3) << 29, "1.5G"},
	{UINT64_C(500) << 30, "500G"},
	{UINT64_C(60) << 50, "60P"},
	{UINT64_MAX, "16384P"},
};

START_TEST(sizes_are_shown)
{
	char text[THAW_SIZE_TEXT];

	ck_assert_str_eq(thaw_format_size(text, shown_sizes[_i].bytes), shown_sizes[_i].text);
}
END_TEST

static const struct {
	int64_t seconds;
	const char *text;
} shown_durations[] = {
	{0, "0s"},         {59, "59s"},     {65, "1m05s"},       {7500, "2h05m"},
	{604800, "7d00h"}, {-65, "-1m05s"}, {INT64_MAX, "ages"}, {INT64_MIN, "-ages"},
};

START_TEST(durations_are_shown)
{
	char text[THAW_SIZE_TEXT];

	ck_assert_str_eq(thaw_format_duration(text, shown_durations[_i].seconds),
			 shown_durations[_i].text);
}
END_TEST

/* What we print we also read: a script feeds one command's output to another. */
START_TEST(what_is_shown_can_be_read)
{
	char text[THAW_SIZE_TEXT];
	int64_t seconds;
	uint64_t bytes;

	for (int64_t s = 0; s < 1000000; s += 997)
		ck_assert_int_eq(thaw_parse_duration(thaw_format_duration(text, s), &seconds), 0);
	for (unsigned shift = 0; shift < 64; shift++) {
		ck_assert_int_eq(
			thaw_parse_size(thaw_format_size(text, UINT64_C(1) << shift), &bytes), 0);
		ck_assert_uint_eq(bytes, UINT64_C(1) << shift);
	}
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_loop_test(tcase, sizes_are_read, 0, COUNT(sizes));
	tcase_add_loop_test(tcase, durations_are_read, 0, COUNT(durations));
	tcase_add_loop_test(tcase, percents_are_read, 0, COUNT(percents));
	tcase_add_loop_test(tcase, modes_are_read, 0, COUNT(modes));
	tcase_add_test(tcase, plain_numbers_are_read);
	tcase_add_loop_test(tcase, sizes_are_shown, 0, COUNT(shown_sizes));
	tcase_add_loop_test(tcase, durations_are_shown, 0, COUNT(shown_durations));
	tcase_add_test(tcase, what_is_shown_can_be_read);
}

int main(void)
{
	return run_suite("units", add);
}
