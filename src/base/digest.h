/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * digest.h - message digests over a stream of bytes (OpenSSL EVP).
 *
 * One thaw_digest may compute several algorithms in one pass.  Not
 * thread-safe; hand it from thread to thread under the owner's lock.
 */
#ifndef THAW_BASE_DIGEST_H
#define THAW_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum thaw_digest_alg {
	THAW_SHA256 = 0,
	THAW_SHA512,
	THAW_MD5,
	THAW_DIGEST_ALGS,
};

#define THAW_DIGEST_MAX 64 /* bytes of the longest */
#define THAW_SHA256_SIZE 32

struct thaw_digest;

/* algs: bit set, 1u << THAW_SHA256 | ... */
int thaw_digest_new(unsigned algs, struct thaw_digest **ret);
struct thaw_digest *thaw_digest_free(struct thaw_digest *digest);
int thaw_digest_update(struct thaw_digest *digest, const void *data, size_t len);
/* Ends the run; call once.  out[alg] is written for every alg that was asked. */
int thaw_digest_final(struct thaw_digest *digest, uint8_t out[THAW_DIGEST_ALGS][THAW_DIGEST_MAX]);

size_t thaw_digest_size(enum thaw_digest_alg alg);
const char *thaw_digest_name(enum thaw_digest_alg alg); /* "sha256" */

/* hex must hold 2 * len + 1. */
const char *thaw_hex(char *hex, const uint8_t *bytes, size_t len);
int thaw_unhex(const char *hex, uint8_t *ret_bytes, size_t len); /* -EINVAL */

#endif
