/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The power goes at every crash point: the cache is on a filesystem of its own
 * which is shut down without writing anything back (FS_IOC_SHUTDOWN), so that
 * what was not synced is lost; the rows are kept.  Needs root and loop devices.
 * THAW_TEST_MKFS="mkfs.xfs -q" tries another filesystem than ext4.
 */
#include <check.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "life.h"
#include "scratch.h"

#define FS_IOC_SHUTDOWN     _IOR('X', 125, uint32_t)
#define SHUTDOWN_NOLOGFLUSH 2

static char image[SCRATCH_PATH], mnt[SCRATCH_PATH], cache[SCRATCH_PATH], rows[SCRATCH_PATH];

/* The programs of the administrator; quiet. */
static bool command(const char *program, const char *a, const char *b)
{
	char text[3 * SCRATCH_PATH];

	(void)snprintf(text, sizeof(text),
		       "PATH=$PATH:/usr/sbin:/sbin; exec >/dev/null 2>&1; %s '%s' %s", program, a,
		       b);
	return !system(text);
}

static bool mount_image(void)
{
	return command("mount -o loop", image, mnt);
}

static void unmount(void)
{
	(void)umount2(mnt, 0);
}

static bool power_cut(void)
{
	uint32_t how = SHUTDOWN_NOLOGFLUSH;
	int fd = open(mnt, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = ioctl(fd, FS_IOC_SHUTDOWN, &how);

	(void)close(fd);
	unmount();
	return !r;
}

static bool make_image(void)
{
	int fd = open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool made = fd >= 0 && !ftruncate(fd, 512 << 20);
	const char *mkfs = getenv("THAW_TEST_MKFS");

	(void)close(fd);
	return made && !mkdir(mnt, 0700) && command(mkfs ? mkfs : "mkfs.ext4 -q -F", image, "");
}

/* Private, as a copy of the mount in another namespace would keep the
 * filesystem alive, and shut down, behind the next mount. */
static bool set_up(void)
{
	const char *top = scratch_begin();

	(void)snprintf(image, sizeof(image), "%s/image", top);
	(void)snprintf(mnt, sizeof(mnt), "%s/mnt", top);
	(void)snprintf(cache, sizeof(cache), "%s/mnt/cache", top);
	(void)snprintf(rows, sizeof(rows), "%s/rows", top);
	if (geteuid() || !scratch_private_mounts() || !make_image() || !mount_image())
		return false;
	return power_cut() && mount_image();
}

static void tear_down(void)
{
	unmount();
	scratch_end();
}

/* False when a life does not come by the point that often. */
static bool cut_at(const char *point, int pass)
{
	char plan[64];
	enum life_end end;

	scratch_remove_tree(cache);
	scratch_remove_tree(rows);
	ck_assert_int_eq(mkdir(rows, 0700), 0);
	(void)snprintf(plan, sizeof(plan), "%s:%d", point, pass);
	end = life_run(plan, cache, rows);
	ck_assert_int_ne(end, LIFE_BROKEN);
	if (end == LIFE_WHOLE)
		return false;
	ck_assert(power_cut());
	ck_assert(mount_image());
	life_check(cache, rows);
	return true;
}

START_TEST(power_cut_at)
{
	int pass = 1;

	while (cut_at(life_points[_i], pass))
		pass++;
	ck_assert_int_gt(pass, 1);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite;
	TCase *tc;
	SRunner *runner;
	int failed, points = 0;

	life_child(argc, argv);
	if (!life_has_points || !set_up()) {
		tear_down();
		return 77;
	}
	suite = suite_create("cache_powercut");
	tc = tcase_create("all");
	while (life_points[points])
		points++;
	tcase_add_loop_test(tc, power_cut_at, 0, points);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	tear_down();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
