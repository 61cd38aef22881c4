/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/catalog_impl.h"
#include "catalog/pin.h"
#include "fixture.h"

START_TEST(new_names)
{
	struct thaw_listing *l = INGEST(root, file_entry("f", "1", 10), dir_entry("d"),
					symlink_entry("s", "f"));
	struct thaw_object object;

	ck_assert_uint_eq(l->change_count, 3);
	ck_assert_uint_eq(change_of(l, "f", THAW_CHANGE_NEW)->node, lookup_id(root, "f"));
	ck_assert_uint_eq(change_of(l, "d", THAW_CHANGE_NEW)->node, lookup_id(root, "d"));
	ck_assert_uint_eq(l->subdir_count, 1);
	ck_assert_uint_eq(l->subdirs[0].node, lookup_id(root, "d"));
	ck_assert_int_eq(memcmp(l->names + l->subdirs[0].name_off, "d", 2), 0);
	object = get_object(lookup(root, "f").object);
	ck_assert(tag_is(&object, "1"));
	ck_assert_uint_eq(object.version, 1);
	ck_assert(object.current);
	ck_assert_uint_eq(object.size, 10);
	ck_assert_uint_eq(object.node, lookup_id(root, "f"));
	thaw_listing_free(l);
}
END_TEST

/* No change told, and nothing written. */
START_TEST(unchanged)
{
	struct thaw_entry e[] = { file_entry("f", "1", 10), dir_entry("d"), symlink_entry("s", "x"),
				  link_entry("h1", "2", 5, 77), link_entry("h2", "2", 5, 77) };
	struct thaw_listing *l;
	int before;

	e[0].storage_class = "GLACIER";
	thaw_listing_free(ingest_list(root, e, 5));
	before = sqlite3_total_changes(cat->rw->db);
	l = ingest_list(root, e, 5);
	ck_assert_uint_eq(l->change_count, 0);
	ck_assert_uint_eq(l->subdir_count, 1);
	ck_assert_int_eq(sqlite3_total_changes(cat->rw->db), before);
	thaw_listing_free(l);
}
END_TEST

START_TEST(attributes_only)
{
	struct thaw_entry e = file_entry("f", "1", 10), d = dir_entry("d");
	struct thaw_listing *l;
	uint64_t object;

	FILL(root, e, d);
	object = lookup(root, "f").object;
	e.mode = 0600;
	e.uid = 1;
	d.mtime_ns = 99;
	l = INGEST(root, e, d);
	ck_assert_uint_eq(l->change_count, 2);
	change_of(l, "f", THAW_CHANGE_ATTR);
	change_of(l, "d", THAW_CHANGE_ATTR);
	thaw_listing_free(l);
	ck_assert_uint_eq(lookup(root, "f").object, object);
	ck_assert_uint_eq(lookup(root, "f").mode, 0600);
	ck_assert_int_eq(lookup(root, "d").mtime_ns, 99);
}
END_TEST

START_TEST(availability)
{
	struct thaw_entry e = file_entry("f", "1", 10);
	struct thaw_listing *l;

	FILL(root, e);
	e.avail = THAW_AVAIL_OFFLINE;
	e.storage_class = "DEEP_ARCHIVE";
	l = INGEST(root, e);
	ck_assert_uint_eq(l->change_count, 0);
	thaw_listing_free(l);
	ck_assert_int_eq(get_object(lookup(root, "f").object).avail, THAW_AVAIL_OFFLINE);
}
END_TEST

START_TEST(symlink_text_changed)
{
	struct thaw_entry e = symlink_entry("s", "new");
	struct thaw_listing *l;
	char *text;
	size_t len;

	FILL(root, symlink_entry("s", "old"));
	e.ctime_ns = 77;
	l = INGEST(root, e);
	ck_assert_uint_eq(l->change_count, 1);
	ck_assert_uint_eq(change_of(l, "s", THAW_CHANGE_ATTR)->node, lookup_id(root, "s"));
	thaw_listing_free(l);
	ck_assert_int_eq(thaw_catalog_readlink(cat, lookup_id(root, "s"), &text, &len), 0);
	ck_assert_str_eq(text, "new");
	free(text);
}
END_TEST

