/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/catalog_impl.h"
#include "fixture.h"

static uint64_t o[5]; /* objects of files a to e */

static void setup(void)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };

	fixture_setup();
	FILL(root, file_entry("a", "1", 10), file_entry("b", "1", 10), file_entry("c", "1", 10),
	     file_entry("d", "1", 10), file_entry("e", "1", 10));
	for (int i = 0; i < 5; i++)
		o[i] = lookup(root, names[i]).object;
}

static void expect_totals(uint64_t files, uint64_t bytes)
{
	uint64_t f, b;

	ck_assert_int_eq(thaw_catalog_resident_totals(cat, &f, &b), 0);
	ck_assert_uint_eq(f, files);
	ck_assert_uint_eq(b, bytes);
}

START_TEST(fresh)
{
	struct thaw_object object = get_object(o[0]);

	ck_assert_int_eq(object.residency, THAW_RES_NONE);
	ck_assert_uint_eq(object.digests, 0);
	ck_assert_str_eq(object.digest_source, "");
	ck_assert_int_eq(object.verified_at, 0);
	ck_assert_int_eq(object.error, 0);
	ck_assert_uint_eq(object.collection, spec.id);
	ck_assert(!object.lost);
	ck_assert_int_eq(thaw_catalog_object(cat, 999, &object), -ENOENT);
}
END_TEST

START_TEST(published)
{
	struct thaw_published what = { .object = o[0], .bytes = 8192, .now = 500,
				       .digests = 1u << THAW_SHA256 | 1u << THAW_MD5 };
	struct thaw_object object;

	memset(what.digest[THAW_SHA256], 0x11, 32);
	memset(what.digest[THAW_MD5], 0x22, 16);
	ck_assert_int_eq(thaw_catalog_object_error(cat, o[0], -EIO, true), 0);
	ck_assert_int_eq(thaw_catalog_publish(cat, &what), 0);
	fixture_reopen();
	object = get_object(o[0]);
	ck_assert_int_eq(object.residency, THAW_RES_RESIDENT);
	ck_assert_uint_eq(object.bytes, 8192);
	ck_assert_int_eq(object.staged_at, 500);
	ck_assert_int_eq(object.last_used, 500);
	ck_assert_uint_eq(object.hits, 0);
	ck_assert_int_eq(object.verified_at, 500);
	ck_assert(!object.verify_failed);
	ck_assert_int_eq(object.error, 0);
	ck_assert_uint_eq(object.digests, what.digests);
	ck_assert_int_eq(memcmp(object.digest[THAW_SHA256], what.digest[THAW_SHA256], 32), 0);
	ck_assert_int_eq(memcmp(object.digest[THAW_MD5], what.digest[THAW_MD5], 16), 0);
	ck_assert_str_eq(object.digest_source, "staged");
	expect_totals(1, 8192);
	what.object = 999;
	ck_assert_int_eq(thaw_catalog_publish(cat, &what), -ENOENT);
}
END_TEST

START_TEST(known_digests_are_kept)
{
	struct thaw_published what = { .object = o[0], .bytes = 1, .now = 5,
				       .digests = 1u << THAW_SHA512 };
	struct thaw_object object;

	ck_assert_int_eq(thaw_sql_exec(cat->rw, "UPDATE objects SET digest_source = 'bagit',"
						" sha256 = zeroblob(32)"), 0);
	memset(what.digest[THAW_SHA512], 0x33, 64);
	ck_assert_int_eq(thaw_catalog_publish(cat, &what), 0);
	object = get_object(o[0]);
	ck_assert_uint_eq(object.digests, 1u << THAW_SHA256 | 1u << THAW_SHA512);
	ck_assert_str_eq(object.digest_source, "bagit");
	/* another digest than the one on record */
	what.object = o[1];
	what.digests = 1u << THAW_SHA256;
	memset(what.digest[THAW_SHA256], 0x44, 32);
	ck_assert_int_eq(thaw_catalog_publish(cat, &what), -EBADMSG);
	ck_assert_int_eq(get_object(o[1]).residency, THAW_RES_NONE);
	expect_totals(1, 1);
}
END_TEST

