/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files with several names.  The danger is one name served with the bytes of
 * another that once shared its node.
 */
#include "base/buf.h"
#include "catalog/pin.h"
#include "fixture.h"

static uint64_t d, e; /* two directories */

static void setup(void)
{
	fixture_setup();
	FILL(root, dir_entry("d"), dir_entry("e"));
	d = lookup_id(root, "d");
	e = lookup_id(root, "e");
}

static const char *key_of(uint64_t id)
{
	static char text[256];
	struct thaw_buf buf;

	thaw_buf_init(&buf, sizeof(text) - 1);
	ck_assert_int_eq(thaw_catalog_key(cat, id, &buf), 0);
	strcpy(text, buf.data);
	thaw_buf_release(&buf);
	return text;
}

static bool has_tag(uint64_t dir, const char *name, const char *tag)
{
	struct thaw_object object = get_object(lookup(dir, name).object);

	return tag_is(&object, tag);
}

START_TEST(one_node)
{
	struct thaw_listing *l = INGEST(d, link_entry("a", "t", 5, 77),
					link_entry("b", "t", 5, 77));
	struct thaw_node a = lookup(d, "a"), b = lookup(d, "b");
	uint64_t files, bytes;

	ck_assert_uint_eq(l->change_count, 2);
	ck_assert_uint_eq(change_of(l, "b", THAW_CHANGE_NEW)->node, a.id);
	thaw_listing_free(l);
	ck_assert_uint_eq(a.id, b.id);
	ck_assert_uint_eq(a.nlink, 2);
	ck_assert_int_eq(memcmp(&a, &b, sizeof(a)), 0);
	FILL(e, link_entry("c", "t", 5, 77));
	ck_assert_uint_eq(lookup_id(e, "c"), a.id);
	ck_assert_uint_eq(lookup(e, "c").nlink, 3);
	ck_assert_uint_eq(lookup(e, "c").parent, d);
	ck_assert_str_eq(key_of(a.id), "d/a");
	ck_assert_int_eq(thaw_catalog_totals(cat, &files, &bytes), 0);
	ck_assert_uint_eq(files, 1);
	ck_assert_uint_eq(bytes, 5);
}
END_TEST

START_TEST(other_collection_or_tag)
{
	FILL(d, link_entry("a", "t", 5, 77));
	FILL(e, link_entry("c", "other", 5, 77));
	ck_assert_uint_ne(lookup_id(d, "a"), lookup_id(e, "c"));
	ck_assert(has_tag(d, "a", "t"));
	ck_assert(has_tag(e, "c", "other"));
}
END_TEST

START_TEST(further_name_vanishes)
{
	struct thaw_listing *l;

	FILL(d, link_entry("a", "t", 5, 77), link_entry("b", "t", 5, 77));
	l = INGEST(d, file_entry("a", "t", 5));
	ck_assert_uint_eq(l->change_count, 1);
	ck_assert_uint_eq(change_of(l, "b", THAW_CHANGE_REPLACED)->node, 0);
	thaw_listing_free(l);
	ck_assert(is_absent(d, "b"));
	ck_assert(!lookup(d, "a").lost);
	ck_assert_uint_eq(lookup(d, "a").nlink, 1);
}
END_TEST

START_TEST(first_name_vanishes)
{
	struct thaw_listing *l;
	uint64_t a;

	FILL(d, link_entry("a", "t", 5, 77));
	FILL(e, link_entry("b", "t", 5, 77));
	a = lookup_id(d, "a");
	publish(get_node(a).object, 4096, 1);
	FILL(d, );
	ck_assert(is_absent(d, "a"));
	ck_assert_uint_eq(lookup_id(e, "b"), a);
	ck_assert_uint_eq(lookup(e, "b").nlink, 1);
	ck_assert_uint_eq(lookup(e, "b").parent, e);
	ck_assert(!lookup(e, "b").lost);
	ck_assert_str_eq(key_of(a), "e/b");
	ck_assert_int_eq(get_object(get_node(a).object).residency, THAW_RES_RESIDENT);
	/* and the last one */
	l = INGEST(e, );
	ck_assert_uint_eq(change_of(l, "b", THAW_CHANGE_LOST)->node, a);
	thaw_listing_free(l);
	ck_assert(lookup(e, "b").lost);
	ck_assert_uint_eq(lookup_id(e, "b"), a);
}
END_TEST

