/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "base/buf.h"
#include "fixture.h"

static const char *text_of(int (*fn)(struct thaw_catalog *, uint64_t, struct thaw_buf *),
			   uint64_t id)
{
	static char text[1024];
	struct thaw_buf buf;

	thaw_buf_init(&buf, sizeof(text) - 1);
	ck_assert_int_eq(fn(cat, id, &buf), 0);
	strcpy(text, buf.data);
	thaw_buf_release(&buf);
	return text;
}

static uint64_t make_dir(uint64_t parent, const char *name)
{
	FILL(parent, dir_entry(name));
	return lookup_id(parent, name);
}

START_TEST(attributes)
{
	struct thaw_entry e = file_entry("a", "tag", UINT64_C(1) << 40);
	struct thaw_node node;

	e.mode = 0100640;
	e.uid = 4294967294u;
	e.gid = 7;
	e.mtime_ns = -1500000000;
	e.ctime_ns = INT64_C(1) << 60;
	FILL(root, e);
	node = lookup(root, "a");
	ck_assert_uint_eq(node.parent, root);
	ck_assert_uint_eq(node.collection, spec.id);
	ck_assert_int_eq(node.type, THAW_TYPE_FILE);
	ck_assert_uint_eq(node.mode, 0640);
	ck_assert_uint_eq(node.uid, 4294967294u);
	ck_assert_uint_eq(node.gid, 7);
	ck_assert_uint_eq(node.nlink, 1);
	ck_assert_uint_eq(node.size, UINT64_C(1) << 40);
	ck_assert_int_eq(node.mtime_ns, -1500000000);
	ck_assert_int_eq(node.ctime_ns, INT64_C(1) << 60);
	ck_assert_uint_ne(node.object, 0);
	ck_assert(!node.lost);
	node = get_node(node.id);
	ck_assert_uint_eq(node.mode, 0640);
	node = get_node(root);
	ck_assert_uint_eq(node.nlink, 1);
	ck_assert_uint_eq(node.size, 4096);
	ck_assert_int_eq(node.listed, THAW_LISTED);
}
END_TEST

START_TEST(absent)
{
	struct thaw_node node = { .id = 42 };
	char *text = NULL;
	size_t len;

	ck_assert_int_eq(thaw_catalog_node(cat, 12345, &node), -ENOENT);
	ck_assert_int_eq(thaw_catalog_lookup(cat, root, "x", 1, &node), -ENOENT);
	ck_assert_int_eq(thaw_catalog_readlink(cat, 12345, &text, &len), -ENOENT);
	ck_assert_int_eq(thaw_catalog_readlink(cat, root, &text, &len), -EINVAL);
	ck_assert_uint_eq(node.id, 42);
	ck_assert_ptr_null(text);
}
END_TEST

START_TEST(symlink_text)
{
	struct thaw_entry e = symlink_entry("l", "../some/where");
	char *text;
	size_t len;

	FILL(root, e, symlink_entry("empty", ""));
	ck_assert_uint_eq(lookup(root, "l").size, 13);
	ck_assert_int_eq(thaw_catalog_readlink(cat, lookup_id(root, "l"), &text, &len), 0);
	ck_assert_uint_eq(len, 13);
	ck_assert_str_eq(text, "../some/where");
	free(text);
	ck_assert_int_eq(thaw_catalog_readlink(cat, lookup_id(root, "empty"), &text, &len), 0);
	ck_assert_uint_eq(len, 0);
	free(text);
}
END_TEST

struct seen {
	char names[600][256];
	size_t lens[600];
	uint64_t ids[600];
	size_t n, stop_at;
};

static int see(void *ctx, const char *name, size_t len, const struct thaw_node *node)
{
	struct seen *s = ctx;

	memcpy(s->names[s->n], name, len);
	s->lens[s->n] = len;
	s->ids[s->n++] = node->id;
	return s->n == s->stop_at ? 77 : 0;
}

