/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct thaw_digest {
	EVP_MD_CTX *ctx[THAW_DIGEST_ALGS]; /* NULL: not asked for */
};

static const struct {
	const char *name;
	size_t size;
	const EVP_MD *(*md)(void);
} algs_table[THAW_DIGEST_ALGS] = {
	[THAW_SHA256] = {"sha256", THAW_SHA256_SIZE, EVP_sha256},
	[THAW_SHA512] = {"sha512", 64, EVP_sha512},
	[THAW_MD5] = {"md5", 16, EVP_md5},
};

/* -EOPNOTSUPP: this machine's OpenSSL refuses it (MD5 in FIPS mode). */
static int start_one(struct thaw_digest *digest, int alg)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx)
		return -ENOMEM;
	digest->ctx[alg] = ctx;
	return EVP_DigestInit_ex(ctx, algs_table[alg].md(), NULL) == 1 ? 0 : -EOPNOTSUPP;
}

int thaw_digest_new(unsigned algs, struct thaw_digest **ret)
{
	struct thaw_digest *digest;
	int rc = 0;

	if (algs >> THAW_DIGEST_ALGS)
		return -EINVAL;
	digest = calloc(1, sizeof(*digest));
	if (!digest)
		return -ENOMEM;
	for (int i = 0; i < THAW_DIGEST_ALGS && !rc; i++) {
		if (algs & (1u << i))
			rc = start_one(digest, i);
	}
	if (rc) {
		thaw_digest_free(digest);
		return rc;
	}
	*ret = digest;
	return 0;
}

struct thaw_digest *thaw_digest_free(struct thaw_digest *digest)
{
	if (!digest)
		return NULL;
	for (int i = 0; i < THAW_DIGEST_ALGS; i++)
		EVP_MD_CTX_free(digest->ctx[i]);
	free(digest);
	return NULL;
}

int thaw_digest_update(struct thaw_digest *digest, const void *data, size_t len)
{
	for (int i = 0; i < THAW_DIGEST_ALGS; i++) {
		if (digest->ctx[i] && EVP_DigestUpdate(digest->ctx[i], data, len) != 1)
			return -EIO;
	}
	return 0;
}

int thaw_digest_final(struct thaw_digest *digest, uint8_t out[THAW_DIGEST_ALGS][THAW_DIGEST_MAX])
{
	for (int i = 0; i < THAW_DIGEST_ALGS; i++) {
		if (digest->ctx[i] && EVP_DigestFinal_ex(digest->ctx[i], out[i], NULL) != 1)
			return -EIO;
	}
	return 0;
}

size_t thaw_digest_size(enum thaw_digest_alg alg)
{
	return algs_table[alg].size;
}

const char *thaw_digest_name(enum thaw_digest_alg alg)
{
	return algs_table[alg].name;
}

const char *thaw_hex(char *hex, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char *at = hex;

	for (size_t i = 0; i < len; i++) {
		*at++ = digits[bytes[i] >> 4];
		*at++ = digits[bytes[i] & 15];
	}
	*at = '\0';
	return hex;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Checked before it is written: nothing is set on failure. */
int thaw_unhex(const char *hex, uint8_t *ret_bytes, size_t len)
{
	for (size_t i = 0; i < 2 * len; i++) {
		if (nibble(hex[i]) < 0) /* a NUL too */
			return -EINVAL;
	}
	if (hex[2 * len])
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		ret_bytes[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	return 0;
}
