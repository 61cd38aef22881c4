/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/room.h"
#include "../suite.h"

#define ROOT 7

START_TEST(ids_go_both_ways_and_only_the_root_is_1)
{
	static const uint64_t nodes[] = {1, 2, 6, ROOT, 8, UINT64_C(1) << 40};

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		fuse_ino_t ino = thaw_ino_from_node(ROOT, nodes[i]);

		ck_assert_uint_eq(thaw_node_from_ino(ROOT, ino), nodes[i]);
		ck_assert_int_eq(ino == FUSE_ROOT_ID, nodes[i] == ROOT);
		ck_assert_uint_ne(ino, 0);
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(ino, thaw_ino_from_node(ROOT, nodes[j]));
	}
}
END_TEST

START_TEST(an_absent_file_counts_blocks_as_if_it_were_here)
{
	struct thaw_node node = {.id = 3, .type = THAW_TYPE_FILE, .mode = 0440, .size = 1};
	struct stat st;

	thaw_attr_fill(ROOT, &node, &st);
	ck_assert_int_eq(st.st_blocks, 1);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0440);
	ck_assert_uint_eq(st.st_nlink, 1);
	ck_assert_uint_eq(st.st_ino, 4);
	node.size = 1024;
	thaw_attr_fill(ROOT, &node, &st);
	ck_assert_int_eq(st.st_blocks, 2);
	node.size = 0;
	thaw_attr_fill(ROOT, &node, &st);
	ck_assert_int_eq(st.st_blocks, 0);
}
END_TEST

START_TEST(types_and_modes)
{
	struct thaw_node node = {.id = ROOT, .type = THAW_TYPE_DIR, .mode = 0100755, .nlink = 3};
	struct stat st;

	thaw_attr_fill(ROOT, &node, &st);
	ck_assert_uint_eq(st.st_mode, S_IFDIR | 0755); /* type bits of the mode do not leak */
	ck_assert_uint_eq(st.st_ino, FUSE_ROOT_ID);
	ck_assert_uint_eq(st.st_nlink, 3);
	node.type = THAW_TYPE_SYMLINK;
	thaw_attr_fill(ROOT, &node, &st);
	ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

START_TEST(times_before_1970)
{
	struct thaw_node node = {.id = 3, .type = THAW_TYPE_FILE, .mtime_ns = -1};
	struct stat st;

	thaw_attr_fill(ROOT, &node, &st);
	ck_assert_int_eq(st.st_mtim.tv_sec, -1);
	ck_assert_int_eq(st.st_mtim.tv_nsec, 999999999);
	ck_assert_int_eq(st.st_ctim.tv_sec, 0);
}
END_TEST

START_TEST(entries_last_or_do_not)
{
	struct thaw_node node = {.id = 3, .type = THAW_TYPE_FILE};
	struct fuse_entry_param entry;

	thaw_attr_entry(ROOT, &node, true, &entry);
	ck_assert(entry.attr_timeout >= 1e9 && entry.entry_timeout >= 1e9);
	ck_assert_uint_eq(entry.ino, entry.attr.st_ino);
	ck_assert_uint_ne(entry.generation, 0);
	thaw_attr_entry(ROOT, &node, false, &entry);
	ck_assert(entry.attr_timeout == 0 && entry.entry_timeout == 0);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, ids_go_both_ways_and_only_the_root_is_1);
	tcase_add_test(tcase, an_absent_file_counts_blocks_as_if_it_were_here);
	tcase_add_test(tcase, types_and_modes);
	tcase_add_test(tcase, times_before_1970);
	tcase_add_test(tcase, entries_last_or_do_not);
}

int main(void)
{
	return run_suite("fuse_attr", add);
}