/* Every byte a name may have, alone and behind another. */
START_TEST(names_of_all_bytes)
{
	struct thaw_listing *listing = thaw_listing_new(spec.id, root);
	static struct seen s;
	struct thaw_node node;
	char name[2];

	for (int c = 255; c > 0; c--) {
		struct thaw_entry e = file_entry("", "t", 1);

		if (c == '/')
			continue;
		name[0] = name[1] = (char)c;
		e.name = name;
		e.name_len = 1;
		if (c != '.')
			ck_assert_int_eq(thaw_listing_add(listing, &e), 0);
		e.name_len = 2;
		if (c != '.')
			ck_assert_int_eq(thaw_listing_add(listing, &e), 0);
	}
	ck_assert_int_eq(thaw_catalog_ingest(cat, &listing, 1), 0);
	thaw_listing_free(listing);
	memset(&s, 0, sizeof(s));
	ck_assert_int_eq(thaw_catalog_children(cat, root, NULL, 0, SIZE_MAX, see, &s), 0);
	ck_assert_uint_eq(s.n, 2 * 253);
	for (size_t i = 0; i < s.n; i++) {
		ck_assert_int_eq(thaw_catalog_lookup(cat, root, s.names[i], s.lens[i], &node), 0);
		ck_assert_uint_eq(node.id, s.ids[i]);
		if (i)
			ck_assert_int_lt(memcmp(s.names[i - 1], s.names[i], 3), 0);
	}
}
END_TEST

START_TEST(names_refused)
{
	static const struct { const char *name; size_t len; } bad[] = {
		{ "", 0 }, { ".", 1 }, { "..", 2 }, { "a/b", 3 }, { "a\0b", 3 }, { "/", 1 },
	};
	struct thaw_listing *listing = thaw_listing_new(spec.id, root);
	struct thaw_entry e = file_entry("", "t", 1);
	char longest[256];

	memset(longest, 'x', sizeof(longest));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e.name = bad[i].name;
		e.name_len = bad[i].len;
		ck_assert_int_eq(thaw_listing_add(listing, &e), -EINVAL);
	}
	e.name = longest;
	e.name_len = 256;
	ck_assert_int_eq(thaw_listing_add(listing, &e), -EINVAL);
	e.name_len = 255;
	ck_assert_int_eq(thaw_listing_add(listing, &e), 0);
	ck_assert_uint_eq(listing->count, 1);
	ck_assert_int_eq(thaw_catalog_ingest(cat, &listing, 1), 0);
	thaw_listing_free(listing);
}
END_TEST

/* More than a batch, in pieces, from the middle, and stopped. */
START_TEST(children_in_pieces)
{
	struct thaw_listing *listing = thaw_listing_new(spec.id, root);
	static struct seen s;
	char name[16];
	size_t total = 0;

	for (int i = 0; i < 3000; i++) {
		struct thaw_entry e;

		(void)snprintf(name, sizeof(name), "f%04d", (i * 7) % 3000);
		e = file_entry(name, "t", 1);
		ck_assert_int_eq(thaw_listing_add(listing, &e), 0);
	}
	ck_assert_int_eq(thaw_catalog_ingest(cat, &listing, 1), 0);
	thaw_listing_free(listing);
	name[0] = '\0';
	do {
		memset(&s, 0, sizeof(s));
		ck_assert_int_eq(thaw_catalog_children(cat, root, name, strlen(name), 600, see,
						       &s), 0);
		for (size_t i = 0; i < s.n; i++) {
			char want[16];

			(void)snprintf(want, sizeof(want), "f%04zu", total++);
			ck_assert_str_eq(s.names[i], want);
		}
		if (s.n)
			strcpy(name, s.names[s.n - 1]);
	} while (s.n);
	ck_assert_uint_eq(total, 3000);
	memset(&s, 0, sizeof(s));
	s.stop_at = 5;
	ck_assert_int_eq(thaw_catalog_children(cat, root, NULL, 0, SIZE_MAX, see, &s), 77);
	ck_assert_uint_eq(s.n, 5);
	ck_assert_int_eq(thaw_catalog_children(cat, root, NULL, 0, 0, see, &s), 0);
}
END_TEST

