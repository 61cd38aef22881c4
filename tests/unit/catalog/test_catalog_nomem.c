/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Nth allocation of SQLite fails, and all after it, for growing N until a run
 * needs fewer: each operation then says -ENOMEM and has left nothing, or is done.
 */
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>

#include "catalog/pin.h"
#include "fixture.h"

static sqlite3_mem_methods real;
static atomic_int countdown; /* 0: off; 1: the next one fails, and all after it */

static bool fails(void)
{
	int n = atomic_load(&countdown);

	if (n > 1)
		atomic_store(&countdown, n - 1);
	return n == 1;
}

static void *fail_malloc(int n)
{
	return fails() ? NULL : real.xMalloc(n);
}

static void *fail_realloc(void *p, int n)
{
	return fails() ? NULL : real.xRealloc(p, n);
}

static void setup(void)
{
	sqlite3_mem_methods methods;

	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real), SQLITE_OK);
	methods = real;
	methods.xMalloc = fail_malloc;
	methods.xRealloc = fail_realloc;
	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods), SQLITE_OK);
	fixture_setup();
	FILL(root, dir_entry("d"), file_entry("f", "1", 1), link_entry("g", "1", 1, 7));
}

static struct thaw_listing *changed(void)
{
	struct thaw_entry e[] = { file_entry("d", "1", 1), file_entry("f", "2", 1),
				  link_entry("h", "1", 1, 7), file_entry("n", "1", 1) };

	return make_listing(root, e, 4);
}

static bool done(int rc)
{
	struct thaw_err err;

	atomic_store(&countdown, 0);
	thaw_catalog_strerror(cat, &err);
	ck_assert_msg(rc == 0 || rc == -ENOMEM, "%d: %s", rc, err.text);
	check_catalog();
	return rc == 0;
}

START_TEST(merging)
{
	struct thaw_listing *listing = changed();
	bool is_done = false;
	int n;

	for (n = 1; !is_done; n++) {
		ck_assert(is_absent(root, "h"));
		ck_assert_int_eq(lookup(root, "d").type, THAW_TYPE_DIR);
		atomic_store(&countdown, n);
		is_done = done(thaw_catalog_ingest(cat, &listing, 1));
	}
	ck_assert_int_gt(n, 3);
	ck_assert(!is_absent(root, "h"));
	ck_assert(is_absent(root, "g"));
	thaw_listing_free(listing);
}
END_TEST

/* The connection's caches are cold each time. */
START_TEST(from_cold)
{
	struct thaw_pin pin = { .node = lookup_id(root, "f"), .expires = 10 }, found;
	bool is_done = false;
	int n;

	for (n = 1; !is_done; n += 1 + n / 16) {
		fixture_reopen();
		ck_assert_int_eq(thaw_catalog_pin_of(cat, pin.node, 1, &found), -ENOENT);
		atomic_store(&countdown, n);
		is_done = done(thaw_catalog_pin_set(cat, &pin));
	}
	ck_assert_int_eq(thaw_catalog_pin_of(cat, pin.node, 1, &found), 0);
}
END_TEST

START_TEST(reading)
{
	bool is_done = false;
	struct thaw_tree_sum sum;
	int n;

	for (n = 1; !is_done; n += 1 + n / 16) {
		fixture_reopen();
		atomic_store(&countdown, n);
		is_done = done(thaw_catalog_sum(cat, root, &sum));
	}
	ck_assert_int_gt(n, 3);
	ck_assert_uint_eq(sum.files, 2);
}
END_TEST

START_TEST(opening)
{
	struct thaw_err err;
	bool is_done = false;

	for (int n = 1; !is_done; n += 1 + n / 16) {
		int rc;

		cat = thaw_catalog_close(cat);
		atomic_store(&countdown, n);
		rc = thaw_catalog_open(fixture_path, &cat, &err);
		atomic_store(&countdown, 0);
		/* never taken for damage */
		ck_assert_msg(rc == 0 || rc == -ENOMEM, "%d: %s", rc, err.text);
		is_done = rc == 0;
	}
	ck_assert_int_eq(thaw_catalog_attach(cat, &spec, 1, &root), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_nomem");
	TCase *tc = tcase_create("nomem");

	tcase_add_checked_fixture(tc, setup, fixture_teardown);
	tcase_add_test(tc, merging);
	tcase_add_test(tc, from_cold);
	tcase_add_test(tc, reading);
	tcase_add_test(tc, opening);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
