/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/object.h"

#include <errno.h>
#include <string.h>

#include "catalog/catalog_impl.h"

enum {
	COL_ID,
	COL_NODE,
	COL_COLLECTION,
	COL_VERSION,
	COL_CURRENT,
	COL_LOST,
	COL_SIZE,
	COL_TAG,
	COL_AVAIL,
	COL_SHA256,
	COL_SHA512,
	COL_MD5,
	COL_SOURCE,
	COL_VERIFIED_AT,
	COL_VERIFY_FAILED,
	COL_ERROR,
	COL_STATE,
	COL_BYTES,
	COL_STAGED_AT,
	COL_LAST_USED,
	COL_HITS,
};

_Static_assert(COL_SHA256 + THAW_SHA512 == COL_SHA512 && COL_SHA256 + THAW_MD5 == COL_MD5,
	       "digest columns follow enum thaw_digest_alg");

static void read_digests(sqlite3_stmt *st, struct thaw_object *ret)
{
	for (int alg = 0; alg < THAW_DIGEST_ALGS; alg++) {
		const void *data = sqlite3_column_blob(st, COL_SHA256 + alg);
		size_t len = thaw_digest_size((enum thaw_digest_alg)alg);

		if (!data || (size_t)sqlite3_column_bytes(st, COL_SHA256 + alg) != len)
			continue;
		memcpy(ret->digest[alg], data, len);
		ret->digests |= 1u << alg;
	}
}

static void read_object(sqlite3_stmt *st, struct thaw_object *ret)
{
	char tag[THAW_TAG_MAX + 1];

	memset(ret, 0, sizeof(*ret));
	ret->id = thaw_sql_u64(st, COL_ID);
	ret->node = thaw_sql_u64(st, COL_NODE);
	ret->collection = (uint32_t)thaw_sql_u64(st, COL_COLLECTION);
	ret->version = (uint32_t)thaw_sql_u64(st, COL_VERSION);
	ret->current = sqlite3_column_int(st, COL_CURRENT);
	ret->lost = sqlite3_column_int(st, COL_LOST);
	ret->size = thaw_sql_u64(st, COL_SIZE);
	ret->tag.len = (uint8_t)thaw_sql_copy(st, COL_TAG, tag, sizeof(tag));
	memcpy(ret->tag.data, tag, ret->tag.len);
	ret->avail = (enum thaw_avail)sqlite3_column_int(st, COL_AVAIL);
	read_digests(st, ret);
	(void)thaw_sql_copy(st, COL_SOURCE, ret->digest_source, sizeof(ret->digest_source));
	ret->verified_at = sqlite3_column_int64(st, COL_VERIFIED_AT);
	ret->verify_failed = sqlite3_column_int(st, COL_VERIFY_FAILED);
	ret->error = sqlite3_column_int(st, COL_ERROR);
	ret->residency = (enum thaw_residency)sqlite3_column_int(st, COL_STATE);
	ret->bytes = thaw_sql_u64(st, COL_BYTES);
	ret->staged_at = sqlite3_column_int64(st, COL_STAGED_AT);
	ret->last_used = sqlite3_column_int64(st, COL_LAST_USED);
	ret->hits = thaw_sql_u64(st, COL_HITS);
}

static int get_object(struct thaw_conn *conn, uint64_t id, struct thaw_object *ret)
{
	_cleanup_row_ sqlite3_stmt *st = NULL;
	int rc = thaw_sql_first(conn, THAW_STMT_OBJECT, &st, "u", id);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	read_object(st, ret);
	return 0;
}

int thaw_catalog_object(struct thaw_catalog *cat, uint64_t id, struct thaw_object *ret)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	int rc = thaw_catalog_reader_get(cat, &conn);

	return rc ? rc : get_object(conn, id, ret);
}

/* A digest that contradicts the one on record is never written over it. */
static int check_digests(const struct thaw_object *object, const struct thaw_published *what)
{
	for (int alg = 0; alg < THAW_DIGEST_ALGS; alg++) {
		if (!(object->digests & what->digests & 1u << alg))
			continue;
		if (memcmp(object->digest[alg], what->digest[alg],
			   thaw_digest_size((enum thaw_digest_alg)alg)) != 0)
			return -EBADMSG;
	}
	return 0;
}

