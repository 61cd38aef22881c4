/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/catalog_impl.h"
#include "catalog/pin.h"
#include "catalog/request.h"
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
	Suite *suite = suite_create("catalog_ingest");
	TCase *tc = tcase_create("ingest");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_test(tc, new_names);
	tcase_add_test(tc, unchanged);
	tcase_add_test(tc, new_version);
	tcase_add_test(tc, versions_are_forgotten_at_an_attach);
	tcase_add_test(tc, a_new_version_keeps_pin_and_requests);
	tcase_add_test(tc, superseded_while_staged);
	tcase_add_test(tc, each_unlisted);
	tcase_add_test(tc, same_tag_other_size);
	tcase_add_test(tc, attributes_only);
	tcase_add_test(tc, availability);
	tcase_add_test(tc, symlink_text_changed);
	tcase_add_test(tc, lost_and_found);
	tcase_add_test(tc, found_with_other_content);
	tcase_add_test(tc, directory_vanishes);
	tcase_add_test(tc, directory_becomes_file);
	tcase_add_test(tc, file_becomes_directory);
	tcase_add_test(tc, name_twice);
	tcase_add_test(tc, failed_listing);
	tcase_add_test(tc, empty_archive);
	tcase_add_test(tc, all_or_nothing);
	tcase_add_test(tc, reexamined);
	tcase_add_test(tc, reexamined_as_another_type);
	tcase_add_test(tc, root_attributes);
	tcase_add_test(tc, ids_are_not_reused);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
