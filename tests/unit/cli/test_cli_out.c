/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/out.h"
#include "../suite.h"

static const struct thaw_column columns[] = {{"STATE", 7, false}, {"SIZE", 5, true}};
static char text[4096];

/* What fn prints to a plain file. */
static const char *plain(void (*fn)(FILE *out))
{
	FILE *out = tmpfile();
	size_t n;

	fn(out);
	rewind(out);
	n = fread(text, 1, sizeof(text) - 1, out);
	text[n] = '\0';
	fclose(out);
	return text;
}

/* What fn prints to a terminal. */
static const char *terminal(void (*fn)(FILE *out))
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	struct termios raw;
	FILE *out;
	size_t len = 0;
	ssize_t n;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master) | unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_eq(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	ck_assert_int_eq(tcsetattr(slave, TCSANOW, &raw), 0);
	out = fdopen(slave, "w");
	fn(out);
	fclose(out);
	while ((n = read(master, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(master);
	return text;
}

static void rows(FILE *out)
{
	static const char *const one[] = {"online", "1.5G"}, *const two[] = {"recalling",
									     "12345.6G"};

	thaw_out_head(out, columns, 2, "PATH");
	thaw_out_row(out, columns, 2, one, "a b", 3);
	thaw_out_row(out, columns, 2, two, "c", 1);
	thaw_out_row(out, columns, 1, one, NULL, 0);
}

START_TEST(columns_are_aligned)
{
	ck_assert_str_eq(plain(rows), "online    1.5G  a b\n"
				      "recalling  12345.6G  c\n"
				      "online\n");
}
END_TEST

START_TEST(a_terminal_gets_titles)
{
	ck_assert_str_eq(terminal(rows), "STATE     SIZE  PATH\n"
					 "online    1.5G  a b\n"
					 "recalling  12345.6G  c\n"
					 "online\n");
}
END_TEST

static void odd_name(FILE *out)
{
	static const char *const cells[] = {"x\x1b[2J", "0"};

	thaw_out_row(out, columns, 2, cells, "\x1b]0;hi\a\xff\n", 9);
}

START_TEST(a_terminal_is_not_drawn_on)
{
	ck_assert_str_eq(plain(odd_name), "x\x1b[2J        0  \x1b]0;hi\a\xff\n\n");
	ck_assert_str_eq(terminal(odd_name), "x\\033[2J      0  \\033]0;hi\\007\\377\\012\n");
}
END_TEST

static void document(FILE *out)
{
	struct thaw_json_out json;

	thaw_json_begin(&json, out, "files");
	thaw_json_add(&json, json_pack("{s:i}", "a", 1));
	thaw_json_add(&json, json_string("b\n\xc3\xa6"));
	thaw_json_end(&json, json_pack("{s:s, s:n}", "requestId", "x", "y"));
	thaw_json_begin(&json, out, "none");
	thaw_json_end(&json, NULL);
}

START_TEST(documents_are_json)
{
	ck_assert_str_eq(plain(document),
			 "{\"files\":[{\"a\":1},\"b\\n\xc3\xa6\"],\"requestId\":\"x\",\"y\":null}\n"
			 "{\"none\":[]}\n");
	ck_assert_str_eq(terminal(document),
			 "{\"files\":[{\"a\":1},\"b\\n\\u00E6\"],\"requestId\":\"x\",\"y\":null}\n"
			 "{\"none\":[]}\n");
}
END_TEST

START_TEST(members_have_defaults)
{
	json_t *object = json_pack("{s:i, s:i, s:s}", "n", 5, "minus", -5, "t", "x");

	ck_assert_uint_eq(thaw_json_u64(object, "n"), 5);
	ck_assert_uint_eq(thaw_json_u64(object, "minus"), 0);
	ck_assert_uint_eq(thaw_json_u64(object, "t"), 0);
	ck_assert_uint_eq(thaw_json_u64(NULL, "n"), 0);
	ck_assert_str_eq(thaw_json_text(object, "t"), "x");
	ck_assert_str_eq(thaw_json_text(object, "n"), "");
	json_decref(object);
}
END_TEST

START_TEST(users_have_names_or_numbers)
{
	char user[THAW_USER_TEXT];

	ck_assert_str_eq(thaw_out_user(user, 0), "root");
	ck_assert_str_eq(thaw_out_user(user, 3999999999u), "3999999999");
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, columns_are_aligned);
	tcase_add_test(tcase, a_terminal_gets_titles);
	tcase_add_test(tcase, a_terminal_is_not_drawn_on);
	tcase_add_test(tcase, documents_are_json);
	tcase_add_test(tcase, members_have_defaults);
	tcase_add_test(tcase, users_have_names_or_numbers);
}

int main(void)
{
	return run_suite("out", add);
}