START_TEST(lost_and_found)
{
	struct thaw_listing *l;
	struct thaw_node node;
	uint64_t object;

	FILL(root, file_entry("a", "1", 1), file_entry("f", "1", 10));
	node = lookup(root, "f");
	object = node.object;
	publish(object, 4096, 5);
	l = INGEST(root, file_entry("a", "1", 1));
	ck_assert_uint_eq(l->change_count, 1);
	ck_assert_uint_eq(change_of(l, "f", THAW_CHANGE_LOST)->node, node.id);
	thaw_listing_free(l);
	node = lookup(root, "f");
	ck_assert(node.lost);
	ck_assert_uint_eq(node.object, object);
	ck_assert(get_object(object).lost);
	/* still gone: not told twice */
	l = INGEST(root, file_entry("a", "1", 1));
	ck_assert_uint_eq(l->change_count, 0);
	thaw_listing_free(l);
	l = INGEST(root, file_entry("a", "1", 1), file_entry("f", "1", 10));
	ck_assert_uint_eq(l->change_count, 1);
	change_of(l, "f", THAW_CHANGE_FOUND);
	thaw_listing_free(l);
	node = lookup(root, "f");
	ck_assert(!node.lost);
	ck_assert_uint_eq(node.object, object);
	ck_assert_int_eq(get_object(object).residency, THAW_RES_RESIDENT);
}
END_TEST

START_TEST(directory_vanishes)
{
	struct thaw_listing *l;
	uint64_t d, e;

	FILL(root, dir_entry("d"), file_entry("x", "1", 1));
	d = lookup_id(root, "d");
	FILL(d, dir_entry("e"), file_entry("f", "1", 10), symlink_entry("s", "f"));
	e = lookup_id(d, "e");
	FILL(e, file_entry("g", "1", 10));
	l = INGEST(root, file_entry("x", "1", 1));
	ck_assert_uint_eq(l->change_count, 1);
	thaw_listing_free(l);
	ck_assert(lookup(root, "d").lost);
	ck_assert(lookup(d, "e").lost);
	ck_assert(lookup(d, "f").lost);
	ck_assert(lookup(d, "s").lost);
	ck_assert(lookup(e, "g").lost);
	l = INGEST(root, dir_entry("d"), file_entry("x", "1", 1));
	ck_assert_uint_eq(l->change_count, 1);
	ck_assert_uint_eq(l->subdir_count, 1);
	thaw_listing_free(l);
	ck_assert(!lookup(root, "d").lost);
	ck_assert(lookup(d, "f").lost);
	FILL(d, file_entry("f", "1", 10));
	ck_assert(!lookup(d, "f").lost);
	ck_assert(lookup(d, "e").lost);
}
END_TEST

static void pin_node(uint64_t node)
{
	struct thaw_pin pin = { .node = node, .expires = THAW_PIN_FOREVER };

	ck_assert_int_eq(thaw_catalog_pin_set(cat, &pin), 0);
}

START_TEST(directory_becomes_file)
{
	struct thaw_listing *l;
	struct thaw_candidate candidate;
	uint64_t d, object, files, bytes;
	size_t n;

	FILL(root, dir_entry("d"));
	d = lookup_id(root, "d");
	FILL(d, file_entry("f", "1", 10));
	object = lookup(d, "f").object;
	publish(object, 4096, 50);
	pin_node(lookup_id(d, "f"));
	pin_node(d);
	l = INGEST(root, file_entry("d", "1", 3));
	ck_assert_uint_eq(l->change_count, 1);
	ck_assert_uint_eq(change_of(l, "d", THAW_CHANGE_REPLACED)->node, lookup_id(root, "d"));
	ck_assert_uint_ne(lookup_id(root, "d"), d);
	thaw_listing_free(l);
	ck_assert(get_node(d).lost);
	ck_assert(lookup(d, "f").lost);
	ck_assert_int_eq(thaw_catalog_totals(cat, &files, &bytes), 0);
	ck_assert_uint_eq(files, 1);
	ck_assert_uint_eq(bytes, 3);
	ck_assert_int_eq(thaw_catalog_candidates(cat, THAW_BY_LAST_USED, 0, 0, &candidate, 1, &n),
			 0);
	ck_assert_uint_eq(n, 1);
	ck_assert(candidate.dead);
	ck_assert_uint_eq(candidate.object, object);
	ck_assert_int_eq(thaw_catalog_pin_clear(cat, d), -ENOENT);
}
END_TEST

