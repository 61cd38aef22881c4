/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One flight for all who wait for a file, and it goes on without them. */
#include <errno.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

#define WAITERS 64

static struct rig rig;

START_TEST(sixty_four_wait_for_one)
{
	static struct waiter w[WAITERS];
	struct thaw_obj *obj;
	uint64_t node;

	rig_init(&rig, false);
	rig_put(&rig, "f", 5 * 64 * KIB + 1, 9);
	rig_start(&rig);
	node = rig_node(&rig, "f");
	thaw_archive_mem_hold(rig.mem, 10);
	for (int i = 0; i < WAITERS; i++) {
		waiter_init(&w[i]);
		ck_assert_int_eq(thaw_stage_open(rig.stage, node, 0, &w[i].wait, &obj),
				 -EINPROGRESS);
	}
	ck_assert(thaw_archive_mem_wait_held(rig.mem, 4));
	ck_assert_uint_eq(rig_status(&rig).waiters, WAITERS);
	ck_assert_uint_eq(rig_status(&rig).flights, 1);
	ck_assert_int_eq(rig_state(&rig, "f"), THAW_STATE_FETCHING);
	thaw_archive_mem_release(rig.mem);
	for (int i = 0; i < WAITERS; i++) {
		ck_assert_int_eq(waiter_status(&w[i]), 0);
		ck_assert_ptr_eq(w[i].wait.obj, w[0].wait.obj);
	}
	ck_assert_int_eq(compare_range(rig.stage, w[0].wait.obj, 9, 0, 5 * 64 * KIB + 1), 0);
	for (int i = 0; i < WAITERS; i++) {
		thaw_stage_close(rig.stage, w[i].wait.obj);
		ck_assert_int_eq(waiter_calls(&w[i]), 1);
		waiter_release(&w[i]);
	}
	ck_assert_uint_eq(thaw_archive_mem_gets_of(rig.mem, thaw_key_of("f")), 6);
	rig_end(&rig);
}
END_TEST

struct reader {
	pthread_t thread;
	uint64_t node;
	int r;
};

static void *read_it(void *arg)
{
	struct reader *reader = arg;

	reader->r = open_compare(rig.stage, reader->node, 0, 3 * 64 * KIB, 5);
	return NULL;
}

/* However they come: before, while and after it is there. */
START_TEST(a_crowd_gets_one_copy)
{
	struct reader readers[32];
	struct thaw_evict_result sum;

	rig_init(&rig, false);
	rig_put(&rig, "f", 3 * 64 * KIB, 5);
	rig_start(&rig);
	for (unsigned round = 1; round <= 20; round++) {
		for (int i = 0; i < 32; i++) {
			readers[i].node = rig_node(&rig, "f");
			ck_assert_int_eq(
				pthread_create(&readers[i].thread, NULL, read_it, &readers[i]), 0);
		}
		for (int i = 0; i < 32; i++) {
			pthread_join(readers[i].thread, NULL);
			ck_assert_int_eq(readers[i].r, 0);
		}
		ck_assert_uint_eq(thaw_archive_mem_gets_of(rig.mem, thaw_key_of("f")), 3 * round);
		rig_await_idle(&rig);
		ck_assert_int_eq(thaw_stage_evict(rig.stage, readers[0].node, false, &sum), 0);
		ck_assert_uint_eq(sum.evicted_files, 1);
	}
	rig_end(&rig);
}
END_TEST

/* Ticks the robot until the file is there. */
static void tick_until(const char *path, enum thaw_state state)
{
	rig_await((thaw_archive_mem_tick(rig.mem), rig_state(&rig, path) == state));
}

START_TEST(recall_goes_on_without_waiters)
{
	struct thaw_obj *obj;
	struct waiter w;
	uint64_t node;

	rig_init(&rig, true);
	rig_put(&rig, "tape", 100000, 4);
	ck_assert_int_eq(
		thaw_archive_mem_set_avail(rig.mem, thaw_key_of("tape"), THAW_AVAIL_OFFLINE), 0);
	rig_start(&rig);
	node = rig_node(&rig, "tape");
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_open(rig.stage, node, 0, &w.wait, &obj), -EINPROGRESS);
	rig_await(thaw_archive_mem_recalls_of(rig.mem, thaw_key_of("tape")) == 1);
	ck_assert_int_eq(rig_state(&rig, "tape"), THAW_STATE_RECALLING);
	ck_assert(thaw_stage_cancel(rig.stage, &w.wait));
	waiter_release(&w); /* its process is gone */
	tick_until("tape", THAW_STATE_ONLINE);
	ck_assert_uint_eq(thaw_archive_mem_recalls_of(rig.mem, thaw_key_of("tape")), 1);
	ck_assert_int_eq(open_compare(rig.stage, node, THAW_OPEN_NONBLOCK, 100000, 4), 0);
	rig_end(&rig);
}
END_TEST

/* Listed as online, but the archive has taken it off its disk since. */
START_TEST(recalled_after_all)
{
	struct thaw_obj *obj;
	struct waiter w;

	rig_init(&rig, true);
	rig_put(&rig, "tape", 300000, 4);
	rig_start(&rig);
	ck_assert_int_eq(
		thaw_archive_mem_set_avail(rig.mem, thaw_key_of("tape"), THAW_AVAIL_OFFLINE), 0);
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_open(rig.stage, rig_node(&rig, "tape"), 0, &w.wait, &obj),
			 -EINPROGRESS);
	tick_until("tape", THAW_STATE_ONLINE);
	ck_assert_int_eq(waiter_status(&w), 0);
	ck_assert_int_eq(compare_range(rig.stage, w.wait.obj, 4, 0, 300000), 0);
	thaw_stage_close(rig.stage, w.wait.obj);
	waiter_release(&w);
	ck_assert_uint_eq(thaw_archive_mem_recalls_of(rig.mem, thaw_key_of("tape")), 1);
	rig_end(&rig);
}
END_TEST

/* Somebody else's recall runs already. */
START_TEST(recalling_already)
{
	struct thaw_obj *obj;
	struct waiter w;

	rig_init(&rig, true);
	rig_put(&rig, "tape", 1000, 4);
	ck_assert_int_eq(
		thaw_archive_mem_set_avail(rig.mem, thaw_key_of("tape"), THAW_AVAIL_RECALLING), 0);
	rig_start(&rig);
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_open(rig.stage, rig_node(&rig, "tape"), 0, &w.wait, &obj),
			 -EINPROGRESS);
	rig_await(rig_state(&rig, "tape") == THAW_STATE_RECALLING);
	ck_assert_int_eq(
		thaw_archive_mem_set_avail(rig.mem, thaw_key_of("tape"), THAW_AVAIL_ONLINE), 0);
	ck_assert_int_eq(waiter_status(&w), 0);
	thaw_stage_close(rig.stage, w.wait.obj);
	waiter_release(&w);
	rig_end(&rig);
}
END_TEST

RUN_TESTS("stage/flight", sixty_four_wait_for_one, a_crowd_gets_one_copy,
	  recall_goes_on_without_waiters, recalled_after_all, recalling_already)