START_TEST(renamed_in_one_listing)
{
	uint64_t a;

	FILL(d, link_entry("a", "t", 5, 77), link_entry("b", "t", 5, 77));
	a = lookup_id(d, "a");
	FILL(d, link_entry("c", "t", 5, 77), link_entry("d", "t", 5, 77));
	ck_assert_uint_eq(lookup_id(d, "c"), a);
	ck_assert_uint_eq(lookup_id(d, "d"), a);
	ck_assert(is_absent(d, "a"));
	ck_assert(is_absent(d, "b"));
	ck_assert_uint_eq(get_node(a).nlink, 2);
}
END_TEST

/* Each name moves to the new content when it is listed, and they meet there. */
START_TEST(written_in_place)
{
	struct thaw_listing *l;
	uint64_t a, now, files, bytes;

	FILL(d, link_entry("a", "t", 5, 77));
	FILL(e, link_entry("b", "t", 5, 77));
	a = lookup_id(d, "a");
	publish(get_node(a).object, 4096, 1);
	l = INGEST(e, link_entry("b", "u", 6, 77));
	ck_assert_uint_eq(l->change_count, 1);
	ck_assert_uint_eq(change_of(l, "b", THAW_CHANGE_REPLACED)->old_node, 0);
	thaw_listing_free(l);
	ck_assert_uint_eq(lookup_id(d, "a"), a);
	ck_assert(has_tag(d, "a", "t"));
	ck_assert(has_tag(e, "b", "u"));
	ck_assert_uint_eq(lookup(d, "a").nlink, 1);
	l = INGEST(d, link_entry("a", "u", 6, 77));
	ck_assert_uint_eq(l->change_count, 1);
	ck_assert_uint_eq(change_of(l, "a", THAW_CHANGE_CONTENT)->old_node, a);
	ck_assert_uint_eq(change_of(l, "a", THAW_CHANGE_CONTENT)->node, lookup_id(e, "b"));
	thaw_listing_free(l);
	ck_assert_uint_eq(lookup_id(d, "a"), lookup_id(e, "b"));
	ck_assert_uint_eq(lookup(d, "a").nlink, 2);
	ck_assert_int_eq(thaw_catalog_successor(cat, a, &now), 0);
	ck_assert_uint_eq(now, lookup_id(d, "a"));
	ck_assert_int_eq(thaw_catalog_totals(cat, &files, &bytes), 0);
	ck_assert_uint_eq(files, 1);
	ck_assert_uint_eq(bytes, 6);
}
END_TEST

START_TEST(written_in_place_and_reexamined)
{
	struct thaw_entry entry = link_entry("", "u", 6, 77);
	uint64_t a, now;

	FILL(d, link_entry("a", "t", 5, 77));
	FILL(e, link_entry("b", "t", 5, 77));
	a = lookup_id(d, "a");
	entry.name = NULL;
	ck_assert_int_eq(thaw_catalog_reexamined(cat, a, &entry, &now), 0);
	ck_assert_uint_eq(now, lookup_id(d, "a"));
	/* the node goes on under its other name, and leads from there to the same place */
	ck_assert_str_eq(key_of(a), "e/b");
	ck_assert_int_eq(thaw_catalog_reexamined(cat, a, &entry, &now), 0);
	ck_assert_uint_eq(now, lookup_id(d, "a"));
	ck_assert_uint_eq(now, lookup_id(e, "b"));
	ck_assert_int_eq(thaw_catalog_successor(cat, a, &a), 0);
	ck_assert_uint_eq(a, now);
}
END_TEST

START_TEST(a_pin_follows_its_names)
{
	struct thaw_pin pin = { .expires = THAW_PIN_FOREVER };
	uint64_t a;

	FILL(d, link_entry("a", "t", 5, 77));
	FILL(e, link_entry("b", "t", 5, 77));
	a = pin.node = lookup_id(d, "a");
	ck_assert_int_eq(thaw_catalog_pin_set(cat, &pin), 0);
	FILL(e, link_entry("b", "u", 6, 77));
	ck_assert_int_eq(thaw_catalog_pin_of(cat, lookup_id(e, "b"), 1, &pin), 0);
	ck_assert_int_eq(thaw_catalog_pin_of(cat, a, 1, &pin), 0);
	FILL(d, link_entry("a", "u", 6, 77));
	ck_assert_int_eq(thaw_catalog_pin_of(cat, lookup_id(d, "a"), 1, &pin), 0);
	ck_assert_int_eq(thaw_catalog_pin_of(cat, a, 1, &pin), -ENOENT);
	ck_assert_int_eq(thaw_catalog_pin_clear(cat, lookup_id(d, "a")), 0);
	ck_assert(!thaw_catalog_has_pins(cat));
}
END_TEST