START_TEST(file_becomes_directory)
{
	struct thaw_listing *l;
	struct thaw_object gone;
	uint64_t f, object;

	FILL(root, file_entry("f", "1", 10));
	f = lookup_id(root, "f");
	object = lookup(root, "f").object;
	l = INGEST(root, dir_entry("f"));
	ck_assert_uint_eq(change_of(l, "f", THAW_CHANGE_REPLACED)->old_object, object);
	ck_assert_uint_eq(l->subdir_count, 1);
	thaw_listing_free(l);
	ck_assert(get_node(f).lost);
	ck_assert_uint_eq(get_node(f).object, 0);
	ck_assert_int_eq(thaw_catalog_object(cat, object, &gone), -ENOENT);
	ck_assert_int_eq(lookup(root, "f").type, THAW_TYPE_DIR);
	FILL(root, symlink_entry("f", "x"));
	ck_assert_int_eq(lookup(root, "f").type, THAW_TYPE_SYMLINK);
}
END_TEST

START_TEST(name_twice)
{
	struct thaw_listing *l = INGEST(root, file_entry("a", "first", 1),
					file_entry("a", "second", 1), file_entry("b", "1", 1),
					dir_entry("b"));
	struct thaw_object object = get_object(lookup(root, "a").object);

	ck_assert_uint_eq(l->change_count, 2);
	ck_assert(tag_is(&object, "first"));
	ck_assert_int_eq(lookup(root, "b").type, THAW_TYPE_DIR);
	thaw_listing_free(l);
}
END_TEST

START_TEST(failed_listing)
{
	struct thaw_listing *l;
	uint64_t d;

	FILL(root, dir_entry("d"), dir_entry("e"));
	d = lookup_id(root, "d");
	l = make_listing(d, NULL, 0);
	l->error = -EIO;
	ck_assert_int_eq(thaw_catalog_ingest(cat, &l, 1), 0);
	ck_assert_int_eq(get_node(d).listed, THAW_LIST_FAILED);
	thaw_listing_free(l);
	FILL(d, file_entry("f", "1", 1));
	ck_assert_int_eq(get_node(d).listed, THAW_LISTED);
	l = make_listing(d, NULL, 0);
	l->error = -EIO;
	ck_assert_int_eq(thaw_catalog_ingest(cat, &l, 1), 0);
	ck_assert_int_eq(get_node(d).listed, THAW_LISTED);
	ck_assert(!lookup(d, "f").lost);
	thaw_listing_free(l);
}
END_TEST

START_TEST(empty_archive)
{
	struct thaw_listing *l = make_listing(root, NULL, 0);
	uint64_t d;

	/* nothing known: nothing to doubt */
	ck_assert_int_eq(thaw_catalog_ingest(cat, &l, 1), 0);
	ck_assert_int_eq(get_node(root).listed, THAW_LISTED);
	FILL(root, dir_entry("d"));
	d = lookup_id(root, "d");
	ck_assert_int_eq(thaw_catalog_ingest(cat, &l, 1), -ENODATA);
	ck_assert_uint_eq(l->change_count, 0);
	ck_assert(!get_node(d).lost);
	l->allow_empty = true;
	ck_assert_int_eq(thaw_catalog_ingest(cat, &l, 1), 0);
	ck_assert(get_node(d).lost);
	/* all of it lost already */
	l->allow_empty = false;
	ck_assert_int_eq(thaw_catalog_ingest(cat, &l, 1), 0);
	thaw_listing_free(l);
	/* other directories may become empty */
	FILL(root, dir_entry("d"));
	FILL(d, file_entry("f", "1", 1));
	FILL(d, );
	ck_assert(lookup(d, "f").lost);
}
END_TEST

