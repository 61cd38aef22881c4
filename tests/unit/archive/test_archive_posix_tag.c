/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scratch.h"

#include <string.h>

#include "archive/posix.h"
#include "base/clock.h"

static struct thaw_posix by_ctime = {.dev = 5};
static struct thaw_posix by_mtime = {.dev = 5, .mtime_only = true};

static struct stat file(void)
{
	return (struct stat){
		.st_mode = S_IFREG | 0644,
		.st_dev = 5,
		.st_ino = 77,
		.st_nlink = 1,
		.st_size = 1000,
		.st_mtim = {1000000000, 111111111},
		.st_ctim = {1000000001, 222222222},
	};
}

static bool same_tag(const struct thaw_posix *px, const struct stat *a, const struct stat *b)
{
	struct thaw_tag one, two;

	memset(&one, 0xaa, sizeof(one));
	memset(&two, 0x55, sizeof(two));
	thaw_posix_tag(px, a, &one);
	thaw_posix_tag(px, b, &two);
	return thaw_tag_equal(&one, &two);
}

START_TEST(a_tag_holds_what_a_change_changes)
{
	const struct stat before = file();
	struct stat after[7];

	for (size_t i = 0; i < 7; i++)
		after[i] = before;
	after[0].st_size++;
	after[1].st_mtim.tv_sec++;
	after[2].st_mtim.tv_nsec++;
	after[3].st_ctim.tv_sec++;
	after[4].st_ctim.tv_nsec++;
	after[5].st_ino++;
	after[6].st_size += INT64_C(1) << 40;
	ck_assert(same_tag(&by_ctime, &before, &before));
	ck_assert(same_tag(&by_mtime, &before, &before));
	for (size_t i = 0; i < 7; i++)
		ck_assert_msg(!same_tag(&by_ctime, &before, &after[i]), "%zu", i);
}
END_TEST

START_TEST(a_tag_leaves_out_what_no_content_depends_on)
{
	const struct stat before = file();
	struct stat after = before;

	after.st_dev = 9;
	after.st_atim.tv_sec = 5;
	after.st_mode = S_IFREG | 0600;
	after.st_uid = 4;
	ck_assert(same_tag(&by_ctime, &before, &after));
}
END_TEST

START_TEST(an_hsm_may_change_ctime)
{
	const struct stat before = file();
	struct stat after = before;

	after.st_ctim.tv_sec += 5;
	after.st_ino++;
	ck_assert(same_tag(&by_mtime, &before, &after));
	after.st_mtim.tv_nsec++;
	ck_assert(!same_tag(&by_mtime, &before, &after));
	after = before;
	after.st_size++;
	ck_assert(!same_tag(&by_mtime, &before, &after));
}
END_TEST

/* Tags are kept in the catalog: a change of the layout would stage all anew. */
START_TEST(the_layout_stays)
{
	static const uint8_t ctime_tag[] = {
		1, 0xe8, 3,    0,    0,    0,    0, 0, 0,    0x00, 0xca, 0x9a, 0x3b, 0,
		0, 0,    0,    0xc7, 0x6b, 0x9f, 6, 1, 0xca, 0x9a, 0x3b, 0,    0,    0,
		0, 0x8e, 0xd7, 0x3e, 0x0d, 77,   0, 0, 0,    0,    0,    0,    0,
	};
	const struct stat st = file();
	struct thaw_tag tag;

	thaw_posix_tag(&by_ctime, &st, &tag);
	ck_assert_uint_eq(tag.len, sizeof(ctime_tag));
	ck_assert_mem_eq(tag.data, ctime_tag, sizeof(ctime_tag));
	thaw_posix_tag(&by_mtime, &st, &tag);
	ck_assert_uint_eq(tag.len, 21);
	ck_assert_uint_eq(tag.data[0], 2);
	ck_assert_mem_eq(tag.data + 1, ctime_tag + 1, 20);
}
END_TEST

static uint64_t link_of(dev_t dev, ino_t ino, nlink_t links)
{
	struct stat st = file();
	struct thaw_entry e;

	st.st_dev = dev;
	st.st_ino = ino;
	st.st_nlink = links;
	ck_assert(thaw_posix_entry(&by_ctime, &st, &e));
	return e.link_id;
}

START_TEST(links_have_an_id)
{
	ck_assert_uint_eq(link_of(5, 77, 1), 0);
	ck_assert_uint_ne(link_of(5, 77, 2), 0);
	ck_assert_uint_eq(link_of(5, 77, 2), link_of(5, 77, 3));
	ck_assert_uint_ne(link_of(5, 77, 2), link_of(5, 78, 2));
	ck_assert_uint_ne(link_of(5, 77, 2), link_of(6, 77, 2));
	ck_assert_uint_ne(link_of(0, 77, 2), link_of(6, 77, 2));
	ck_assert_uint_ne(link_of(5, 0, 2), 0);
}
END_TEST