START_TEST(paths_and_keys)
{
	uint64_t a = make_dir(root, "a"), b = make_dir(a, "b c"), f;
	struct thaw_buf buf;

	FILL(b, file_entry("f", "t", 1));
	f = lookup_id(b, "f");
	ck_assert_str_eq(text_of(thaw_catalog_path, f), "/a/b c/f");
	ck_assert_str_eq(text_of(thaw_catalog_key, f), "a/b c/f");
	ck_assert_str_eq(text_of(thaw_catalog_key, root), "");
	ck_assert_str_eq(text_of(thaw_catalog_key, a), "a");
	thaw_buf_init(&buf, 3);
	ck_assert_int_eq(thaw_catalog_path(cat, f, &buf), -E2BIG);
	thaw_buf_release(&buf);
	thaw_buf_init(&buf, 100);
	ck_assert_int_eq(thaw_catalog_path(cat, 999, &buf), -ENOENT);
	ck_assert_int_eq(thaw_buf_adds(&buf, "to "), 0);
	ck_assert_int_eq(thaw_catalog_key(cat, f, &buf), 0);
	ck_assert_str_eq(buf.data, "to a/b c/f");
	thaw_buf_release(&buf);
}
END_TEST

START_TEST(key_below_a_hung_root)
{
	struct thaw_collection_spec s = spec;
	struct thaw_buf buf;
	uint64_t top;

	FILL(root, file_entry("f", "t", 1));
	s.path = "/x/y";
	ck_assert_int_eq(thaw_catalog_attach(cat, &s, 1, &top), 0);
	ck_assert_str_eq(text_of(thaw_catalog_key, lookup_id(s.root, "f")), "f");
	ck_assert_str_eq(text_of(thaw_catalog_path, lookup_id(s.root, "f")), "/x/y/f");
	ck_assert_str_eq(text_of(thaw_catalog_key, s.root), "");
	thaw_buf_init(&buf, 100);
	ck_assert_int_eq(thaw_catalog_key(cat, lookup_id(top, "x"), &buf), -ENOENT);
	thaw_buf_release(&buf);
}
END_TEST

static int visited;

static int visit(void *ctx, const struct thaw_node *node, bool last)
{
	uint64_t refuse = *(const uint64_t *)ctx;

	visited = visited * 10 + (last ? 2 : 1);
	return node->id == refuse ? -EACCES : 0;
}

static int resolve(const char *path, uint64_t refuse, struct thaw_node *ret)
{
	visited = 0;
	return thaw_catalog_resolve(cat, root, path, strlen(path), visit, &refuse, ret);
}

START_TEST(resolving)
{
	uint64_t a = make_dir(root, "a"), b = make_dir(a, "b");
	struct thaw_node node;

	FILL(b, file_entry("f", "t", 1), symlink_entry("l", "f"), file_entry(".h", "t", 1));
	ck_assert_int_eq(resolve("a/b/f", 0, &node), 0);
	ck_assert_uint_eq(node.id, lookup_id(b, "f"));
	ck_assert_int_eq(visited, 1112);
	ck_assert_int_eq(resolve("//a/.//b/./f/", 0, &node), 0);
	ck_assert_int_eq(visited, 1112);
	ck_assert_int_eq(resolve("a/b/.h", 0, &node), 0);
	ck_assert_int_eq(resolve("", 0, &node), 0);
	ck_assert_uint_eq(node.id, root);
	ck_assert_int_eq(visited, 2);
	ck_assert_int_eq(resolve("/", 0, &node), 0);
	ck_assert_int_eq(resolve(".", 0, &node), 0);
	ck_assert_int_eq(resolve("a/b/l", 0, &node), 0);
	ck_assert_int_eq(node.type, THAW_TYPE_SYMLINK);
	ck_assert_int_eq(resolve("a/b/l/x", 0, &node), -ENOTDIR);
	ck_assert_int_eq(resolve("a/b/f/x", 0, &node), -ENOTDIR);
	ck_assert_int_eq(resolve("a/../a", 0, &node), -ENOENT);
	ck_assert_int_eq(resolve("a/b/f", a, &node), -EACCES);
	ck_assert_int_eq(visited, 11);
	ck_assert_int_eq(resolve("a/b/f", lookup_id(b, "f"), &node), -EACCES);
	ck_assert_int_eq(thaw_catalog_resolve(cat, root, "a/b", 3, NULL, NULL, &node), 0);
	ck_assert_uint_eq(node.id, b);
	ck_assert_int_eq(thaw_catalog_resolve(cat, a, "b/f__", 3, NULL, NULL, &node), 0);
	ck_assert_int_eq(thaw_catalog_resolve(cat, 999, "b", 1, NULL, NULL, &node), -ENOENT);
}
END_TEST

