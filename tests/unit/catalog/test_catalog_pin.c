/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "catalog/pin.h"
#include "fixture.h"

static uint64_t a, b, f, g; /* /a, /a/b, /a/b/f, /g */

static void setup(void)
{
	fixture_setup();
	FILL(root, dir_entry("a"), file_entry("g", "1", 1000));
	a = lookup_id(root, "a");
	FILL(a, dir_entry("b"), file_entry("x", "1", 100));
	b = lookup_id(a, "b");
	FILL(b, file_entry("f", "1", 10));
	f = lookup_id(b, "f");
	g = lookup_id(root, "g");
}

static void pin(uint64_t node, int64_t expires, const char *label)
{
	struct thaw_pin p = { .node = node, .owner = 4294967294u, .created = 5,
			      .expires = expires };

	(void)snprintf(p.label, sizeof(p.label), "%s", label);
	ck_assert_int_eq(thaw_catalog_pin_set(cat, &p), 0);
}

static const char *label_of(uint64_t node, int64_t now)
{
	static struct thaw_pin p;

	if (thaw_catalog_pin_of(cat, node, now, &p))
		return "none";
	return p.label;
}

START_TEST(set_and_clear)
{
	struct thaw_pin p = { .node = 999 };

	ck_assert(!thaw_catalog_has_pins(cat));
	ck_assert_str_eq(label_of(f, 0), "none");
	ck_assert_int_eq(thaw_catalog_pin_set(cat, &p), -ENOENT);
	ck_assert(!thaw_catalog_has_pins(cat));
	pin(f, 100, "one");
	ck_assert(thaw_catalog_has_pins(cat));
	ck_assert_int_eq(thaw_catalog_pin_of(cat, f, 99, &p), 0);
	ck_assert_uint_eq(p.node, f);
	ck_assert_uint_eq(p.owner, 4294967294u);
	ck_assert_int_eq(p.created, 5);
	ck_assert_int_eq(p.expires, 100);
	ck_assert_str_eq(label_of(f, 100), "none");
	pin(f, 200, "two");
	ck_assert_str_eq(label_of(f, 100), "two");
	fixture_reopen();
	ck_assert(thaw_catalog_has_pins(cat));
	ck_assert_str_eq(label_of(f, 100), "two");
	ck_assert_int_eq(thaw_catalog_pin_clear(cat, f), 0);
	ck_assert_int_eq(thaw_catalog_pin_clear(cat, f), -ENOENT);
	ck_assert(!thaw_catalog_has_pins(cat));
}
END_TEST

START_TEST(the_longest_counts)
{
	pin(a, 300, "a");
	ck_assert_str_eq(label_of(f, 0), "a");
	ck_assert_str_eq(label_of(a, 0), "a");
	ck_assert_str_eq(label_of(g, 0), "none");
	ck_assert_str_eq(label_of(root, 0), "none");
	pin(b, 500, "b");
	pin(f, 400, "f");
	ck_assert_str_eq(label_of(f, 0), "b");
	ck_assert_str_eq(label_of(b, 0), "b");
	pin(root, THAW_PIN_FOREVER, "all");
	ck_assert_str_eq(label_of(f, 1000), "all");
	ck_assert_str_eq(label_of(g, 1000), "all");
}
END_TEST

START_TEST(by_any_of_its_names)
{
	FILL(root, dir_entry("a"), link_entry("one", "h", 1, 9), dir_entry("z"));
	FILL(lookup_id(root, "z"), link_entry("two", "h", 1, 9));
	pin(lookup_id(root, "z"), 100, "z");
	ck_assert_str_eq(label_of(lookup_id(root, "one"), 0), "z");
}
END_TEST

START_TEST(above_collections)
{
	struct thaw_collection_spec s = spec;
	uint64_t top;

	s.path = "/x/y";
	ck_assert_int_eq(thaw_catalog_attach(cat, &s, 1, &top), 0);
	pin(top, 100, "top");
	ck_assert_str_eq(label_of(f, 0), "top");
}
END_TEST