START_TEST(all_or_nothing)
{
	struct thaw_listing *l[2];
	struct thaw_entry e = file_entry("f", "1", 1);

	l[0] = make_listing(root, &e, 1);
	l[1] = make_listing(9999, &e, 1);
	ck_assert_int_eq(thaw_catalog_ingest(cat, l, 2), -ENOENT);
	ck_assert(is_absent(root, "f"));
	ck_assert_uint_eq(l[0]->change_count, 0);
	ck_assert_int_eq(get_node(root).listed, THAW_UNLISTED);
	l[1]->dir = root;
	l[1]->collection++;
	ck_assert_int_eq(thaw_catalog_ingest(cat, l, 2), -EINVAL);
	ck_assert_int_eq(thaw_catalog_ingest(cat, l, 1), 0);
	l[1]->collection--;
	l[1]->dir = lookup_id(root, "f");
	ck_assert_int_eq(thaw_catalog_ingest(cat, l + 1, 1), -ENOTDIR);
	thaw_listing_free(l[0]);
	thaw_listing_free(l[1]);
}
END_TEST

static int collect_id(void *ctx, const struct thaw_node *node)
{
	uint64_t *ids = ctx;

	ids[++ids[0]] = node->id;
	return ids[0] == 3 ? -EINTR : 0;
}

START_TEST(each_unlisted)
{
	uint64_t ids[8] = { 0 }, a, b;
	struct thaw_listing *l;

	ck_assert_int_eq(thaw_catalog_each_unlisted(cat, spec.id, collect_id, ids), 0);
	ck_assert_uint_eq(ids[0], 1);
	ck_assert_uint_eq(ids[1], root);
	FILL(root, dir_entry("a"), dir_entry("b"), dir_entry("c"), file_entry("f", "1", 1));
	FILL(root, dir_entry("a"), dir_entry("b"), file_entry("f", "1", 1));
	a = lookup_id(root, "a");
	b = lookup_id(root, "b");
	l = make_listing(b, NULL, 0);
	l->error = -EIO;
	ck_assert_int_eq(thaw_catalog_ingest(cat, &l, 1), 0);
	thaw_listing_free(l);
	/* c is lost, b failed and is to be tried again */
	ids[0] = 0;
	ck_assert_int_eq(thaw_catalog_each_unlisted(cat, spec.id, collect_id, ids), 0);
	ck_assert_uint_eq(ids[0], 2);
	ck_assert_uint_eq(ids[1], a);
	ck_assert_uint_eq(ids[2], b);
	ids[0] = 2;
	ck_assert_int_eq(thaw_catalog_each_unlisted(cat, spec.id, collect_id, ids), -EINTR);
	FILL(a, );
	FILL(b, );
	ids[0] = 0;
	ck_assert_int_eq(thaw_catalog_each_unlisted(cat, spec.id, collect_id, ids), 0);
	ck_assert_uint_eq(ids[0], 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_ingest");
	TCase *tc = tcase_create("ingest");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_test(tc, new_names);
	tcase_add_test(tc, unchanged);
	tcase_add_test(tc, each_unlisted);
	tcase_add_test(tc, attributes_only);
	tcase_add_test(tc, availability);
	tcase_add_test(tc, symlink_text_changed);
	tcase_add_test(tc, lost_and_found);
	tcase_add_test(tc, directory_vanishes);
	tcase_add_test(tc, directory_becomes_file);
	tcase_add_test(tc, file_becomes_directory);
	tcase_add_test(tc, name_twice);
	tcase_add_test(tc, failed_listing);
	tcase_add_test(tc, empty_archive);
	tcase_add_test(tc, all_or_nothing);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
