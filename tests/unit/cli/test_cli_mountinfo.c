/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "cli/mountinfo.h"
#include "../suite.h"

static char table[] = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
		      "40 22 0:50 / /mnt/news rw,nosuid - fuse.thawfs thawfs rw,user_id=0\n"
		      "41 22 0:50 /a/b /home/anna/my\\040data\\134x rw shared:7 master:2 "
		      "- fuse.thawfs thawfs rw\n"
		      "this is no line of that file\n"
		      "42 40 0:60 / /mnt/news/tmp rw - tmpfs tmpfs rw\n"
		      "43 22 0:70 / /mnt/twice rw - ext4 /dev/sdb rw\n"
		      "44 43 0:71 / /mnt/twice rw - fuse.thawfs thawfs rw\n";

static struct thaw_mounts mounts;

static void set_up(void)
{
	FILE *file = fmemopen(table, sizeof(table) - 1, "r");

	ck_assert_int_eq(thaw_mounts_read(file, &mounts), 0);
	fclose(file);
}

static void tear_down(void)
{
	thaw_mounts_release(&mounts);
}

START_TEST(lines_are_taken_apart)
{
	ck_assert_uint_eq(mounts.count, 6);
	ck_assert_str_eq(mounts.list[0].point, "/");
	ck_assert_str_eq(mounts.list[0].fstype, "ext4");
	ck_assert_uint_eq(mounts.list[0].major, 8);
	ck_assert_str_eq(mounts.list[1].fstype, "fuse.thawfs");
	ck_assert_str_eq(mounts.list[1].root, "/");
	ck_assert_uint_eq(mounts.list[1].minor, 50);
	ck_assert(thaw_mount_is_ours(&mounts.list[1]));
	ck_assert(!thaw_mount_is_ours(&mounts.list[0]));
}
END_TEST

START_TEST(escapes_become_bytes)
{
	struct thaw_mount mount;

	ck_assert_str_eq(mounts.list[2].point, "/home/anna/my data\\x");
	ck_assert_str_eq(mounts.list[2].root, "/a/b");
	ck_assert_int_eq(
		thaw_mount_parse("1 2 3:4 /\\011\\012 /x\\040\\y\\08 rw - \\141b s o", &mount), 0);
	ck_assert_str_eq(mount.root, "/\t\n");
	ck_assert_str_eq(mount.point, "/x \\y\\08"); /* no escapes: kept */
	ck_assert_str_eq(mount.fstype, "ab");
	thaw_mount_release(&mount);
}
END_TEST

START_TEST(what_is_no_line)
{
	static const char *const lines[] = {"",
					    "x",
					    "1 2 3 / / rw - ext4 x",
					    "1 2 3:4",
					    "1 2 3:4 /",
					    "1 2 3:4 / /",
					    "1 2 3:4 / / rw",
					    "1 2 3:4 / / rw -",
					    "1 2 3:4 / relative rw - ext4 x rw"};
	struct thaw_mount mount;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ck_assert_msg(thaw_mount_parse(lines[i], &mount) == -EINVAL, "taken: %s", lines[i]);
}
END_TEST

static const char *point_of(const char *path)
{
	const struct thaw_mount *mount = thaw_mounts_containing(&mounts, path);

	return mount ? mount->point : "none";
}

START_TEST(the_deepest_mount_holds_a_path)
{
	ck_assert_str_eq(point_of("/"), "/");
	ck_assert_str_eq(point_of("/mnt"), "/");
	ck_assert_str_eq(point_of("/mnt/newspapers"), "/");
	ck_assert_str_eq(point_of("/mnt/news"), "/mnt/news");
	ck_assert_str_eq(point_of("/mnt/news/a/b"), "/mnt/news");
	ck_assert_str_eq(point_of("/mnt/news/tmp/x"), "/mnt/news/tmp");
	ck_assert_str_eq(point_of("/home/anna/my data\\x/c"), "/home/anna/my data\\x");
}
END_TEST

START_TEST(the_later_of_two_at_one_place_is_on_top)
{
	ck_assert(thaw_mount_is_ours(thaw_mounts_containing(&mounts, "/mnt/twice/x")));
}
END_TEST

START_TEST(the_real_table_can_be_read)
{
	struct thaw_mounts real;

	ck_assert_int_eq(thaw_mounts_load(&real), 0);
	/* In a chroot "/" itself is no mount. */
	ck_assert_ptr_nonnull(thaw_mounts_containing(&real, "/proc/self"));
	thaw_mounts_release(&real);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, lines_are_taken_apart);
	tcase_add_test(tcase, escapes_become_bytes);
	tcase_add_test(tcase, what_is_no_line);
	tcase_add_test(tcase, the_deepest_mount_holds_a_path);
	tcase_add_test(tcase, the_later_of_two_at_one_place_is_on_top);
	tcase_add_test(tcase, the_real_table_can_be_read);
}

int main(void)
{
	return run_suite("mountinfo", add);
}
