/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "control/lines.h"
#include "../suite.h"

static struct thaw_lines lines;

static void feed(const char *data, size_t len)
{
	while (len) {
		size_t room;
		char *at = thaw_lines_room(&lines, &room);
		size_t n = len < room ? len : room;

		ck_assert_ptr_nonnull(at);
		memcpy(at, data, n);
		thaw_lines_filled(&lines, n);
		data += n;
		len -= n;
	}
}

static void expect(const char *text)
{
	char *line;
	size_t len;

	ck_assert_int_eq(thaw_lines_next(&lines, &line, &len), 1);
	ck_assert_str_eq(line, text);
	ck_assert_uint_eq(len, strlen(text));
}

static void expect_code(int rc)
{
	char *line;
	size_t len;

	ck_assert_int_eq(thaw_lines_next(&lines, &line, &len), rc);
}

START_TEST(several_in_one_piece)
{
	thaw_lines_init(&lines, 100);
	expect_code(0);
	feed("one\n\ntwo\nthr", 12);
	expect("one");
	expect("");
	expect("two");
	expect_code(0);
	expect_code(0);
	feed("ee\n", 3);
	expect("three");
	expect_code(0);
	thaw_lines_release(&lines);
}
END_TEST

START_TEST(byte_by_byte)
{
	const char text[] = "{\"op\":\"ping\"}\n{\"op\":\"status\"}\n";
	int found = 0;

	thaw_lines_init(&lines, 100);
	for (const char *at = text; *at; at++) {
		char *line;
		size_t len;

		feed(at, 1);
		found += thaw_lines_next(&lines, &line, &len);
	}
	ck_assert_int_eq(found, 2);
	thaw_lines_release(&lines);
}
END_TEST

START_TEST(keeps_zero_bytes_inside)
{
	char *line;
	size_t len;

	thaw_lines_init(&lines, 100);
	feed("a\0b\n", 4);
	ck_assert_int_eq(thaw_lines_next(&lines, &line, &len), 1);
	ck_assert_uint_eq(len, 3);
	ck_assert_mem_eq(line, "a\0b", 4);
	thaw_lines_release(&lines);
}
END_TEST

START_TEST(the_longest_passes_one_more_does_not)
{
	char text[10001];

	memset(text, 'x', sizeof(text));
	thaw_lines_init(&lines, 10000);
	feed(text, 10000);
	expect_code(0);
	feed("\n", 1);
	text[10000] = '\0';
	expect(text);
	text[10000] = 'x';
	feed(text, 10001);
	expect_code(-EMSGSIZE);
	expect_code(-EMSGSIZE);
	thaw_lines_release(&lines);
}
END_TEST

START_TEST(memory_stays_bounded_over_a_long_stream)
{
	thaw_lines_init(&lines, 1000);
	for (int i = 0; i < 5000; i++) {
		feed("0123456789012345678901234567890123456789\nhalf", 45);
		if (i)
			expect("half0123456789012345678901234567890123456789");
		else
			expect("0123456789012345678901234567890123456789");
		expect_code(0);
	}
	ck_assert_uint_le(lines.room, 1001);
	thaw_lines_release(&lines);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, several_in_one_piece);
	tcase_add_test(tcase, byte_by_byte);
	tcase_add_test(tcase, keeps_zero_bytes_inside);
	tcase_add_test(tcase, the_longest_passes_one_more_does_not);
	tcase_add_test(tcase, memory_stays_bounded_over_a_long_stream);
}

int main(void)
{
	return run_suite("lines", add);
}
