/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Versions of content: a node stands for one for ever.
 */
#include "catalog/pin.h"
#include "catalog/request.h"
#include "fixture.h"

static uint64_t successor_of(uint64_t node)
{
	uint64_t now;

	ck_assert_int_eq(thaw_catalog_successor(cat, node, &now), 0);
	return now;
}

START_TEST(new_version)
{
	const struct thaw_change *change;
	struct thaw_listing *l;
	struct thaw_object object;
	struct thaw_node old;

	FILL(root, file_entry("f", "1", 10));
	old = lookup(root, "f");
	ck_assert_uint_eq(successor_of(old.id), old.id);
	l = INGEST(root, file_entry("f", "2", 12));
	ck_assert_uint_eq(l->change_count, 1);
	change = change_of(l, "f", THAW_CHANGE_CONTENT);
	ck_assert_uint_eq(change->old_object, old.object);
	ck_assert_uint_eq(change->old_node, old.id);
	ck_assert_uint_eq(change->node, lookup_id(root, "f"));
	thaw_listing_free(l);
	ck_assert_uint_ne(lookup_id(root, "f"), old.id);
	ck_assert_uint_eq(successor_of(old.id), lookup_id(root, "f"));
	ck_assert_uint_eq(lookup(root, "f").size, 12);
	object = get_object(lookup(root, "f").object);
	ck_assert_uint_ne(object.id, old.object);
	ck_assert_uint_eq(object.node, lookup_id(root, "f"));
	ck_assert_uint_eq(object.version, 2);
	/* nothing was staged of it */
	ck_assert_int_eq(thaw_catalog_object(cat, old.object, &object), -ENOENT);
	/* who has it open still sees what it was */
	ck_assert_uint_eq(get_node(old.id).size, 10);
	ck_assert_uint_eq(get_node(old.id).parent, 0);
}
END_TEST

START_TEST(versions_are_forgotten_at_an_attach)
{
	uint64_t first, second, third, now;
	uint64_t object;

	FILL(root, file_entry("f", "1", 10));
	first = lookup_id(root, "f");
	object = lookup(root, "f").object;
	publish(object, 4096, 1);
	FILL(root, file_entry("f", "2", 10));
	second = lookup_id(root, "f");
	FILL(root, file_entry("f", "3", 10));
	third = lookup_id(root, "f");
	ck_assert_uint_eq(successor_of(first), third);
	ck_assert_uint_eq(successor_of(second), third);
	fixture_reopen();
	ck_assert_int_eq(thaw_catalog_successor(cat, second, &now), -ENOENT);
	ck_assert_uint_eq(successor_of(first), third);
	ck_assert_int_eq(get_object(object).residency, THAW_RES_RESIDENT);
	ck_assert_int_eq(thaw_catalog_left(cat, &object, 1), 0);
	fixture_reopen();
	ck_assert_int_eq(thaw_catalog_successor(cat, first, &now), -ENOENT);
	ck_assert_uint_eq(lookup_id(root, "f"), third);
}
END_TEST

