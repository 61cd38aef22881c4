/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * object.h - versions of content, and what of them is on flash.
 *
 * residency.state   meaning                                       file in the cache
 *   (no row)        nothing staged                                none
 *   RESIDENT        whole, verified, published                    complete
 *   LEAVING         eviction has been decided and may have begun  complete or none
 *   QUARANTINED     digest did not match; kept for the department in quarantine/, not served
 * A row is written in the transaction that publishes, and taken away after the
 * unlink: see docs/cache-format.md for the order that makes a crash harmless.
 */
#ifndef THAW_CATALOG_OBJECT_H
#define THAW_CATALOG_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <thaw/archive.h>
#include "base/digest.h"

struct thaw_catalog;

enum thaw_residency {
	THAW_RES_NONE = 0,
	THAW_RES_RESIDENT = 1,
	THAW_RES_LEAVING = 2,
	THAW_RES_QUARANTINED = 3,
};

struct thaw_object {
	uint64_t id;
	uint64_t node;
	uint32_t collection;
	uint32_t version; /* counts up per node, from 1 */
	bool current;     /* false: superseded */
	bool lost;        /* its node is */
	uint64_t size;
	struct thaw_tag tag;
	enum thaw_avail avail;
	unsigned digests; /* bit set of enum thaw_digest_alg that are on record */
	uint8_t digest[THAW_DIGEST_ALGS][THAW_DIGEST_MAX];
	char digest_source[32]; /* "staged": computed by us; later: bagit, ocfl, ... */
	int64_t verified_at;    /* 0: never */
	bool verify_failed;
	int error;              /* -errno of the last failure that stuck (state failed), else 0 */
	enum thaw_residency residency;
	uint64_t bytes;         /* charged to the cache: blocks on disk */
	int64_t staged_at, last_used;
	uint64_t hits;
};

int thaw_catalog_object(struct thaw_catalog *cat, uint64_t id, struct thaw_object *ret);

/* Publishes: digests are put on record (source "staged" for those not known before) and the row
 * becomes RESIDENT. */
struct thaw_published {
	uint64_t object;
	uint64_t bytes;
	unsigned digests;
	uint8_t digest[THAW_DIGEST_ALGS][THAW_DIGEST_MAX];
	int64_t now;
};
/* -ENOENT: no such object (any more); -ESTALE: superseded, not to be served; -EBADMSG: another
 * digest is on record.  Nothing is written then. */
int thaw_catalog_publish(struct thaw_catalog *cat, const struct thaw_published *what);
/* Many in one transaction.  results[i]: 0, or why this one was not taken, as above; the return
 * value is for all of them. */
int thaw_catalog_publish_many(struct thaw_catalog *cat, const struct thaw_published *what, size_t n,
			      int *results);
/* Its file was moved to quarantine/; verify_failed is set. */
int thaw_catalog_quarantined(struct thaw_catalog *cat, uint64_t object, uint64_t bytes,
			     int64_t now);
/* Staged bytes were read again: verified_at becomes now. */
int thaw_catalog_verified(struct thaw_catalog *cat, uint64_t object, int64_t now, bool ok);

/* The two halves of eviction: RESIDENT becomes LEAVING; the file is gone, so the row goes, whatever
 * its state (and a superseded object with it).  Objects that do not fit are passed over. */
int thaw_catalog_leaving(struct thaw_catalog *cat, const uint64_t *objects, size_t n);
int thaw_catalog_left(struct thaw_catalog *cat, const uint64_t *objects, size_t n);
/* Evicting was called off: LEAVING becomes RESIDENT again. */
int thaw_catalog_stay(struct thaw_catalog *cat, const uint64_t *objects, size_t n);

/* The last failure, kept for people (state failed); 0 clears. */
int thaw_catalog_object_error(struct thaw_catalog *cat, uint64_t object, int error,
			      bool verify_failed);

struct thaw_touch {
	uint64_t object;
	int64_t last_used;
	uint64_t hits; /* added */
};
int thaw_catalog_touch(struct thaw_catalog *cat, const struct thaw_touch *touches, size_t n);

/* Resident objects, least recently used first (or oldest staged first); (after_time, after_id) is
 * where the last call ended: its last candidate's last_used (or staged_at) and object; 0, 0 at
 * first.  Dead ones, that nothing can open, come first of all; their times read 0. */
struct thaw_candidate {
	uint64_t object, node;
	uint64_t bytes;
	int64_t staged_at, last_used;
	uint64_t hits;
	uint32_t collection;
	bool dead; /* superseded, or of a node that is under no name: no open can reach it */
};
enum thaw_candidate_order { THAW_BY_LAST_USED, THAW_BY_STAGED_AT };
int thaw_catalog_candidates(struct thaw_catalog *cat, enum thaw_candidate_order order,
			    int64_t after_time, uint64_t after_id, struct thaw_candidate *ret,
			    size_t room, size_t *ret_n);

/* All rows of a state (THAW_RES_NONE: of any): (object, bytes, state), by object id; for recovery
 * and thaw check. */
int thaw_catalog_each_resident(struct thaw_catalog *cat, enum thaw_residency state,
			       int (*fn)(void *ctx, uint64_t object, uint64_t bytes,
					 enum thaw_residency state),
			       void *ctx);
/* Of RESIDENT ones; cheap. */
int thaw_catalog_resident_totals(struct thaw_catalog *cat, uint64_t *ret_files,
				 uint64_t *ret_bytes);
/* Forgets every residency row: the cache they spoke of is gone.  ret_n: how many. */
int thaw_catalog_forget_cache(struct thaw_catalog *cat, uint64_t *ret_n);

#endif
