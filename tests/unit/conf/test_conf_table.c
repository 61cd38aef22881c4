/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table itself: rows that make sense, values too long for a file's line,
 * and the guesses.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "conf/conf_table.h"
#include "scratch.h"

START_TEST(every_row_is_complete)
{
	for (size_t i = 0; i < thaw_conf_key_count; i++) {
		const struct thaw_conf_key *key = &thaw_conf_keys[i];

		ck_assert_ptr_nonnull(key->section);
		ck_assert_ptr_nonnull(key->key);
		ck_assert_msg(key->help && *key->help, "%s", key->key);
		ck_assert_msg(key->deflt || key->deflt_help, "%s", key->key);
		ck_assert_msg(key->max >= key->min, "%s", key->key);
		ck_assert_ptr_eq(thaw_conf_key_find(key->section, key->key), key); /* no other */
		if (key->option)
			ck_assert_ptr_eq(thaw_conf_key_option(key->option), key);
	}
}
END_TEST

START_TEST(every_key_of_daemon_and_cache_is_an_option)
{
	for (size_t i = 0; i < thaw_conf_key_count; i++) {
		const struct thaw_conf_key *key = &thaw_conf_keys[i];

		if (strcmp(key->section, "daemon") == 0 || strcmp(key->section, "cache") == 0)
			ck_assert_msg(key->option, "%s", key->key);
	}
}
END_TEST

START_TEST(defaults_are_values)
{
	struct thaw_conf conf = {0};
	struct thaw_conf_archive archive = {0};
	struct thaw_conf_collection collection = {0};

	ck_assert_int_eq(thaw_conf_value_defaults("daemon", &conf), 0);
	ck_assert_int_eq(thaw_conf_value_defaults("cache", &conf), 0);
	ck_assert_int_eq(thaw_conf_value_defaults("mount", &conf), 0);
	ck_assert_int_eq(thaw_conf_value_defaults("archive", &archive), 0);
	ck_assert_int_eq(thaw_conf_value_defaults("collection", &collection), 0);
	free(collection.fixity);
}
END_TEST

static void count(void *ctx, const char *section, const char *key, const char *type,
		  const char *deflt, const char *help)
{
	ck_assert(section && key && type && deflt && help);
	++*(size_t *)ctx;
}

static void count_options(void *ctx, const char *option, const char *type, const char *deflt,
			  const char *help)
{
	ck_assert(option && type && deflt && help);
	++*(size_t *)ctx;
}

START_TEST(each_key_is_shown)
{
	size_t keys = 0, options = 0;

	thaw_conf_each_key(count, &keys);
	ck_assert_uint_eq(keys, thaw_conf_key_count);
	thaw_conf_each_option(count_options, &options);
	ck_assert_uint_gt(options, 20);
	ck_assert_uint_lt(options, keys);
}
END_TEST

static void refuse(const char *section, const char *key, size_t len, const char *message)
{
	struct thaw_conf conf = {0};
	struct thaw_err err;
	char *value = calloc(1, len + 1);

	memset(value, 'x', len);
	value[0] = '/';
	ck_assert_int_eq(thaw_conf_value_set(thaw_conf_key_find(section, key), &conf, value, &err),
			 -EINVAL);
	ck_assert_msg(strstr(err.text, message), "%s", err.text);
	free(value);
}

START_TEST(long_values)
{
	refuse("cache", "path", PATH_MAX, "is longer than a path may be (4095 bytes)");
	refuse("collection", "path", NAME_MAX + 2, "nor names over 255 bytes");
}
END_TEST

START_TEST(guesses)
{
	static const char *const words[] = {"cache", "catalog", "chunk", "high"};
	static const char *const rows[][2] = {
		{"cach", "cache"},
		{"cahce", "cache"},
		{"katalog", "catalog"},
		{"chunks", "chunk"},
		{"hihg", "high"},
		{"hig", "high"},
		{"colour", NULL},
		{"", NULL},
		{"CACHE", NULL},
		{"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", NULL},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct thaw_conf_guess guess = {.word = rows[i][0]};

		for (size_t j = 0; j < COUNT(words); j++)
			thaw_conf_guess_try(&guess, words[j]);
		if (rows[i][1])
			ck_assert_str_eq(guess.best, rows[i][1]);
		else
			ck_assert_msg(!guess.best, "%s: %s", rows[i][0], guess.best);
	}
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, every_row_is_complete);
	tcase_add_test(tcase, every_key_of_daemon_and_cache_is_an_option);
	tcase_add_test(tcase, defaults_are_values);
	tcase_add_test(tcase, each_key_is_shown);
	tcase_add_test(tcase, long_values);
	tcase_add_test(tcase, guesses);
}

int main(void)
{
	return scratch_run("conf_table", add);
}