START_TEST(below)
{
	uint64_t a = make_dir(root, "a"), b = make_dir(a, "b"), c;
	bool yes;

	FILL(root, dir_entry("a"), dir_entry("c"));
	c = lookup_id(root, "c");
	FILL(b, link_entry("f", "t", 1, 5));
	FILL(c, link_entry("g", "t", 1, 5));
	ck_assert_int_eq(thaw_catalog_is_below(cat, b, root, &yes), 0);
	ck_assert(yes);
	ck_assert_int_eq(thaw_catalog_is_below(cat, a, a, &yes), 0);
	ck_assert(yes);
	ck_assert_int_eq(thaw_catalog_is_below(cat, a, b, &yes), 0);
	ck_assert(!yes);
	ck_assert_int_eq(thaw_catalog_is_below(cat, c, a, &yes), 0);
	ck_assert(!yes);
	/* by any of its names */
	ck_assert_int_eq(thaw_catalog_is_below(cat, lookup_id(b, "f"), a, &yes), 0);
	ck_assert(yes);
	ck_assert_int_eq(thaw_catalog_is_below(cat, lookup_id(b, "f"), c, &yes), 0);
	ck_assert(yes);
	ck_assert_int_eq(thaw_catalog_is_below(cat, 999, c, &yes), -ENOENT);
}
END_TEST

/* a: 2 files, one with a second name in c; b below a unlisted; c: that name and a lost file. */
static void make_sums(uint64_t *a, uint64_t *c)
{
	FILL(root, dir_entry("a"), dir_entry("c"), symlink_entry("s", "a"));
	*a = lookup_id(root, "a");
	*c = lookup_id(root, "c");
	FILL(*a, file_entry("one", "1", 10), link_entry("two", "2", 20, 9), dir_entry("b"));
	FILL(*c, link_entry("zwei", "2", 20, 9), file_entry("gone", "3", 40));
	FILL(*c, link_entry("zwei", "2", 20, 9));
}

START_TEST(sums)
{
	uint64_t a, c, files, bytes;
	struct thaw_tree_sum sum;

	make_sums(&a, &c);
	publish(lookup(a, "two").object, 4096, 100);
	ck_assert_int_eq(thaw_catalog_sum(cat, root, &sum), 0);
	ck_assert_uint_eq(sum.files, 3);
	ck_assert_uint_eq(sum.bytes, 70);
	ck_assert_uint_eq(sum.resident_files, 1);
	ck_assert_uint_eq(sum.resident_bytes, 20);
	ck_assert_uint_eq(sum.lost_files, 1);
	ck_assert_uint_eq(sum.dirs, 4);
	ck_assert_uint_eq(sum.unlisted_dirs, 1);
	ck_assert_int_eq(thaw_catalog_sum(cat, c, &sum), 0);
	ck_assert_uint_eq(sum.files, 2);
	ck_assert_uint_eq(sum.bytes, 60);
	ck_assert_uint_eq(sum.resident_files, 1);
	ck_assert_int_eq(thaw_catalog_sum(cat, lookup_id(a, "one"), &sum), 0);
	ck_assert_uint_eq(sum.files, 1);
	ck_assert_uint_eq(sum.dirs, 0);
	ck_assert_int_eq(thaw_catalog_sum(cat, 999, &sum), -ENOENT);
	ck_assert_int_eq(thaw_catalog_totals(cat, &files, &bytes), 0);
	ck_assert_uint_eq(files, 3);
	ck_assert_uint_eq(bytes, 70);
}
END_TEST

