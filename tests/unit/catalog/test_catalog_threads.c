/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writers, an import and readers at once.  What one thread was told is done,
 * every other sees.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/thread.h"
#include "catalog/catalog_impl.h"
#include "catalog/pin.h"
#include "catalog/request.h"
#include "fixture.h"

#define FILES 200
#define ROUNDS 150

static uint64_t node_of[FILES], object_of[FILES];
static atomic_uint wrong, writers_left;
static atomic_uint pinned_until; /* files [0, pinned_until) are pinned for ever */

static void expect(bool right)
{
	if (!right)
		atomic_fetch_add(&wrong, 1);
}

static void *pin_files(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < FILES; i++) {
		struct thaw_pin pin = { .node = node_of[i], .expires = THAW_PIN_FOREVER };

		expect(thaw_catalog_pin_set(cat, &pin) == 0);
		atomic_store(&pinned_until, i + 1);
	}
	atomic_fetch_sub(&writers_left, 1);
	return NULL;
}

static void *publish_files(void *arg)
{
	unsigned mine = *(const unsigned *)arg;

	for (unsigned i = mine; i < FILES; i += 2) {
		struct thaw_published p = { .object = object_of[i], .bytes = 4096, .now = 1 + i };
		struct thaw_object object;

		expect(thaw_catalog_publish(cat, &p) == 0);
		expect(thaw_catalog_object(cat, p.object, &object) == 0 &&
		       object.residency == THAW_RES_RESIDENT);
		if (i % 4 == mine)
			continue;
		expect(thaw_catalog_leaving(cat, &p.object, 1) == 0);
		expect(thaw_catalog_left(cat, &p.object, 1) == 0);
	}
	atomic_fetch_sub(&writers_left, 1);
	return NULL;
}

static struct thaw_listing *busy_listing(uint64_t dir, unsigned round)
{
	struct thaw_listing *listing = thaw_listing_new(spec.id, dir);

	for (unsigned i = round % 3; i < 40; i++) {
		struct thaw_entry e;
		char name[16], tag[16];

		(void)snprintf(name, sizeof(name), "n%u", i);
		(void)snprintf(tag, sizeof(tag), "%u", i % 5 ? 0 : round);
		e = file_entry(name, tag, 10);
		expect(thaw_listing_add(listing, &e) == 0);
	}
	return listing;
}

static void *import(void *arg)
{
	uint64_t dir = *(const uint64_t *)arg;

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct thaw_listing *listing = busy_listing(dir, round);

		expect(thaw_catalog_ingest(cat, &listing, 1) == 0);
		thaw_listing_free(listing);
	}
	atomic_fetch_sub(&writers_left, 1);
	return NULL;
}

static int count_child(void *ctx, const char *name, size_t len, const struct thaw_node *node)
{
	struct thaw_node again;

	/* from within the call, too */
	expect(thaw_catalog_lookup(cat, *(const uint64_t *)ctx, name, len, &again) == 0);
	(void)node;
	return 0;
}

static void read_all(uint64_t busy)
{
	unsigned pinned = atomic_load(&pinned_until);
	struct thaw_tree_sum sum;
	struct thaw_pin pin;
	struct thaw_buf buf;
	uint64_t files, bytes;

	if (pinned)
		expect(thaw_catalog_pin_of(cat, node_of[pinned - 1], 1, &pin) == 0);
	expect(thaw_catalog_children(cat, busy, NULL, 0, SIZE_MAX, count_child, &busy) == 0);
	expect(thaw_catalog_sum(cat, root, &sum) == 0 && sum.files >= FILES);
	expect(thaw_catalog_totals(cat, &files, &bytes) == 0 && files >= FILES);
	thaw_buf_init(&buf, 256);
	expect(thaw_catalog_path(cat, node_of[pinned % FILES], &buf) == 0);
	thaw_buf_release(&buf);
}

static void *read_until_done(void *arg)
{
	do {
		read_all(*(const uint64_t *)arg);
	} while (atomic_load(&writers_left));
	return NULL;
}