START_TEST(a_new_version_keeps_pin_and_requests)
{
	struct thaw_pin pin = { .expires = THAW_PIN_FOREVER, .label = "kept" };
	struct thaw_request_file file;
	char id[THAW_REQUEST_ID_TEXT], of[THAW_REQUEST_ID_TEXT];
	uint64_t old, now;
	size_t n;

	FILL(root, file_entry("f", "1", 10));
	old = pin.node = lookup_id(root, "f");
	ck_assert_int_eq(thaw_catalog_pin_set(cat, &pin), 0);
	ck_assert_int_eq(thaw_catalog_request_new(cat, 0, 1, &old, 1, id), 0);
	ck_assert_int_eq(thaw_catalog_request_expand(cat, id, 2), 0);
	FILL(root, file_entry("f", "2", 20));
	now = lookup_id(root, "f");
	ck_assert_int_eq(thaw_catalog_pin_of(cat, now, 5, &pin), 0);
	ck_assert_str_eq(pin.label, "kept");
	ck_assert_int_eq(thaw_catalog_pin_of(cat, old, 5, &pin), -ENOENT);
	fixture_reopen();
	ck_assert_int_eq(thaw_catalog_request_next(cat, id, 0, &file, 1, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(file.node, now);
	ck_assert_int_eq(thaw_catalog_request_of(cat, now, of), 0);
	ck_assert_str_eq(of, id);
}
END_TEST

START_TEST(superseded_while_staged)
{
	struct thaw_object object;
	struct thaw_published again;
	struct thaw_node old;

	FILL(root, file_entry("f", "1", 10));
	old = lookup(root, "f");
	publish(old.object, 4096, 100);
	FILL(root, file_entry("f", "2", 10));
	object = get_object(old.object);
	ck_assert(!object.current);
	ck_assert_uint_eq(object.node, old.id);
	ck_assert_int_eq(object.residency, THAW_RES_RESIDENT);
	again = (struct thaw_published){ .object = old.object, .bytes = 1, .now = 1 };
	ck_assert_int_eq(thaw_catalog_publish(cat, &again), -ESTALE);
	/* a tag that comes back makes another version */
	FILL(root, file_entry("f", "1", 10));
	object = get_object(lookup(root, "f").object);
	ck_assert_uint_ne(object.id, old.object);
	ck_assert_uint_eq(object.version, 3);
	ck_assert_int_eq(object.residency, THAW_RES_NONE);
	check_catalog();
	/* it goes with its staged file */
	ck_assert_int_eq(thaw_catalog_left(cat, &old.object, 1), 0);
	ck_assert_int_eq(thaw_catalog_object(cat, old.object, &object), -ENOENT);
}
END_TEST

START_TEST(same_tag_other_size)
{
	uint64_t old;

	FILL(root, file_entry("f", "1", 10));
	old = lookup(root, "f").object;
	FILL(root, file_entry("f", "1", 11));
	ck_assert_uint_ne(lookup(root, "f").object, old);
}
END_TEST

START_TEST(found_with_other_content)
{
	struct thaw_listing *l;
	uint64_t old;

	FILL(root, file_entry("a", "1", 1), file_entry("f", "1", 10));
	old = lookup(root, "f").object;
	FILL(root, file_entry("a", "1", 1));
	l = INGEST(root, file_entry("a", "1", 1), file_entry("f", "2", 10));
	change_of(l, "f", THAW_CHANGE_FOUND);
	ck_assert_uint_eq(change_of(l, "f", THAW_CHANGE_CONTENT)->old_object, old);
	thaw_listing_free(l);
}
END_TEST

START_TEST(reexamined)
{
	struct thaw_entry e = file_entry("", "2", 20);
	uint64_t f, g, now;
	bool empty;

	ck_assert_int_eq(thaw_catalog_is_empty(cat, spec.id, &empty), 0);
	ck_assert(empty);
	FILL(root, file_entry("f", "1", 10), file_entry("g", "1", 1));
	ck_assert_int_eq(thaw_catalog_is_empty(cat, spec.id, &empty), 0);
	ck_assert(!empty);
	ck_assert_int_eq(thaw_catalog_is_empty(cat, 99, &empty), -ENOENT);
	f = lookup_id(root, "f");
	g = lookup_id(root, "g");
	e.name = NULL;
	e.name_len = 0;
	ck_assert_int_eq(thaw_catalog_reexamined(cat, f, &e, &now), 0);
	ck_assert_uint_ne(now, f);
	ck_assert_uint_eq(lookup_id(root, "f"), now);
	ck_assert_uint_eq(lookup(root, "f").size, 20);
	ck_assert(!get_node(g).lost);
	/* the old node leads on to the name */
	f = now;
	ck_assert_int_eq(thaw_catalog_reexamined(cat, f, &e, &now), 0);
	ck_assert_uint_eq(now, f);
	ck_assert_int_eq(thaw_catalog_mark_lost(cat, f), 0);
	ck_assert(get_node(f).lost);
	ck_assert_int_eq(thaw_catalog_reexamined(cat, f, &e, &now), 0);
	ck_assert(!get_node(f).lost);
	ck_assert_int_eq(thaw_catalog_reexamined(cat, 999, &e, &now), -ENOENT);
	ck_assert_int_eq(thaw_catalog_mark_lost(cat, 999), -ENOENT);
	ck_assert_int_eq(thaw_catalog_mark_lost(cat, root), -EINVAL);
}
END_TEST

START_TEST(reexamined_as_another_type)
{
	struct thaw_entry e = dir_entry("");
	uint64_t f, now = 1;

	FILL(root, file_entry("f", "1", 10));
	f = lookup_id(root, "f");
	ck_assert_int_eq(thaw_catalog_reexamined(cat, f, &e, &now), 0);
	ck_assert(get_node(f).lost);
	ck_assert_int_eq(lookup(root, "f").type, THAW_TYPE_DIR);
	ck_assert_uint_eq(now, lookup_id(root, "f"));
	ck_assert_int_eq(thaw_catalog_reexamined(cat, 999, &e, &now), -ENOENT);
}
END_TEST

START_TEST(root_attributes)
{
	struct thaw_entry e = dir_entry("");
	uint64_t object;

	e.mode = 0750;
	e.uid = 33;
	ck_assert_int_eq(thaw_catalog_reexamined(cat, root, &e, &object), 0);
	ck_assert_uint_eq(get_node(root).mode, 0750);
	ck_assert_uint_eq(get_node(root).uid, 33);
	e = file_entry("", "1", 1);
	ck_assert_int_eq(thaw_catalog_reexamined(cat, root, &e, &object), -ENOTDIR);
}
END_TEST

START_TEST(ids_are_not_reused)
{
	uint64_t last_node, last_object;

	FILL(root, file_entry("f", "1", 1));
	FILL(root, file_entry("f", "2", 1));
	last_node = lookup_id(root, "f");
	last_object = lookup(root, "f").object;
	FILL(root, file_entry("f", "3", 1)); /* deletes object 2's row */
	FILL(root, dir_entry("f"));          /* and 3's */
	fixture_reopen();
	FILL(root, file_entry("new", "1", 1));
	ck_assert_uint_gt(lookup_id(root, "new"), last_node + 1);
	ck_assert_uint_gt(lookup(root, "new").object, last_object + 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_version");
	TCase *tc = tcase_create("version");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_test(tc, new_version);
	tcase_add_test(tc, versions_are_forgotten_at_an_attach);
	tcase_add_test(tc, a_new_version_keeps_pin_and_requests);
	tcase_add_test(tc, superseded_while_staged);
	tcase_add_test(tc, same_tag_other_size);
	tcase_add_test(tc, found_with_other_content);
	tcase_add_test(tc, reexamined);
	tcase_add_test(tc, reexamined_as_another_type);
	tcase_add_test(tc, root_attributes);
	tcase_add_test(tc, ids_are_not_reused);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