/* Written to a new file and renamed over one of the names. */
START_TEST(further_name_replaced)
{
	struct thaw_listing *l;
	uint64_t a;

	FILL(d, link_entry("a", "t", 5, 77), link_entry("b", "t", 5, 77));
	a = lookup_id(d, "a");
	l = INGEST(d, file_entry("a", "t", 5), file_entry("b", "new", 6));
	ck_assert_uint_eq(change_of(l, "b", THAW_CHANGE_REPLACED)->node, lookup_id(d, "b"));
	thaw_listing_free(l);
	ck_assert_uint_eq(lookup_id(d, "a"), a);
	ck_assert(has_tag(d, "a", "t"));
	ck_assert(has_tag(d, "b", "new"));
	ck_assert_uint_eq(get_node(a).nlink, 1);
}
END_TEST

START_TEST(first_name_replaced)
{
	uint64_t a;

	FILL(d, link_entry("a", "t", 5, 77));
	FILL(e, link_entry("b", "t", 5, 77));
	a = lookup_id(d, "a");
	FILL(d, file_entry("a", "new", 6));
	ck_assert(has_tag(d, "a", "new"));
	/* b has not been listed again, and is what it was */
	ck_assert(has_tag(e, "b", "t"));
	ck_assert_uint_eq(lookup_id(e, "b"), a);
	ck_assert_uint_ne(lookup_id(d, "a"), a);
	ck_assert_uint_eq(lookup(e, "b").nlink, 1);
}
END_TEST

START_TEST(first_name_replaced_and_reexamined)
{
	struct thaw_entry entry = file_entry("", "new", 6);
	uint64_t a, now;

	FILL(d, link_entry("a", "t", 5, 77));
	FILL(e, link_entry("b", "t", 5, 77));
	a = lookup_id(d, "a");
	entry.name = NULL;
	ck_assert_int_eq(thaw_catalog_reexamined(cat, a, &entry, &now), 0);
	ck_assert_uint_eq(now, lookup_id(d, "a"));
	ck_assert_uint_ne(now, a);
	ck_assert_uint_eq(lookup_id(e, "b"), a);
	ck_assert_str_eq(key_of(a), "e/b");
	ck_assert(has_tag(e, "b", "t"));
}
END_TEST

START_TEST(first_name_said_lost)
{
	uint64_t a;

	FILL(d, link_entry("a", "t", 5, 77));
	FILL(e, link_entry("b", "t", 5, 77));
	a = lookup_id(d, "a");
	ck_assert_int_eq(thaw_catalog_mark_lost(cat, a), 0);
	ck_assert(!get_node(a).lost);
	ck_assert_str_eq(key_of(a), "e/b");
	ck_assert_int_eq(thaw_catalog_mark_lost(cat, a), 0);
	ck_assert(get_node(a).lost);
}
END_TEST

START_TEST(names_become_other_types)
{
	uint64_t a;

	FILL(d, link_entry("a", "t", 5, 77), link_entry("b", "t", 5, 77),
	     link_entry("c", "t", 5, 77));
	a = lookup_id(d, "a");
	FILL(d, dir_entry("a"), symlink_entry("b", "x"), file_entry("c", "t", 5));
	ck_assert_int_eq(lookup(d, "a").type, THAW_TYPE_DIR);
	ck_assert_int_eq(lookup(d, "b").type, THAW_TYPE_SYMLINK);
	ck_assert_uint_eq(lookup_id(d, "c"), a);
	ck_assert_uint_eq(get_node(a).nlink, 1);
	ck_assert(!get_node(a).lost);
	FILL(d, link_entry("a", "t", 5, 77), link_entry("b", "t", 5, 77),
	     link_entry("c", "t", 5, 77));
	ck_assert_uint_eq(lookup_id(d, "a"), lookup_id(d, "b"));
	check_catalog();
}
END_TEST

/* An archive's inode number comes back on another file. */
START_TEST(link_id_used_again)
{
	uint64_t a;

	FILL(d, link_entry("a", "t", 5, 77), link_entry("b", "t", 5, 77));
	a = lookup_id(d, "a");
	FILL(e, link_entry("x", "fresh", 9, 77), link_entry("y", "fresh", 9, 77));
	ck_assert_uint_ne(lookup_id(e, "x"), a);
	ck_assert_uint_eq(lookup_id(e, "x"), lookup_id(e, "y"));
	ck_assert(has_tag(d, "a", "t"));
	ck_assert(has_tag(d, "b", "t"));
	FILL(d, file_entry("a", "later", 1));
	ck_assert(has_tag(e, "x", "fresh"));
	ck_assert(has_tag(d, "a", "later"));
}
END_TEST