static void fill(uint64_t *ret_busy)
{
	struct thaw_listing *listing = thaw_listing_new(spec.id, root);
	struct thaw_entry e = dir_entry("busy");

	ck_assert_int_eq(thaw_listing_add(listing, &e), 0);
	for (unsigned i = 0; i < FILES; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "f%03u", i);
		e = file_entry(name, "1", 1);
		ck_assert_int_eq(thaw_listing_add(listing, &e), 0);
	}
	ck_assert_int_eq(thaw_catalog_ingest(cat, &listing, 1), 0);
	thaw_listing_free(listing);
	for (unsigned i = 0; i < FILES; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "f%03u", i);
		node_of[i] = lookup_id(root, name);
		object_of[i] = lookup(root, name).object;
	}
	*ret_busy = lookup_id(root, "busy");
}

START_TEST(all_at_once)
{
	unsigned halves[] = { 0, 1 };
	pthread_t threads[8];
	uint64_t busy, files, bytes;
	int n = 0;

	fill(&busy);
	atomic_store(&writers_left, 4);
	ck_assert_int_eq(thaw_thread_start(&threads[n++], "pin", pin_files, NULL), 0);
	ck_assert_int_eq(thaw_thread_start(&threads[n++], "pub", publish_files, &halves[0]), 0);
	ck_assert_int_eq(thaw_thread_start(&threads[n++], "pub", publish_files, &halves[1]), 0);
	ck_assert_int_eq(thaw_thread_start(&threads[n++], "import", import, &busy), 0);
	for (; n < 8; n++)
		ck_assert_int_eq(thaw_thread_start(&threads[n], "read", read_until_done, &busy), 0);
	while (n)
		pthread_join(threads[--n], NULL);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	ck_assert_int_eq(thaw_catalog_pinned_bytes(cat, 1, &bytes), 0);
	ck_assert_uint_eq(bytes, FILES);
	ck_assert_int_eq(thaw_catalog_resident_totals(cat, &files, &bytes), 0);
	ck_assert_uint_eq(files, FILES / 2);
}
END_TEST

#define CROWD (THAW_READERS_MAX + 8)

static pthread_barrier_t barrier;

static int meet(void *ctx, const char *name, size_t len, const struct thaw_node *node)
{
	(void)ctx, (void)name, (void)len, (void)node;
	pthread_barrier_wait(&barrier);
	return 0;
}

static void *read_with_pause(void *arg)
{
	expect(thaw_catalog_children(cat, root, NULL, 0, 1, meet, NULL) == 0);
	(void)arg;
	return NULL;
}

/* More callers than connections, all of them inside a callback at one time. */
START_TEST(nothing_is_held_in_a_callback)
{
	pthread_t threads[CROWD];
	uint64_t busy;

	fill(&busy);
	ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, CROWD), 0);
	for (int i = 0; i < CROWD; i++)
		ck_assert_int_eq(thaw_thread_start(&threads[i], "read", read_with_pause, NULL), 0);
	for (int i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	ck_assert_uint_le(cat->open_readers, THAW_READERS_MAX);
}
END_TEST

static void *take_and_put(void *arg)
{
	struct thaw_conn *conn;

	for (int i = 0; i < 20; i++) {
		expect(thaw_catalog_reader_get(cat, &conn) == 0);
		thaw_catalog_reader_put(conn);
	}
	(void)arg;
	return NULL;
}

/* With all connections taken a caller waits for one to come back. */
START_TEST(the_pool_is_bounded)
{
	struct thaw_conn *conns[THAW_READERS_MAX];
	pthread_t threads[4];

	for (int i = 0; i < THAW_READERS_MAX; i++)
		ck_assert_int_eq(thaw_catalog_reader_get(cat, &conns[i]), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(thaw_thread_start(&threads[i], "take", take_and_put, NULL), 0);
	for (int i = 0; i < THAW_READERS_MAX; i++)
		thaw_catalog_reader_put(conns[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	ck_assert_uint_eq(cat->open_readers, THAW_READERS_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_threads");
	TCase *tc = tcase_create("threads");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_test(tc, all_at_once);
	tcase_add_test(tc, nothing_is_held_in_a_callback);
	tcase_add_test(tc, the_pool_is_bounded);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
