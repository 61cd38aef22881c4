/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that a killed daemon had verified and given their names, but not yet
 * written into the catalog: the next start takes them up, if it can know that
 * they are what they were.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

static struct rig rig;
static struct thaw_object object;
static char final[400], incoming[400];

/* As a kill between the two leaves it: both names, no row. */
static void begin(void)
{
	struct thaw_obj *obj;

	rig_init(&rig, false);
	rig_put(&rig, "f", 100000, 4);
	rig_start(&rig);
	ck_assert_int_eq(bulk_wait(rig.stage, rig_node(&rig, "f"), &obj), 0);
	thaw_stage_close(rig.stage, obj);
	rig_await_idle(&rig);
	object = rig_object(&rig, "f");
	(void)snprintf(incoming, sizeof(incoming), "%s/incoming/%jx", rig.cache,
		       (uintmax_t)object.id);
	for (unsigned shard = 0; shard < 256; shard++) {
		(void)snprintf(final, sizeof(final), "%s/objects/%02x/%jx", rig.cache, shard,
			       (uintmax_t)object.id);
		if (access(final, F_OK) == 0)
			break;
	}
	ck_assert_int_eq(link(final, incoming), 0);
	ck_assert_int_eq(thaw_catalog_left(rig.stage->catalog, &object.id, 1), 0);
}

static void expect(bool taken_up)
{
	uint64_t gets = thaw_archive_mem_gets_of(rig.mem, thaw_key_of("f"));

	rig_start(&rig);
	ck_assert_int_eq(rig_state(&rig, "f"), taken_up ? THAW_STATE_ONLINE : THAW_STATE_OFFLINE);
	ck_assert_int_eq(access(final, F_OK), taken_up ? 0 : -1);
	audit(&rig);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "f"), 0, 100000, 4), 0);
	ck_assert(taken_up == (thaw_archive_mem_gets_of(rig.mem, thaw_key_of("f")) == gets));
	rig_end(&rig);
}

START_TEST(taken_up)
{
	begin();
	rig_stop(&rig);
	expect(true);
}
END_TEST

/* The machine was down: what a disk makes of unsynced bytes cannot be known. */
START_TEST(after_another_boot)
{
	begin();
	ck_assert_int_eq(thaw_catalog_meta_set(rig.stage->catalog, "boot", "another"), 0);
	rig_stop(&rig);
	expect(false);
}
END_TEST

START_TEST(not_what_is_on_record)
{
	char byte;
	int fd;

	begin();
	rig_stop(&rig);
	ck_assert_int_eq(chmod(final, 0600), 0);
	fd = open(final, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, &byte, 1, 5000), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, 5000), 1);
	(void)close(fd);
	expect(false);
}
END_TEST

/* No final name: a transfer that was under way. */
START_TEST(only_coming)
{
	begin();
	ck_assert_int_eq(unlink(final), 0);
	rig_stop(&rig);
	expect(false);
}
END_TEST

RUN_TESTS("stage/recover", taken_up, after_another_boot, not_what_is_on_record, only_coming)