START_TEST(lost_files_are_not_joined)
{
	uint64_t a;

	FILL(d, link_entry("a", "t", 5, 77), file_entry("z", "t", 5));
	a = lookup_id(d, "a");
	FILL(d, file_entry("z", "t", 5));
	ck_assert(get_node(a).lost);
	FILL(e, link_entry("b", "t", 5, 77));
	ck_assert(!lookup(e, "b").lost);
	ck_assert_uint_ne(lookup_id(e, "b"), a);
}
END_TEST

START_TEST(directory_of_the_first_name_vanishes)
{
	uint64_t a, inner;

	FILL(d, dir_entry("inner"), link_entry("b", "t", 5, 77));
	inner = lookup_id(d, "inner");
	FILL(inner, link_entry("b2", "t", 5, 77), link_entry("only", "u", 5, 78),
	     link_entry("only2", "u", 5, 78));
	FILL(e, link_entry("c", "t", 5, 77));
	a = lookup_id(d, "b");
	ck_assert_uint_eq(get_node(a).nlink, 3);
	FILL(root, dir_entry("e"));
	ck_assert(lookup(root, "d").lost);
	ck_assert(!lookup(root, "e").lost);
	ck_assert_uint_eq(lookup_id(e, "c"), a);
	ck_assert_uint_eq(get_node(a).nlink, 1);
	ck_assert(!get_node(a).lost);
	ck_assert_str_eq(key_of(a), "e/c");
	/* both of its names went: lost once, under one of them */
	ck_assert(lookup(inner, "only").lost);
	ck_assert(is_absent(inner, "only2"));
}
END_TEST

START_TEST(directory_of_the_first_name_replaced)
{
	uint64_t a, files, bytes;

	FILL(d, link_entry("b", "t", 5, 77), file_entry("alone", "z", 100));
	FILL(e, link_entry("c", "t", 5, 77));
	a = lookup_id(d, "b");
	FILL(root, file_entry("d", "1", 1), dir_entry("e"));
	ck_assert_uint_eq(lookup_id(e, "c"), a);
	ck_assert(!get_node(a).lost);
	ck_assert_int_eq(thaw_catalog_totals(cat, &files, &bytes), 0);
	ck_assert_uint_eq(files, 2);
	ck_assert_uint_eq(bytes, 6);
}
END_TEST

/* The name a node goes on under is in the directory being merged, behind the cursor or before. */
START_TEST(promoted_into_the_listing)
{
	uint64_t a;

	FILL(e, link_entry("m", "t", 5, 77));
	FILL(d, dir_entry("x"), link_entry("aa", "t", 5, 77), link_entry("zz", "t", 5, 77));
	a = lookup_id(e, "m");
	FILL(lookup_id(d, "x"), link_entry("in", "t", 5, 77));
	FILL(e, file_entry("m", "gone its own way", 1));
	ck_assert_str_eq(key_of(a), "d/aa");
	FILL(d, symlink_entry("x", "now a link"), link_entry("zz", "t", 5, 77));
	ck_assert_str_eq(key_of(a), "d/zz");
	ck_assert_uint_eq(get_node(a).nlink, 1);
	ck_assert(is_absent(d, "aa"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_links");
	TCase *tc = tcase_create("links");

	tcase_add_checked_fixture(tc, setup, fixture_teardown);
	tcase_add_test(tc, one_node);
	tcase_add_test(tc, other_collection_or_tag);
	tcase_add_test(tc, further_name_vanishes);
	tcase_add_test(tc, first_name_vanishes);
	tcase_add_test(tc, renamed_in_one_listing);
	tcase_add_test(tc, written_in_place);
	tcase_add_test(tc, written_in_place_and_reexamined);
	tcase_add_test(tc, a_pin_follows_its_names);
	tcase_add_test(tc, further_name_replaced);
	tcase_add_test(tc, first_name_replaced);
	tcase_add_test(tc, first_name_replaced_and_reexamined);
	tcase_add_test(tc, first_name_said_lost);
	tcase_add_test(tc, names_become_other_types);
	tcase_add_test(tc, link_id_used_again);
	tcase_add_test(tc, lost_files_are_not_joined);
	tcase_add_test(tc, directory_of_the_first_name_vanishes);
	tcase_add_test(tc, directory_of_the_first_name_replaced);
	tcase_add_test(tc, promoted_into_the_listing);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