static int record_digests(struct thaw_conn *rw, const struct thaw_object *object,
			  const struct thaw_published *what)
{
	static const enum thaw_stmt stmts[THAW_DIGEST_ALGS] = {
		[THAW_SHA256] = THAW_STMT_OBJECT_SHA256,
		[THAW_SHA512] = THAW_STMT_OBJECT_SHA512,
		[THAW_MD5] = THAW_STMT_OBJECT_MD5,
	};
	int rc = 0;

	for (int alg = 0; alg < THAW_DIGEST_ALGS && !rc; alg++) {
		if (what->digests & ~object->digests & 1u << alg)
			rc = thaw_sql_run(rw, stmts[alg], "bu", what->digest[alg],
					  thaw_digest_size((enum thaw_digest_alg)alg), object->id);
	}
	return rc;
}

static int publish(struct thaw_conn *rw, const struct thaw_published *what)
{
	struct thaw_object object;
	int rc = get_object(rw, what->object, &object);

	if (!rc && !object.current)
		rc = -ESTALE;
	if (!rc)
		rc = check_digests(&object, what);
	if (!rc)
		rc = record_digests(rw, &object, what);
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_OBJECT_PUBLISHED, "iu", what->now, what->object);
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_RESIDENCY_SET, "uduii", what->object,
				  THAW_RES_RESIDENT, what->bytes, what->now, what->now);
	return rc;
}

struct publishing {
	const struct thaw_published *what;
	size_t n;
	int *results;
};

/* What an object's own rows have against it does not hold up the others. */
static int publish_many(struct thaw_conn *rw, void *arg)
{
	const struct publishing *p = arg;

	for (size_t i = 0; i < p->n; i++) {
		int rc = publish(rw, &p->what[i]);

		if (rc && rc != -ENOENT && rc != -ESTALE && rc != -EBADMSG)
			return rc;
		p->results[i] = rc;
	}
	return 0;
}

int thaw_catalog_publish_many(struct thaw_catalog *cat, const struct thaw_published *what, size_t n,
			      int *results)
{
	struct publishing p = { what, n, results };

	return thaw_catalog_write(cat, publish_many, &p);
}

int thaw_catalog_publish(struct thaw_catalog *cat, const struct thaw_published *what)
{
	int result = 0;
	int rc = thaw_catalog_publish_many(cat, what, 1, &result);

	return rc ? rc : result;
}

struct note {
	uint64_t object, bytes;
	int64_t now;
	int error;
	bool flag;
};

/* An update that must meet a row. */
static int updated(struct thaw_conn *rw, int rc)
{
	return rc || sqlite3_changes(rw->db) ? rc : -ENOENT;
}

static int quarantined(struct thaw_conn *rw, void *arg)
{
	const struct note *n = arg;
	int rc = updated(rw, thaw_sql_run(rw, THAW_STMT_OBJECT_VERIFIED, "idu", n->now, 1,
					  n->object));

	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_RESIDENCY_SET, "uduii", n->object,
				  THAW_RES_QUARANTINED, n->bytes, n->now, n->now);
	return rc;
}

int thaw_catalog_quarantined(struct thaw_catalog *cat, uint64_t object, uint64_t bytes, int64_t now)
{
	struct note n = { .object = object, .bytes = bytes, .now = now };

	return thaw_catalog_write(cat, quarantined, &n);
}

static int verified(struct thaw_conn *rw, void *arg)
{
	const struct note *n = arg;

	return updated(rw, thaw_sql_run(rw, THAW_STMT_OBJECT_VERIFIED, "idu", n->now, n->flag,
					n->object));
}

int thaw_catalog_verified(struct thaw_catalog *cat, uint64_t object, int64_t now, bool ok)
{
	struct note n = { .object = object, .now = now, .flag = !ok };

	return thaw_catalog_write(cat, verified, &n);
}

static int object_error(struct thaw_conn *rw, void *arg)
{
	const struct note *n = arg;

	return updated(rw, thaw_sql_run(rw, THAW_STMT_OBJECT_ERROR, "idu", (int64_t)n->error,
					n->flag, n->object));
}

int thaw_catalog_object_error(struct thaw_catalog *cat, uint64_t object, int error,
			      bool verify_failed)
{
	struct note n = { .object = object, .error = error, .flag = verify_failed };

	return thaw_catalog_write(cat, object_error, &n);
}