START_TEST(published_together)
{
	struct thaw_published what[] = {
		{ .object = o[0], .bytes = 1, .now = 5 },
		{ .object = 999, .bytes = 2, .now = 5 },
		{ .object = o[1], .bytes = 4, .now = 5 },
		{ .object = o[2], .bytes = 8, .now = 5, .digests = 1u << THAW_SHA256 },
		{ .object = o[3], .bytes = 16, .now = 5 },
	};
	int results[5];

	publish(o[1], 1, 1);
	FILL(root, file_entry("a", "1", 10), file_entry("b", "new", 10), file_entry("c", "1", 10),
	     file_entry("d", "1", 10), file_entry("e", "1", 10));
	ck_assert_int_eq(thaw_sql_exec(cat->rw, "UPDATE objects SET digest_source = 'bagit',"
						" sha256 = randomblob(32)"), 0);
	ck_assert_int_eq(thaw_catalog_publish_many(cat, what, 5, results), 0);
	ck_assert_int_eq(results[0], 0);
	ck_assert_int_eq(results[1], -ENOENT);
	ck_assert_int_eq(results[2], -ESTALE);
	ck_assert_int_eq(results[3], -EBADMSG);
	ck_assert_int_eq(results[4], 0);
	ck_assert_int_eq(get_object(o[2]).residency, THAW_RES_NONE);
	expect_totals(3, 18);
}
END_TEST

START_TEST(eviction)
{
	publish(o[0], 100, 1);
	publish(o[1], 200, 2);
	publish(o[2], 400, 3);
	expect_totals(3, 700);
	ck_assert_int_eq(thaw_catalog_leaving(cat, o, 2), 0);
	expect_totals(1, 400);
	ck_assert_int_eq(get_object(o[0]).residency, THAW_RES_LEAVING);
	ck_assert_int_eq(thaw_catalog_stay(cat, o, 1), 0);
	ck_assert_int_eq(get_object(o[0]).residency, THAW_RES_RESIDENT);
	expect_totals(2, 500);
	/* those that are not on their way stay as they are */
	ck_assert_int_eq(thaw_catalog_stay(cat, o, 5), 0);
	ck_assert_int_eq(get_object(o[3]).residency, THAW_RES_NONE);
	ck_assert_int_eq(thaw_catalog_leaving(cat, o + 1, 1), 0);
	ck_assert_int_eq(thaw_catalog_left(cat, o + 1, 1), 0);
	ck_assert_int_eq(get_object(o[1]).residency, THAW_RES_NONE);
	ck_assert_int_eq(thaw_catalog_left(cat, o + 2, 3), 0);
	expect_totals(1, 100);
	/* staged again */
	publish(o[1], 300, 9);
	expect_totals(2, 400);
}
END_TEST

START_TEST(published_again)
{
	publish(o[0], 100, 1);
	publish(o[0], 250, 2);
	expect_totals(1, 250);
}
END_TEST

START_TEST(quarantine)
{
	publish(o[0], 100, 1);
	ck_assert_int_eq(thaw_catalog_quarantined(cat, o[0], 100, 7), 0);
	ck_assert_int_eq(get_object(o[0]).residency, THAW_RES_QUARANTINED);
	ck_assert(get_object(o[0]).verify_failed);
	ck_assert_int_eq(get_object(o[0]).verified_at, 7);
	expect_totals(0, 0);
	publish(o[0], 100, 8);
	ck_assert(!get_object(o[0]).verify_failed);
	expect_totals(1, 100);
	ck_assert_int_eq(thaw_catalog_quarantined(cat, 999, 1, 7), -ENOENT);
}
END_TEST

