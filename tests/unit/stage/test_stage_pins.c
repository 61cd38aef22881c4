/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pins stage, keep, survive and end. */
#include <errno.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

static struct rig rig;

static int pin(const char *path, int64_t expires, struct thaw_err *err)
{
	char id[THAW_REQUEST_ID_TEXT];

	return thaw_stage_pin(rig.stage, rig_node(&rig, path), 7, expires, "mine", id, err);
}

static void begin(void)
{
	rig_init(&rig, false);
	rig.conf.cache_size = 8 * MIB;
	rig_put_many(&rig, "d/e", 4, 1 * MIB);
	rig_put_many(&rig, "other", 12, 1 * MIB);
	rig_start(&rig);
}

static int count_pin(void *ctx, const struct thaw_pin *p)
{
	int *n = ctx;

	ck_assert_str_eq(p->label, "mine");
	ck_assert_uint_eq(p->owner, 7);
	(*n)++;
	return 0;
}

START_TEST(kept_through_pressure_and_restart)
{
	int pins = 0;

	begin();
	ck_assert_int_eq(pin("d", THAW_PIN_FOREVER, NULL), 0);
	rig_await(rig_state(&rig, "d") == THAW_STATE_ONLINE);
	rig_restart(&rig);
	ck_assert_int_eq(thaw_stage_pins(rig.stage, count_pin, &pins), 0);
	ck_assert_int_eq(pins, 1);
	for (int i = 0; i < 12; i++) {
		char path[24];

		(void)snprintf(path, sizeof(path), "other/f%03d", i);
		ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, path), 0, 1 * MIB,
					      1000 + (uint64_t)i),
				 0);
	}
	rig_await_idle(&rig);
	ck_assert_int_eq(rig_state(&rig, "d"), THAW_STATE_ONLINE);
	ck_assert_uint_gt(rig_status(&rig).evicted_files, 0);
	ck_assert_uint_eq(rig_status(&rig).pinned_bytes, 4 * MIB);
	rig_end(&rig);
}
END_TEST

/* Later files of a pinned directory are pinned, and the new version of a changed one. */
START_TEST(covers_what_comes_later)
{
	struct thaw_evict_result sum;

	begin();
	ck_assert_int_eq(pin("d/e/f000", THAW_PIN_FOREVER, NULL), 0);
	ck_assert_int_eq(pin("d", THAW_PIN_FOREVER, NULL), 0);
	rig_await(rig_state(&rig, "d") == THAW_STATE_ONLINE);
	rig_put(&rig, "d/e/f000", 2000, 5);
	rig_put(&rig, "d/new", 3000, 6);
	(void)rig_import(&rig, "/", false);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/e/f000"), 0, 2000, 5), 0);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/new"), 0, 3000, 6), 0);
	ck_assert_int_eq(thaw_stage_evict(rig.stage, rig_node(&rig, "d"), false, &sum), 0);
	ck_assert_uint_eq(sum.evicted_files, 0);
	ck_assert_uint_eq(sum.pinned_files, 5);
	ck_assert_int_eq(thaw_stage_unpin(rig.stage, rig_node(&rig, "d")), 0);
	ck_assert_int_eq(thaw_stage_unpin(rig.stage, rig_node(&rig, "d")), -ENODATA);
	ck_assert_int_eq(thaw_stage_evict(rig.stage, rig_node(&rig, "d"), false, &sum), 0);
	ck_assert_uint_eq(sum.pinned_files, 1); /* its own pin moved with the name */
	rig_end(&rig);
}
END_TEST

START_TEST(what_does_not_fit)
{
	struct thaw_err err = {""};

	begin();
	ck_assert_int_eq(pin("other", THAW_PIN_FOREVER, &err), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(err.text, "12"));
	ck_assert_int_eq(pin("d", THAW_PIN_FOREVER, &err), 0);
	/* What is inside is not counted twice. */
	ck_assert_int_eq(pin("d/e", THAW_PIN_FOREVER, &err), 0);
	ck_assert_int_eq(thaw_stage_unpin(rig.stage, rig_node(&rig, "d")), 0);
	ck_assert_int_eq(pin("d/e/f001", THAW_PIN_FOREVER, &err), 0);
	ck_assert_int_eq(pin("other/f001", THAW_PIN_FOREVER, &err), 0);
	ck_assert_int_eq(pin("other/f002", THAW_PIN_FOREVER, &err), 0);
	ck_assert_int_eq(pin("d", THAW_PIN_FOREVER, &err), 0);
	ck_assert_int_eq(pin("other", THAW_PIN_FOREVER, &err), -ENOSPC);
	rig_end(&rig);
}
END_TEST

/* A pin that ends lets go without anybody asking. */
START_TEST(ends_by_the_clock)
{
	struct thaw_evict_result sum;
	int pins = 0;

	begin();
	ck_assert_int_eq(pin("d", thaw_clock_real_s() + 2, NULL), 0);
	rig_await(rig_state(&rig, "d") == THAW_STATE_ONLINE);
	rig_await((pins = 0, thaw_stage_pins(rig.stage, count_pin, &pins) == 0 && pins == 0));
	ck_assert_int_eq(thaw_stage_evict(rig.stage, rig_node(&rig, "d"), false, &sum), 0);
	ck_assert_uint_eq(sum.pinned_files, 0);
	ck_assert_uint_eq(sum.evicted_files, 4);
	rig_end(&rig);
}
END_TEST

START_TEST(label_too_long)
{
	char id[THAW_REQUEST_ID_TEXT], label[THAW_PIN_LABEL_MAX + 1];
	struct thaw_err err = {""};

	begin();
	memset(label, 'x', sizeof(label));
	label[THAW_PIN_LABEL_MAX] = '\0';
	ck_assert_int_eq(thaw_stage_pin(rig.stage, rig_node(&rig, "d"), 0, THAW_PIN_FOREVER, label,
					id, &err),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "label"));
	rig_end(&rig);
}
END_TEST

RUN_TESTS("stage/pins", kept_through_pressure_and_restart, covers_what_comes_later,
	  what_does_not_fit, ends_by_the_clock, label_too_long)
