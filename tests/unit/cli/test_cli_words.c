/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "cli/words.h"
#include "../suite.h"

static struct thaw_words words;

static int read_text(const char *text, size_t len, char end)
{
	FILE *file = tmpfile();
	int rc;

	ck_assert_uint_eq(fwrite(text, 1, len, file), len);
	rewind(file);
	rc = thaw_words_read(file, end, &words);

	fclose(file);
	return rc;
}

START_TEST(one_a_line)
{
	ck_assert_int_eq(read_text("a b\n\n#c\n d", 10, '\n'), 0);
	ck_assert_uint_eq(words.count, 3);
	ck_assert_str_eq(words.list[0], "a b");
	ck_assert_str_eq(words.list[1], "#c");
	ck_assert_str_eq(words.list[2], " d");
	thaw_words_release(&words);
}
END_TEST

START_TEST(one_a_nul)
{
	ck_assert_int_eq(read_text("a\nb\0c\0\0d\xff", 10, '\0'), 0);
	ck_assert_uint_eq(words.count, 3);
	ck_assert_str_eq(words.list[0], "a\nb");
	ck_assert_str_eq(words.list[2], "d\xff");
	thaw_words_release(&words);
}
END_TEST

START_TEST(a_nul_in_a_line_is_a_mistake)
{
	ck_assert_int_eq(read_text("a\0b\n", 4, '\n'), -EINVAL);
}
END_TEST

START_TEST(many)
{
	char *text = malloc(600000);
	size_t len = 0;

	for (int i = 0; i < 50000; i++)
		len += (size_t)snprintf(text + len, 600000 - len, "path/%d\n", i);
	ck_assert_int_eq(read_text(text, len, '\n'), 0);
	ck_assert_uint_eq(words.count, 50000);
	ck_assert_str_eq(words.list[49999], "path/49999");
	thaw_words_release(&words);
	free(text);
}
END_TEST

START_TEST(fractions)
{
	static const char *const bad[] = {"",     "x",    "0",    "0%",   "-0.5", "1.01",
					  "101%", "0.5x", "50%%", " 0.5", "nan",  "inf"};
	double value;

	ck_assert_int_eq(thaw_parse_fraction("0.95", &value), 0);
	ck_assert_double_eq(value, 0.95);
	ck_assert_int_eq(thaw_parse_fraction("95%", &value), 0);
	ck_assert_double_eq(value, 0.95);
	ck_assert_int_eq(thaw_parse_fraction("1", &value), 0);
	ck_assert_double_eq(value, 1.0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(thaw_parse_fraction(bad[i], &value) < 0, "taken: %s", bad[i]);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, one_a_line);
	tcase_add_test(tcase, one_a_nul);
	tcase_add_test(tcase, a_nul_in_a_line_is_a_mistake);
	tcase_add_test(tcase, many);
	tcase_add_test(tcase, fractions);
}

int main(void)
{
	return run_suite("words", add);
}