START_TEST(notes)
{
	ck_assert_int_eq(thaw_catalog_verified(cat, o[0], 77, true), 0);
	ck_assert_int_eq(get_object(o[0]).verified_at, 77);
	ck_assert(!get_object(o[0]).verify_failed);
	ck_assert_int_eq(thaw_catalog_verified(cat, o[0], 78, false), 0);
	ck_assert(get_object(o[0]).verify_failed);
	ck_assert_int_eq(thaw_catalog_object_error(cat, o[0], -EBADMSG, true), 0);
	ck_assert_int_eq(get_object(o[0]).error, -EBADMSG);
	ck_assert_int_eq(thaw_catalog_object_error(cat, o[0], 0, false), 0);
	ck_assert_int_eq(get_object(o[0]).error, 0);
	ck_assert(!get_object(o[0]).verify_failed);
	ck_assert_int_eq(thaw_catalog_object_error(cat, 999, 0, false), -ENOENT);
	ck_assert_int_eq(thaw_catalog_verified(cat, 999, 1, true), -ENOENT);
}
END_TEST

START_TEST(touching)
{
	struct thaw_touch touches[] = {
		{ o[0], 50, 3 }, { o[0], 40, 1 }, { 999, 1, 1 }, { o[1], 60, 1 },
	};

	publish(o[0], 1, 10);
	publish(o[1], 1, 10);
	ck_assert_int_eq(thaw_catalog_touch(cat, touches, 4), 0);
	ck_assert_int_eq(get_object(o[0]).last_used, 50);
	ck_assert_uint_eq(get_object(o[0]).hits, 4);
	ck_assert_int_eq(get_object(o[1]).last_used, 60);
	ck_assert_int_eq(thaw_catalog_touch(cat, NULL, 0), 0);
}
END_TEST

static size_t candidates(enum thaw_candidate_order order, struct thaw_candidate *ret, size_t room)
{
	int64_t time = 0;
	uint64_t id = 0;
	size_t n, total = 0;

	do { /* one by one: the place where the last call ended must hold */
		ck_assert_uint_lt(total, room);
		ck_assert_int_eq(thaw_catalog_candidates(cat, order, time, id, &ret[total], 1, &n),
				 0);
		if (n) {
			bool by_use = order == THAW_BY_LAST_USED;

			time = by_use ? ret[total].last_used : ret[total].staged_at;
			id = ret[total].object;
		}
		total += n;
	} while (n);
	return total;
}

START_TEST(candidate_order)
{
	struct thaw_candidate c[6];
	struct thaw_touch touch = { o[0], 50, 1 };

	publish(o[0], 1, 10);
	publish(o[1], 1, 30);
	publish(o[2], 1, 20);
	publish(o[3], 1, 20);
	publish(o[4], 1, 40);
	ck_assert_int_eq(thaw_catalog_touch(cat, &touch, 1), 0);
	ck_assert_uint_eq(candidates(THAW_BY_LAST_USED, c, 6), 5);
	ck_assert_uint_eq(c[0].object, o[2]);
	ck_assert_uint_eq(c[1].object, o[3]);
	ck_assert_uint_eq(c[2].object, o[1]);
	ck_assert_uint_eq(c[3].object, o[4]);
	ck_assert_uint_eq(c[4].object, o[0]);
	ck_assert_uint_eq(c[4].hits, 1);
	ck_assert_uint_eq(c[4].collection, spec.id);
	ck_assert_uint_eq(c[4].node, lookup_id(root, "a"));
	ck_assert_uint_eq(candidates(THAW_BY_STAGED_AT, c, 6), 5);
	ck_assert_uint_eq(c[0].object, o[0]);
	ck_assert_uint_eq(c[4].object, o[4]);
	ck_assert_int_eq(thaw_catalog_leaving(cat, o + 1, 1), 0);
	ck_assert_int_eq(thaw_catalog_quarantined(cat, o[2], 1, 1), 0);
	ck_assert_uint_eq(candidates(THAW_BY_STAGED_AT, c, 6), 3);
}
END_TEST