START_TEST(sum_state_stops)
{
	struct thaw_tree_sum sum;
	uint64_t a, c, object;

	make_sums(&a, &c);
	object = lookup(a, "one").object;
	ck_assert_int_eq(thaw_catalog_sum_state(cat, root, &sum), 0);
	ck_assert_uint_eq(sum.resident_files, 0);
	ck_assert_uint_eq(sum.files, 3);
	publish(object, 4096, 100);
	ck_assert_int_eq(thaw_catalog_sum_state(cat, a, &sum), 0);
	ck_assert_uint_eq(sum.resident_files, 1);
	ck_assert_uint_eq(sum.files, 2);
	/* what is on its way out counts as absent */
	ck_assert_int_eq(thaw_catalog_leaving(cat, &object, 1), 0);
	ck_assert_int_eq(thaw_catalog_sum(cat, a, &sum), 0);
	ck_assert_uint_eq(sum.resident_files, 0);
}
END_TEST

static int order_of_files(void *ctx, const struct thaw_node *node)
{
	struct seen *s = ctx;

	s->ids[s->n++] = node->id;
	return s->n == s->stop_at ? -EINTR : 0;
}

START_TEST(each_file_in_tree_order)
{
	static struct seen s;
	uint64_t a, c, want[4];

	make_sums(&a, &c);
	FILL(lookup_id(a, "b"), file_entry("deep", "d", 1));
	want[0] = lookup_id(lookup_id(a, "b"), "deep");
	want[1] = lookup_id(a, "one");
	want[2] = lookup_id(a, "two");
	want[3] = lookup_id(c, "gone");
	memset(&s, 0, sizeof(s));
	ck_assert_int_eq(thaw_catalog_each_file(cat, root, order_of_files, &s), 0);
	ck_assert_uint_eq(s.n, 4);
	ck_assert_int_eq(memcmp(s.ids, want, sizeof(want)), 0);
	memset(&s, 0, sizeof(s));
	s.stop_at = 2;
	ck_assert_int_eq(thaw_catalog_each_file(cat, root, order_of_files, &s), -EINTR);
	memset(&s, 0, sizeof(s));
	ck_assert_int_eq(thaw_catalog_each_file(cat, want[1], order_of_files, &s), 0);
	ck_assert_uint_eq(s.n, 1);
	ck_assert_int_eq(thaw_catalog_each_file(cat, lookup_id(root, "s"), order_of_files, &s), 0);
	ck_assert_uint_eq(s.n, 1);
	ck_assert_int_eq(thaw_catalog_each_file(cat, 999, order_of_files, &s), -ENOENT);
}
END_TEST

static int count_file(void *ctx, const struct thaw_node *node)
{
	(void)node;
	++*(int *)ctx;
	return 0;
}

START_TEST(each_file_of_wide_and_deep)
{
	uint64_t dir = root;
	int n = 0;

	for (int depth = 0; depth < 20; depth++) {
		struct thaw_listing *listing = thaw_listing_new(spec.id, dir);
		struct thaw_entry e = dir_entry("m-next");
		char name[16];

		ck_assert_int_eq(thaw_listing_add(listing, &e), 0);
		for (int i = 0; i < 300; i++) {
			(void)snprintf(name, sizeof(name), "%c%d", i & 1 ? 'a' : 'z', i);
			e = file_entry(name, "t", 1);
			ck_assert_int_eq(thaw_listing_add(listing, &e), 0);
		}
		ck_assert_int_eq(thaw_catalog_ingest(cat, &listing, 1), 0);
		thaw_listing_free(listing);
		dir = lookup_id(dir, "m-next");
	}
	ck_assert_int_eq(thaw_catalog_each_file(cat, root, count_file, &n), 0);
	ck_assert_int_eq(n, 20 * 300);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_tree");
	TCase *tc = tcase_create("tree");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_test(tc, attributes);
	tcase_add_test(tc, absent);
	tcase_add_test(tc, symlink_text);
	tcase_add_test(tc, names_of_all_bytes);
	tcase_add_test(tc, names_refused);
	tcase_add_test(tc, children_in_pieces);
	tcase_add_test(tc, paths_and_keys);
	tcase_add_test(tc, key_below_a_hung_root);
	tcase_add_test(tc, resolving);
	tcase_add_test(tc, below);
	tcase_add_test(tc, sums);
	tcase_add_test(tc, sum_state_stops);
	tcase_add_test(tc, each_file_in_tree_order);
	tcase_add_test(tc, each_file_of_wide_and_deep);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