START_TEST(files_of_several_devices_do_not_meet)
{
	/* the same small inode numbers on 16 devices */
	static uint64_t ids[16 * 256];
	size_t n = 0, met = 0;

	for (dev_t dev = 0; dev < 16; dev++) {
		for (ino_t ino = 1; ino <= 256; ino++)
			ids[n++] = link_of(dev, ino, 2);
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++)
			met += ids[i] == ids[j];
	}
	ck_assert_uint_eq(met, 0);
}
END_TEST

START_TEST(entries_by_type)
{
	struct stat st = file();
	struct thaw_entry e;

	st.st_nlink = 2;
	st.st_mode = S_IFDIR | 02755;
	ck_assert(thaw_posix_entry(&by_ctime, &st, &e));
	ck_assert_int_eq(e.type, THAW_TYPE_DIR);
	ck_assert_uint_eq(e.mode, 02755);
	ck_assert_uint_eq(e.link_id, 0);
	ck_assert_uint_eq(e.tag.len, 0);
	st.st_mode = S_IFLNK | 0777;
	ck_assert(thaw_posix_entry(&by_ctime, &st, &e));
	ck_assert_int_eq(e.type, THAW_TYPE_SYMLINK);
	static const mode_t hidden[] = {S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK};
	for (size_t i = 0; i < 4; i++) {
		st.st_mode = hidden[i] | 0644;
		ck_assert(!thaw_posix_entry(&by_ctime, &st, &e));
	}
}
END_TEST

START_TEST(times_far_away_stay_in_range)
{
	struct stat st = file();
	struct thaw_entry e;

	st.st_mtim.tv_sec = INT64_MAX;
	st.st_ctim.tv_sec = INT64_MIN;
	ck_assert(thaw_posix_entry(&by_ctime, &st, &e));
	ck_assert_int_eq(e.mtime_ns, INT64_MAX);
	ck_assert_int_eq(e.ctime_ns, INT64_MIN);
	st.st_mtim = (struct timespec){-2, 999999999};
	ck_assert(thaw_posix_entry(&by_ctime, &st, &e));
	ck_assert_int_eq(e.mtime_ns, -1000000001);
}
END_TEST

static int64_t racy(int64_t m_age_ns, int64_t c_age_ns)
{
	const int64_t now_ns = INT64_C(1700000000) * THAW_NS_PER_S;
	struct stat st = file();

	st.st_mtim.tv_sec = (now_ns - m_age_ns) / THAW_NS_PER_S;
	st.st_mtim.tv_nsec = (now_ns - m_age_ns) % THAW_NS_PER_S;
	st.st_ctim.tv_sec = (now_ns - c_age_ns) / THAW_NS_PER_S;
	st.st_ctim.tv_nsec = (now_ns - c_age_ns) % THAW_NS_PER_S;
	return thaw_posix_racy_ns(&st, now_ns);
}

START_TEST(fresh_times_are_not_trusted)
{
	const int64_t old = 100 * THAW_NS_PER_S + 1;

	ck_assert_int_eq(racy(old, old), 0);
	ck_assert_int_ge(racy(1, old), 20 * THAW_NS_PER_MS);
	ck_assert_int_ge(racy(old, 1), 20 * THAW_NS_PER_MS);
	ck_assert_int_ge(racy(old, 19 * THAW_NS_PER_MS), 20 * THAW_NS_PER_MS);
	/* a server whose clock is a little ahead, or behind */
	ck_assert_int_ge(racy(old, -THAW_NS_PER_S / 2), 20 * THAW_NS_PER_MS);
	ck_assert_int_ge(racy(old, THAW_NS_PER_S / 2), 20 * THAW_NS_PER_MS);
	/* a time stamp that somebody set far into the future says nothing */
	ck_assert_int_eq(racy(-old, old), 0);
	ck_assert_int_lt(racy(1, 1), THAW_NS_PER_S);
}
END_TEST

START_TEST(whole_seconds_are_trusted_later)
{
	ck_assert_int_ge(racy(THAW_NS_PER_S, THAW_NS_PER_S), 2 * THAW_NS_PER_S);
	ck_assert_int_eq(racy(10 * THAW_NS_PER_S, 10 * THAW_NS_PER_S), 0);
	/* only the writer rounded; the file system does not */
	ck_assert_int_lt(racy(THAW_NS_PER_S, THAW_NS_PER_S + 1), THAW_NS_PER_S);
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		a_tag_holds_what_a_change_changes,
		a_tag_leaves_out_what_no_content_depends_on,
		an_hsm_may_change_ctime,
		the_layout_stays,
		links_have_an_id,
		files_of_several_devices_do_not_meet,
		entries_by_type,
		times_far_away_stay_in_range,
		fresh_times_are_not_trusted,
		whole_seconds_are_trusted_later,
	};

	return run_suite(suite_of("archive", "posix_tag", TESTS_OF(tests)));
}
