/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists a directory page by page into buffers of many sizes and reads the
 * pages as the kernel does.
 */
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>

#include "fuse/dirpage.h"
#include "fuse/room.h"
#include "fuse/told.h"
#include "../suite.h"

#define ROOT     1
#define CHILDREN 300

static struct {
	char name[THAW_NAME_MAX + 1];
	struct thaw_node node;
} children[CHILDREN];

static void set_up(void)
{
	for (unsigned i = 0; i < CHILDREN; i++) {
		size_t len = 5 + i * 7 % (THAW_NAME_MAX - 4);

		memset(children[i].name, 'x', len);
		(void)snprintf(children[i].name, sizeof(children[i].name), "%05u", i);
		children[i].name[5] = 'x';
		children[i].name[len] = '\0';
		children[i].node = (struct thaw_node){
			.id = 100 + i,
			.type = i % 5 ? THAW_TYPE_FILE : THAW_TYPE_DIR,
			.size = i,
		};
	}
}

/* As thaw_stage_children does it. */
static void list(struct thaw_dir_page *page, size_t limit)
{
	char after[THAW_NAME_MAX + 1];

	memcpy(after, page->pos.name, page->pos.len);
	after[page->pos.len] = '\0';
	for (unsigned i = 0; i < CHILDREN && limit > 0; i++) {
		if (strcmp(children[i].name, after) <= 0)
			continue;
		limit--;
		if (thaw_dir_page_child(page, children[i].name, strlen(children[i].name),
					&children[i].node) != 0)
			return;
	}
}

/* One READDIR at page->pos, in a buffer with a guard behind it. */
static void read_page(struct thaw_dir_page *page, char *buf, size_t room, bool plus,
		      const struct thaw_dirpos *pos, struct thaw_told *told)
{
	static const struct thaw_node self = {.id = ROOT, .type = THAW_TYPE_DIR};

	memset(buf, 0x5a, room + 64);
	thaw_dir_page_init(page, NULL, buf, room, ROOT, plus, true);
	page->told = told;
	page->pos = *pos;
	if (thaw_dir_page_dots(page, &self, &self) == 0)
		list(page, room);
	ck_assert_uint_le(page->used, room);
	for (size_t i = 0; i < 64; i++)
		ck_assert_int_eq(buf[room + i], 0x5a);
}

static void check_entry(const struct fuse_dirent *ent, uint64_t index)
{
	const char *name;

	ck_assert_uint_eq(ent->off, index + 1);
	if (index < THAW_DIR_CHILDREN) {
		ck_assert_uint_eq(ent->namelen, index + 1);
		ck_assert_mem_eq(ent->name, "..", index + 1);
		ck_assert_uint_eq(ent->ino, FUSE_ROOT_ID);
		return;
	}
	name = children[index - THAW_DIR_CHILDREN].name;
	ck_assert_uint_eq(ent->namelen, strlen(name));
	ck_assert_mem_eq(ent->name, name, strlen(name));
	ck_assert_uint_eq(ent->ino, 100 + index - THAW_DIR_CHILDREN + 1);
}

/* Returns how many entries it holds. */
static uint64_t check_page(const struct thaw_dir_page *page, uint64_t first)
{
	size_t at = 0;
	uint64_t n = 0;

	while (at < page->used) {
		const char *here = page->buf + at;

		if (page->plus) {
			const struct fuse_direntplus *ent = (const void *)here;
			bool dot = first + n < THAW_DIR_CHILDREN;

			check_entry(&ent->dirent, first + n);
			/* A node id would count as a look-up. */
			ck_assert_uint_eq(ent->entry_out.nodeid, dot ? 0 : ent->dirent.ino);
			at += FUSE_DIRENTPLUS_SIZE(ent);
		} else {
			const struct fuse_dirent *ent = (const void *)here;

			check_entry(ent, first + n);
			at += FUSE_DIRENT_SIZE(ent);
		}
		n++;
	}
	ck_assert_uint_eq(at, page->used);
	return n;
}

static void list_all(size_t room, bool plus)
{
	char *buf = malloc(room + 64);
	struct thaw_dirpos pos = {0};
	struct thaw_dir_page page;

	ck_assert_ptr_nonnull(buf);
	for (;;) {
		uint64_t n;

		read_page(&page, buf, room, plus, &pos, NULL);
		n = check_page(&page, pos.off);
		ck_assert_uint_eq(page.pos.off, pos.off + n);
		if (n == 0)
			break;
		pos = page.pos;
	}
	ck_assert(!page.full);
	ck_assert_uint_eq(pos.off, THAW_DIR_CHILDREN + CHILDREN);
	free(buf);
}

START_TEST(every_entry_once_whatever_the_buffer)
{
	for (size_t room = 420; room < 1500; room += 40) {
		list_all(room, false);
		list_all(room, true);
	}
	list_all(32768, false);
	list_all(32768, true);
	list_all(1 << 20, true);
}
END_TEST

START_TEST(a_buffer_too_small_for_one_entry_says_so)
{
	struct thaw_dirpos pos = {.off = THAW_DIR_CHILDREN};
	struct thaw_dir_page page;
	char buf[16 + 64];

	read_page(&page, buf, 16, false, &pos, NULL);
	ck_assert_uint_eq(page.used, 0);
	ck_assert(page.full);
}
END_TEST

START_TEST(skips_to_an_offset_it_has_no_name_for)
{
	struct thaw_dirpos pos = {.off = THAW_DIR_CHILDREN};
	struct thaw_dir_page page;
	char buf[4096];

	thaw_dir_page_init(&page, NULL, buf, sizeof(buf), ROOT, false, true);
	page.pos = pos;
	page.skip = 123;
	list(&page, SIZE_MAX);
	ck_assert_uint_gt(check_page(&page, THAW_DIR_CHILDREN + 123), 0);
}
END_TEST

START_TEST(only_what_was_sent_counts_as_told)
{
	struct thaw_told *told = thaw_told_new();
	struct thaw_dirpos pos = {0};
	struct thaw_dir_page page;
	char buf[2048 + 64];
	uint64_t n;

	read_page(&page, buf, 2048, true, &pos, told);
	n = check_page(&page, 0) - THAW_DIR_CHILDREN;
	ck_assert_uint_gt(n, 0);
	ck_assert(thaw_told_has(told, 100 + n - 1));
	ck_assert(!thaw_told_has(told, 100 + n));
	thaw_told_free(told);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, every_entry_once_whatever_the_buffer);
	tcase_add_test(tcase, a_buffer_too_small_for_one_entry_says_so);
	tcase_add_test(tcase, skips_to_an_offset_it_has_no_name_for);
	tcase_add_test(tcase, only_what_was_sent_counts_as_told);
}

int main(void)
{
	return run_suite("fuse_dirpage", add);
}