START_TEST(the_dead_come_first)
{
	struct thaw_candidate c[6];
	struct thaw_touch touch = { o[1], 999, 1 };

	publish(o[0], 1, 10);
	publish(o[1], 1, 20);
	publish(o[2], 1, 30);
	FILL(root, file_entry("a", "1", 10), file_entry("b", "new", 10), dir_entry("c"),
	     file_entry("d", "1", 10), file_entry("e", "1", 10));
	ck_assert_int_eq(thaw_catalog_touch(cat, &touch, 1), 0);
	for (int order = 0; order < 2; order++) {
		ck_assert_uint_eq(candidates((enum thaw_candidate_order)order, c, 6), 3);
		ck_assert_uint_eq(c[0].object, o[1]);
		ck_assert(c[0].dead);
		ck_assert_uint_eq(c[1].object, o[2]);
		ck_assert(c[1].dead);
		ck_assert_uint_eq(c[2].object, o[0]);
		ck_assert(!c[2].dead);
	}
	ck_assert_int_eq(get_object(o[1]).last_used, 999);
}
END_TEST

struct resident {
	uint64_t sum, n;
	int stop;
};

static int add_resident(void *ctx, uint64_t object, uint64_t bytes, enum thaw_residency state)
{
	struct resident *r = ctx;

	(void)state;
	ck_assert_int_eq(thaw_catalog_left(cat, &object, 1), 0); /* may write meanwhile */
	r->sum += bytes;
	return ++r->n == (uint64_t)r->stop ? -EINTR : 0;
}

START_TEST(each_resident)
{
	struct resident r = { .n = 0 };

	publish(o[0], 1, 1);
	publish(o[1], 2, 1);
	publish(o[2], 4, 1);
	ck_assert_int_eq(thaw_catalog_leaving(cat, o + 1, 1), 0);
	ck_assert_int_eq(thaw_catalog_each_resident(cat, THAW_RES_LEAVING, add_resident, &r), 0);
	ck_assert_uint_eq(r.sum, 2);
	r.stop = 2;
	ck_assert_int_eq(thaw_catalog_each_resident(cat, THAW_RES_NONE, add_resident, &r), -EINTR);
	ck_assert_uint_eq(r.sum, 3);
	r.stop = 0;
	ck_assert_int_eq(thaw_catalog_each_resident(cat, THAW_RES_NONE, add_resident, &r), 0);
	ck_assert_uint_eq(r.sum, 7);
}
END_TEST

START_TEST(forget)
{
	struct thaw_object object;
	uint64_t n;

	publish(o[0], 1, 1);
	publish(o[1], 2, 1);
	FILL(root, file_entry("a", "new", 10), file_entry("b", "1", 10), file_entry("c", "1", 10),
	     file_entry("d", "1", 10), file_entry("e", "1", 10));
	ck_assert_int_eq(thaw_catalog_forget_cache(cat, &n), 0);
	ck_assert_uint_eq(n, 2);
	expect_totals(0, 0);
	ck_assert_int_eq(thaw_catalog_object(cat, o[0], &object), -ENOENT);
	ck_assert_int_eq(get_object(o[1]).residency, THAW_RES_NONE);
	ck_assert_int_eq(thaw_catalog_forget_cache(cat, &n), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_object");
	TCase *tc = tcase_create("object");

	tcase_add_checked_fixture(tc, setup, fixture_teardown);
	tcase_add_test(tc, fresh);
	tcase_add_test(tc, published);
	tcase_add_test(tc, known_digests_are_kept);
	tcase_add_test(tc, published_together);
	tcase_add_test(tc, eviction);
	tcase_add_test(tc, published_again);
	tcase_add_test(tc, quarantine);
	tcase_add_test(tc, notes);
	tcase_add_test(tc, touching);
	tcase_add_test(tc, candidate_order);
	tcase_add_test(tc, the_dead_come_first);
	tcase_add_test(tc, each_resident);
	tcase_add_test(tc, forget);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
