/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "control/wire.h"
#include "../suite.h"

static void check_base64(const char *plain, const char *coded)
{
	struct thaw_buf buf;
	char out[64];
	size_t len;

	thaw_buf_init(&buf, 100);
	ck_assert_int_eq(thaw_base64_encode(plain, strlen(plain), &buf), 0);
	ck_assert_str_eq(buf.data, coded);
	ck_assert_int_eq(thaw_base64_decode(coded, strlen(coded), out, &len), 0);
	ck_assert_uint_eq(len, strlen(plain));
	ck_assert_mem_eq(out, plain, len);
	thaw_buf_release(&buf);
}

START_TEST(base64_as_rfc_4648_has_it)
{
	check_base64("", "");
	check_base64("f", "Zg==");
	check_base64("fo", "Zm8=");
	check_base64("foo", "Zm9v");
	check_base64("foob", "Zm9vYg==");
	check_base64("fooba", "Zm9vYmE=");
	check_base64("foobar", "Zm9vYmFy");
	check_base64("\xff\xfe\xfb", "//77");
}
END_TEST

START_TEST(base64_has_one_form)
{
	static const char *const wrong[] = {"Z",    "Zg",   "Zg=",  "Zg==Zg==", "Zh==",   "Zm9=",
					    "====", "Zm 9", "Z===", "Zm=v",     "Zm9v\n", "Zm-_"};
	char out[64];
	size_t len;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(thaw_base64_decode(wrong[i], strlen(wrong[i]), out, &len) == -EINVAL,
			      "%s was taken", wrong[i]);
}
END_TEST

/* Out as a line of text and in again. */
static void round_trip(const void *data, size_t len, const char *key)
{
	json_t *object = json_object(), *again;
	struct thaw_buf line;
	char *out;
	size_t out_len;

	thaw_buf_init(&line, 10000);
	ck_assert_int_eq(thaw_wire_set(object, "path", data, len), 0);
	ck_assert_ptr_nonnull(json_object_get(object, key));
	ck_assert_int_eq(thaw_wire_line(object, &line), 0);
	ck_assert_ptr_eq(memchr(line.data, '\n', line.len), line.data + line.len - 1);
	again = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(again);
	ck_assert_int_eq(thaw_wire_get(again, "path", &out, &out_len), 0);
	ck_assert_uint_eq(out_len, len);
	ck_assert_mem_eq(out, data, len);
	ck_assert_int_eq(out[len], '\0');
	free(out);
	json_decref(again);
	json_decref(object);
	thaw_buf_release(&line);
}

START_TEST(names_come_back_as_they_were)
{
	char all[255];

	round_trip("", 0, "path");
	round_trip("/news/a b.tar", 13, "path");
	round_trip("/a\nb\t\"\\\x1b[2J", 11, "path");
	round_trip("/\xc3\xa6\xc3\xb8\xc3\xa5", 7, "path");
	round_trip("/\xe6\xf8\xe5", 4, "path_b64");
	round_trip("/\xed\xa0\x80", 4, "path_b64"); /* half a surrogate pair */
	round_trip("/\xc0\xaf", 3, "path_b64");     /* an overlong slash */
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)(i + 1);
	round_trip(all, sizeof(all), "path_b64");
	for (int c = 1; c < 256; c++) {
		char one[3] = {'x', (char)c, 'y'};

		round_trip(one, 3, c < 0x80 ? "path" : "path_b64");
	}
}
END_TEST

static int get_path(const char *json, char **ret)
{
	json_t *element = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	size_t len;
	int rc;

	ck_assert_ptr_nonnull(element);
	rc = thaw_wire_path_get(element, ret, &len);
	json_decref(element);
	return rc;
}

START_TEST(a_path_has_three_forms)
{
	static const char *const good[] = {"\"a/b\"", "{\"path\": \"a/b\"}",
					   "{\"path_b64\": \"YS9i\"}"};
	static const char *const bad[] = {"1",
					  "null",
					  "[]",
					  "{}",
					  "{\"path\": 1}",
					  "{\"path\": \"a\", \"path_b64\": \"YQ==\"}",
					  "{\"path_b64\": \"YQ\"}",
					  "{\"path_b64\": \"AGE=\"}",
					  "\"a\\u0000b\"",
					  "{\"path\": \"a\\u0000\"}"};
	char *path;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(get_path(good[i], &path), 0);
		ck_assert_str_eq(path, "a/b");
		free(path);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(get_path(bad[i], &path) == -EINVAL, "%s was taken", bad[i]);
}
END_TEST

START_TEST(an_element_is_a_plain_string_when_it_can)
{
	json_t *plain = thaw_wire_path("a/b", 3), *odd = thaw_wire_path("a\xff", 2);

	ck_assert_str_eq(json_string_value(plain), "a/b");
	ck_assert_str_eq(json_string_value(json_object_get(odd, "path_b64")), "Yf8=");
	json_decref(plain);
	json_decref(odd);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, base64_as_rfc_4648_has_it);
	tcase_add_test(tcase, base64_has_one_form);
	tcase_add_test(tcase, names_come_back_as_they_were);
	tcase_add_test(tcase, a_path_has_three_forms);
	tcase_add_test(tcase, an_element_is_a_plain_string_when_it_can);
}

int main(void)
{
	return run_suite("wire", add);
}
