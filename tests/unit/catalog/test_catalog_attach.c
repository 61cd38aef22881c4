/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"
#include "catalog/catalog_impl.h"
#include "fixture.h"

static const char *path_of(uint64_t id)
{
	static char text[256];
	struct thaw_buf buf;

	thaw_buf_init(&buf, sizeof(text) - 1);
	if (thaw_catalog_path(cat, id, &buf))
		strcpy(text, "none");
	else
		strcpy(text, buf.data);
	thaw_buf_release(&buf);
	return text;
}

START_TEST(single_root)
{
	struct thaw_node node = get_node(root);

	ck_assert_uint_eq(root, spec.root);
	ck_assert_uint_eq(node.parent, 0);
	ck_assert_int_eq(node.type, THAW_TYPE_DIR);
	ck_assert_int_eq(node.listed, THAW_UNLISTED);
	ck_assert_uint_eq(node.collection, spec.id);
	ck_assert_str_eq(path_of(root), "/");
}
END_TEST

START_TEST(several)
{
	struct thaw_collection_spec s[] = {
		{ .name = "books", .source = "mem:a", .path = "/books" },
		{ .name = "web", .source = "mem:a", .path = "/deep/er/web" },
	};
	struct thaw_node node;
	uint64_t top, again;

	ck_assert_int_eq(thaw_catalog_attach(cat, s, 2, &top), 0);
	ck_assert_uint_eq(s[0].root, spec.root);
	ck_assert_uint_ne(s[1].id, s[0].id);
	node = lookup(top, "books");
	ck_assert_uint_eq(node.id, s[0].root);
	ck_assert_uint_eq(node.parent, 0);
	node = lookup(top, "deep");
	ck_assert_uint_eq(node.collection, 0);
	ck_assert_int_eq(node.listed, THAW_LISTED);
	ck_assert_uint_eq(lookup_id(lookup_id(node.id, "er"), "web"), s[1].root);
	ck_assert_str_eq(path_of(s[1].root), "/deep/er/web");
	ck_assert_str_eq(path_of(top), "/");
	ck_assert_int_eq(thaw_catalog_attach(cat, s, 2, &again), 0);
	ck_assert_uint_eq(again, top);
	ck_assert_uint_eq(lookup_id(top, "deep"), node.id);
}
END_TEST

START_TEST(detached_keeps_rows)
{
	struct thaw_collection_spec other = { .name = "books", .source = "mem:b", .path = "/" };
	uint64_t top, file, files, bytes, old_root = root;
	struct thaw_node node;

	FILL(root, file_entry("a", "1", 10));
	file = lookup_id(root, "a");
	ck_assert_int_eq(thaw_catalog_totals(cat, &files, &bytes), 0);
	ck_assert_uint_eq(files, 1);
	ck_assert_uint_eq(bytes, 10);
	ck_assert_int_eq(thaw_catalog_attach(cat, &other, 1, &top), 0);
	ck_assert_uint_ne(top, root);
	ck_assert_uint_ne(other.id, spec.id);
	ck_assert_int_eq(thaw_catalog_totals(cat, &files, &bytes), 0);
	ck_assert_uint_eq(files, 0);
	ck_assert_str_eq(path_of(file), "none");
	ck_assert_int_eq(thaw_catalog_node(cat, file, &node), 0);
	fixture_reopen();
	ck_assert_uint_eq(root, old_root);
	ck_assert_uint_eq(lookup_id(root, "a"), file);
	ck_assert_str_eq(path_of(file), "/a");
}
END_TEST

START_TEST(moved_to_another_path)
{
	struct thaw_collection_spec s = spec;
	uint64_t top, old = root;

	s.path = "/here";
	ck_assert_int_eq(thaw_catalog_attach(cat, &s, 1, &top), 0);
	ck_assert_uint_eq(lookup_id(top, "here"), old);
	s.path = "/there/now";
	ck_assert_int_eq(thaw_catalog_attach(cat, &s, 1, &top), 0);
	ck_assert(is_absent(top, "here"));
	ck_assert_str_eq(path_of(old), "/there/now");
}
END_TEST

START_TEST(refused)
{
	static const char *const paths[][2] = {
		{ "/a", "/a" }, { "/a", "/a/b" }, { "/a/b", "/a" }, { "/", "/a" }, { "a", "/b" },
	};
	struct thaw_collection_spec s[] = {
		{ .name = "one", .source = "mem:", .path = paths[_i][0] },
		{ .name = "two", .source = "mem:", .path = paths[_i][1] },
	};
	uint64_t top;

	ck_assert_int_eq(thaw_catalog_attach(cat, s, 2, &top), -EINVAL);
	ck_assert_str_eq(path_of(root), "/");
}
END_TEST

START_TEST(siblings_by_name)
{
	struct thaw_collection_spec s[] = {
		{ .name = "one", .source = "mem:", .path = "/ab" },
		{ .name = "two", .source = "mem:", .path = "/a" },
	};
	uint64_t top;

	ck_assert_int_eq(thaw_catalog_attach(cat, s, 2, &top), 0);
	ck_assert_uint_eq(lookup_id(top, "a"), s[1].root);
}
END_TEST

START_TEST(none)
{
	uint64_t top;

	ck_assert_int_eq(thaw_catalog_attach(cat, NULL, 0, &top), 0);
	ck_assert_uint_eq(top, THAW_CATALOG_PLAIN_ROOT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_attach");
	TCase *tc = tcase_create("attach");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_test(tc, single_root);
	tcase_add_test(tc, several);
	tcase_add_test(tc, detached_keeps_rows);
	tcase_add_test(tc, moved_to_another_path);
	tcase_add_loop_test(tc, refused, 0, 5);
	tcase_add_test(tc, siblings_by_name);
	tcase_add_test(tc, none);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