START_TEST(expiry)
{
	uint64_t n = 77;

	ck_assert_int_eq(thaw_catalog_pins_expire(cat, 100, &n), 0);
	ck_assert_uint_eq(n, 0);
	pin(a, 100, "a");
	pin(b, 101, "b");
	pin(f, THAW_PIN_FOREVER, "f");
	ck_assert_int_eq(thaw_catalog_pins_expire(cat, 99, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(thaw_catalog_pins_expire(cat, 101, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(label_of(b, 0), "none");
	ck_assert_str_eq(label_of(f, 0), "f");
	ck_assert(thaw_catalog_has_pins(cat));
	ck_assert_int_eq(thaw_catalog_pins_expire(cat, THAW_PIN_FOREVER - 1, &n), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

static int count(void *ctx, const struct thaw_pin *p)
{
	int *n = ctx;

	ck_assert_int_eq(thaw_catalog_pin_clear(cat, p->node), 0);
	return ++*n == 150 ? -EINTR : 0;
}

START_TEST(listing_pins)
{
	struct thaw_listing *l = thaw_listing_new(spec.id, b);
	int n = 0;

	for (int i = 0; i < 200; i++) {
		struct thaw_entry e;
		char name[16];

		(void)snprintf(name, sizeof(name), "p%d", i);
		e = file_entry(name, "1", 1);
		ck_assert_int_eq(thaw_listing_add(l, &e), 0);
	}
	ck_assert_int_eq(thaw_catalog_ingest(cat, &l, 1), 0);
	for (size_t i = 0; i < l->change_count; i++) {
		if (l->changes[i].kind == THAW_CHANGE_NEW)
			pin(l->changes[i].node, 10, "x");
	}
	thaw_listing_free(l);
	ck_assert_int_eq(thaw_catalog_pins(cat, count, &n), -EINTR);
	ck_assert_int_eq(thaw_catalog_pins(cat, count, &n), 0);
	ck_assert_int_eq(n, 200);
}
END_TEST

START_TEST(bytes)
{
	uint64_t n = 1;

	ck_assert_int_eq(thaw_catalog_pinned_bytes(cat, 0, &n), 0);
	ck_assert_uint_eq(n, 0);
	pin(b, 100, "b");
	ck_assert_int_eq(thaw_catalog_pinned_bytes(cat, 0, &n), 0);
	ck_assert_uint_eq(n, 10);
	pin(a, 50, "a");
	pin(f, 500, "f");
	ck_assert_int_eq(thaw_catalog_pinned_bytes(cat, 0, &n), 0);
	ck_assert_uint_eq(n, 110);
	ck_assert_int_eq(thaw_catalog_pinned_bytes(cat, 60, &n), 0);
	ck_assert_uint_eq(n, 10);
	pin(g, 500, "g");
	ck_assert_int_eq(thaw_catalog_pinned_bytes(cat, 60, &n), 0);
	ck_assert_uint_eq(n, 1010);
	ck_assert_int_eq(thaw_catalog_pinned_bytes(cat, 500, &n), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(bytes_of_two_names_count_once)
{
	uint64_t n;

	FILL(a, link_entry("one", "h", 7, 9), file_entry("x", "1", 100), dir_entry("b"));
	FILL(root, dir_entry("a"), file_entry("g", "1", 1000), dir_entry("z"));
	FILL(lookup_id(root, "z"), link_entry("two", "h", 7, 9));
	pin(lookup_id(root, "z"), 100, "z");
	pin(a, 100, "a");
	ck_assert_int_eq(thaw_catalog_pinned_bytes(cat, 0, &n), 0);
	ck_assert_uint_eq(n, 117);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_pin");
	TCase *tc = tcase_create("pin");

	tcase_add_checked_fixture(tc, setup, fixture_teardown);
	tcase_add_test(tc, set_and_clear);
	tcase_add_test(tc, the_longest_counts);
	tcase_add_test(tc, by_any_of_its_names);
	tcase_add_test(tc, above_collections);
	tcase_add_test(tc, expiry);
	tcase_add_test(tc, listing_pins);
	tcase_add_test(tc, bytes);
	tcase_add_test(tc, bytes_of_two_names_count_once);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
