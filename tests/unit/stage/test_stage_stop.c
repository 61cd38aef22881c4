/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stop answers everybody who waits, once, and soon. */
#include <errno.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

#define WAITERS 24

static struct rig rig;

/* Some wait for bytes, some for a recall, some for room, some to be begun. */
START_TEST(parked_of_every_kind)
{
	static struct waiter w[WAITERS];
	struct thaw_obj *stream, *obj;
	struct waiter reading;
	int64_t begun;

	rig_init(&rig, true);
	rig.conf.cache_size = 8 * MIB;
	rig.conf.stream_min = 3 * MIB;
	rig.conf.space_wait = 600;
	rig.conf.workers = 2;
	rig_put(&rig, "stream", 3 * MIB, 1);
	rig_put(&rig, "tape", 100, 2);
	rig_put_many(&rig, "d", WAITERS, 900 * KIB);
	ck_assert_int_eq(
		thaw_archive_mem_set_avail(rig.mem, thaw_key_of("tape"), THAW_AVAIL_OFFLINE), 0);
	rig_start(&rig);
	thaw_archive_mem_hold(rig.mem, 100);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "stream"), 0, &stream), 0);
	waiter_init(&reading);
	ck_assert_int_eq(thaw_stage_read(rig.stage, stream, 2 * MIB + 900, 5, &reading.wait),
			 -EINPROGRESS);
	for (int i = 0; i < WAITERS; i++) {
		char path[16] = "tape";

		if (i)
			(void)snprintf(path, sizeof(path), "d/f%03d", i);
		waiter_init(&w[i]);
		ck_assert_int_eq(
			thaw_stage_open(rig.stage, rig_node(&rig, path), 0, &w[i].wait, &obj),
			-EINPROGRESS);
	}
	ck_assert(thaw_archive_mem_wait_held(rig.mem, 2));
	ck_assert_uint_gt(rig_status(&rig).flights_waiting_space, 0);
	begun = thaw_clock_mono_ns();
	thaw_stage_stop(rig.stage);
	ck_assert_int_lt(thaw_clock_mono_ns() - begun, 5 * THAW_NS_PER_S);
	for (int i = 0; i < WAITERS; i++) {
		ck_assert_int_eq(waiter_calls(&w[i]), 1);
		ck_assert_int_eq(waiter_status(&w[i]), -ESHUTDOWN);
		ck_assert(!thaw_stage_cancel(rig.stage, &w[i].wait));
		waiter_release(&w[i]);
	}
	ck_assert_int_eq(waiter_calls(&reading), 1);
	ck_assert_int_eq(waiter_status(&reading), -ESHUTDOWN);
	waiter_release(&reading);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "d/f001"), 0, &obj), -ESHUTDOWN);
	thaw_stage_close(rig.stage, stream);
	rig.stage = thaw_stage_free(rig.stage);
	thaw_archive_mem_release(rig.mem);
	rig_start(&rig);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/f001"), 0, 900 * KIB, 1001), 0);
	rig_end(&rig);
}
END_TEST

struct opener {
	pthread_t thread;
	struct waiter w[40];
	int r[40];
	unsigned seed;
};

static uint64_t nodes[40];

static void *keep_opening(void *arg)
{
	struct opener *o = arg;

	for (unsigned i = 0; i < 40; i++) {
		struct thaw_obj *obj = NULL;

		waiter_init(&o->w[i]);
		o->r[i] = thaw_stage_open(rig.stage, nodes[(i * 7 + o->seed) % 40], 0,
					  &o->w[i].wait, &obj);
		if (o->r[i] == 0)
			thaw_stage_close(rig.stage, obj);
	}
	return NULL;
}

/* Opens that come while it stops: refused, or parked and answered. */
START_TEST(while_others_open)
{
	static struct opener o[4];

	for (int round = 0; round < 15; round++) {
		rig_init(&rig, false);
		rig_put_many(&rig, "d", 40, 30000);
		rig_start(&rig);
		for (int i = 0; i < 40; i++) {
			char path[16];

			(void)snprintf(path, sizeof(path), "d/f%03d", i);
			nodes[i] = rig_node(&rig, path);
		}
		for (unsigned i = 0; i < 4; i++) {
			o[i].seed = i * 11;
			ck_assert_int_eq(pthread_create(&o[i].thread, NULL, keep_opening, &o[i]),
					 0);
		}
		for (int i = 0; i < round; i++)
			rig_pause();
		thaw_stage_stop(rig.stage);
		for (unsigned i = 0; i < 4; i++)
			pthread_join(o[i].thread, NULL);
		for (unsigned i = 0; i < 4; i++) {
			for (unsigned k = 0; k < 40; k++) {
				if (o[i].r[k] == -EINPROGRESS) {
					int r = waiter_status(&o[i].w[k]);

					ck_assert(r == 0 || r == -ESHUTDOWN);
					ck_assert_int_eq(waiter_calls(&o[i].w[k]), 1);
					if (r == 0)
						thaw_stage_close(rig.stage, o[i].w[k].wait.obj);
				} else {
					ck_assert(o[i].r[k] == 0 || o[i].r[k] == -ESHUTDOWN);
					ck_assert_int_eq(waiter_calls(&o[i].w[k]), 0);
				}
				waiter_release(&o[i].w[k]);
			}
		}
		rig.stage = thaw_stage_free(rig.stage);
		rig_start(&rig);
		audit(&rig);
		rig_drop(&rig);
	}
}
END_TEST

/* An open that had asked the catalog before the stop and comes back after it. */
START_TEST(late_from_the_catalog)
{
	struct thaw_stage *stage;
	struct thaw_obj *obj;
	struct waiter w;
	uint64_t node;

	rig_init(&rig, false);
	rig_put(&rig, "f", 1000, 1);
	rig_start(&rig);
	stage = rig.stage;
	waiter_init(&w);
	node = rig_node(&rig, "f");
	thaw_mutex_lock(&stage->lock);
	obj = stage_obj_add(stage, node);
	stage_wait_park(&obj->waiting, &w.wait, WAIT_OPEN);
	stage->waiters++;
	thaw_mutex_unlock(&stage->lock);
	thaw_stage_stop(stage);
	stage_open_again(stage, obj);
	ck_assert_int_eq(waiter_calls(&w), 1);
	ck_assert_int_eq(waiter_status(&w), -ESHUTDOWN);
	thaw_obj_put(stage, obj);
	waiter_release(&w);
	rig_drop(&rig);
}
END_TEST

START_TEST(never_started)
{
	struct thaw_err err = {""};

	rig_init(&rig, false);
	ck_assert_int_eq(rig_open(&rig, &err), 0);
	rig_drop(&rig);
}
END_TEST

RUN_TESTS("stage/stop", parked_of_every_kind, while_others_open, late_from_the_catalog,
	  never_started)
