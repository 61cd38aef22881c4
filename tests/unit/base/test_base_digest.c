/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/digest.h"
#include "../suite.h"

/* Of "abc": FIPS 180-4 and RFC 1321. */
static const char *const of_abc[THAW_DIGEST_ALGS] = {
	[THAW_SHA256] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	[THAW_SHA512] = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
			"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	[THAW_MD5] = "900150983cd24fb0d6963f7d28e17f72",
};

START_TEST(all_in_one_pass)
{
	uint8_t out[THAW_DIGEST_ALGS][THAW_DIGEST_MAX];
	char hex[2 * THAW_DIGEST_MAX + 1];
	struct thaw_digest *digest;

	ck_assert_int_eq(
		thaw_digest_new(1u << THAW_SHA256 | 1u << THAW_SHA512 | 1u << THAW_MD5, &digest),
		0);
	ck_assert_int_eq(thaw_digest_update(digest, "a", 1), 0);
	ck_assert_int_eq(thaw_digest_update(digest, "", 0), 0);
	ck_assert_int_eq(thaw_digest_update(digest, "bc", 2), 0);
	ck_assert_int_eq(thaw_digest_final(digest, out), 0);
	for (int i = 0; i < THAW_DIGEST_ALGS; i++)
		ck_assert_str_eq(thaw_hex(hex, out[i], thaw_digest_size((enum thaw_digest_alg)i)),
				 of_abc[i]);
	ck_assert_ptr_null(thaw_digest_free(digest));
}
END_TEST

START_TEST(only_what_was_asked_is_written)
{
	uint8_t out[THAW_DIGEST_ALGS][THAW_DIGEST_MAX];
	struct thaw_digest *digest;

	memset(out, 0x5a, sizeof(out));
	ck_assert_int_eq(thaw_digest_new(1u << THAW_MD5, &digest), 0);
	ck_assert_int_eq(thaw_digest_final(digest, out), 0);
	ck_assert_uint_eq(out[THAW_SHA256][0], 0x5a);
	ck_assert_uint_eq(out[THAW_SHA512][0], 0x5a);
	ck_assert_uint_eq(out[THAW_MD5][0], 0xd4); /* d41d8cd9... of nothing */
	thaw_digest_free(digest);
}
END_TEST

START_TEST(unknown_algorithms_are_refused)
{
	struct thaw_digest *digest = NULL;

	ck_assert_int_eq(thaw_digest_new(1u << THAW_DIGEST_ALGS, &digest), -EINVAL);
	ck_assert_ptr_null(digest);
	ck_assert_ptr_null(thaw_digest_free(NULL));
}
END_TEST

START_TEST(names_and_sizes)
{
	ck_assert_str_eq(thaw_digest_name(THAW_SHA256), "sha256");
	ck_assert_str_eq(thaw_digest_name(THAW_SHA512), "sha512");
	ck_assert_str_eq(thaw_digest_name(THAW_MD5), "md5");
	ck_assert_uint_eq(thaw_digest_size(THAW_SHA256), THAW_SHA256_SIZE);
	ck_assert_uint_eq(thaw_digest_size(THAW_SHA512), THAW_DIGEST_MAX);
	ck_assert_uint_eq(thaw_digest_size(THAW_MD5), 16);
}
END_TEST

START_TEST(unhex_takes_both_cases_and_nothing_else)
{
	static const char *const bad[] = {"",         "0",      "00ff1", "00ff1g",
					  "00ff1122", "0x0011", " 0ff11"};
	uint8_t bytes[3] = {9, 9, 9};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(thaw_unhex(bad[i], bytes, 3), -EINVAL);
		ck_assert_uint_eq(bytes[0], 9); /* untouched */
	}
	ck_assert_int_eq(thaw_unhex("00fFa9", bytes, 3), 0);
	ck_assert_uint_eq(bytes[0], 0);
	ck_assert_uint_eq(bytes[1], 0xff);
	ck_assert_uint_eq(bytes[2], 0xa9);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, all_in_one_pass);
	tcase_add_test(tcase, only_what_was_asked_is_written);
	tcase_add_test(tcase, unknown_algorithms_are_refused);
	tcase_add_test(tcase, names_and_sizes);
	tcase_add_test(tcase, unhex_takes_both_cases_and_nothing_else);
}

int main(void)
{
	return run_suite("digest", add);
}
