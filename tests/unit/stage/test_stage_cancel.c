/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A wait ends once: by done() or by a cancel, whenever that comes. */
#include <errno.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

static struct rig rig;
static uint64_t node;

static void begin(uint64_t size)
{
	rig_init(&rig, false);
	rig_put(&rig, "f", size, 2);
	rig_start(&rig);
	node = rig_node(&rig, "f");
}

/* Of a wait that was never parked, and of one that is over. */
START_TEST(before_and_after)
{
	struct thaw_obj *obj;
	struct waiter w;

	begin(1000);
	waiter_init(&w);
	ck_assert(!thaw_stage_cancel(rig.stage, &w.wait));
	ck_assert_int_eq(thaw_stage_open(rig.stage, node, 0, &w.wait, &obj), -EINPROGRESS);
	ck_assert_int_eq(waiter_status(&w), 0);
	ck_assert(!thaw_stage_cancel(rig.stage, &w.wait));
	ck_assert_int_eq(waiter_calls(&w), 1);
	thaw_stage_close(rig.stage, w.wait.obj);
	waiter_release(&w);
	rig_end(&rig);
}
END_TEST

START_TEST(during)
{
	struct thaw_obj *obj;
	struct waiter w, other;

	begin(300000);
	thaw_archive_mem_hold(rig.mem, 7000);
	waiter_init(&w);
	waiter_init(&other);
	ck_assert_int_eq(thaw_stage_open(rig.stage, node, 0, &w.wait, &obj), -EINPROGRESS);
	ck_assert_int_eq(thaw_stage_open(rig.stage, node, 0, &other.wait, &obj), -EINPROGRESS);
	ck_assert(thaw_stage_cancel(rig.stage, &w.wait));
	ck_assert(!thaw_stage_cancel(rig.stage, &w.wait));
	ck_assert_uint_eq(rig_status(&rig).waiters, 1);
	thaw_archive_mem_release(rig.mem);
	ck_assert_int_eq(waiter_status(&other), 0);
	thaw_stage_close(rig.stage, other.wait.obj);
	rig_await_idle(&rig);
	ck_assert_int_eq(waiter_calls(&w), 0);
	waiter_release(&w);
	waiter_release(&other);
	rig_end(&rig);
}
END_TEST

struct canceller {
	pthread_t thread;
	struct waiter w;
	unsigned delay;
	int opened;
	bool cancelled;
};

static void *open_and_cancel(void *arg)
{
	struct canceller *c = arg;
	struct thaw_obj *obj = NULL;

	c->opened = thaw_stage_open(rig.stage, node, 0, &c->w.wait, &obj);
	if (c->opened == 0)
		thaw_stage_close(rig.stage, obj);
	if (c->opened != -EINPROGRESS)
		return NULL;
	for (volatile unsigned i = 0; i < c->delay; i++)
		;
	c->cancelled = thaw_stage_cancel(rig.stage, &c->w.wait);
	if (!c->cancelled && waiter_status(&c->w) == 0)
		thaw_stage_close(rig.stage, c->w.wait.obj);
	return NULL;
}

#define CANCELLERS 8
#define ROUNDS     150

/* Cancels that race with the end of the flight, from far too early to too late. */
START_TEST(at_every_moment)
{
	static struct canceller c[CANCELLERS];
	struct thaw_evict_result sum;
	unsigned cancelled = 0, done = 0;

	begin(1000);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < CANCELLERS; i++) {
			memset(&c[i], 0, sizeof(c[i]));
			waiter_init(&c[i].w);
			c[i].delay = (round * CANCELLERS + i) * 997 % 300000;
			ck_assert_int_eq(pthread_create(&c[i].thread, NULL, open_and_cancel, &c[i]),
					 0);
		}
		for (unsigned i = 0; i < CANCELLERS; i++)
			pthread_join(c[i].thread, NULL);
		rig_await_idle(&rig);
		for (unsigned i = 0; i < CANCELLERS; i++) {
			if (c[i].opened == -EINPROGRESS) {
				ck_assert_int_eq(waiter_calls(&c[i].w), c[i].cancelled ? 0 : 1);
				cancelled += c[i].cancelled;
				done += !c[i].cancelled;
			} else {
				ck_assert_int_eq(c[i].opened, 0);
			}
			waiter_release(&c[i].w);
		}
		ck_assert_uint_eq(rig_status(&rig).waiters, 0);
		ck_assert_int_eq(thaw_stage_evict(rig.stage, node, false, &sum), 0);
	}
	ck_assert_uint_gt(cancelled, 0); /* or the test tests nothing */
	ck_assert_uint_gt(done, 0);
	rig_end(&rig);
}
END_TEST

/* Reads of a stream, and looks into directories, likewise. */
START_TEST(reads_and_directories)
{
	struct thaw_obj *obj;
	struct waiter w;

	rig_init(&rig, false);
	rig.conf.stream_min = 100000;
	rig_put(&rig, "f", 300000, 2);
	rig_start(&rig);
	thaw_archive_mem_hold(rig.mem, 1000);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "f"), 0, &obj), 0);
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_read(rig.stage, obj, 299000, 500, &w.wait), -EINPROGRESS);
	ck_assert(thaw_stage_cancel(rig.stage, &w.wait));
	ck_assert(!thaw_stage_cancel(rig.stage, &w.wait));
	ck_assert_uint_eq(rig_status(&rig).waiters, 0);
	thaw_archive_mem_release(rig.mem);
	ck_assert_int_eq(compare_range(rig.stage, obj, 2, 0, 300000), 0);
	thaw_stage_close(rig.stage, obj);
	ck_assert_int_eq(waiter_calls(&w), 0);
	waiter_release(&w);
	rig_end(&rig);
}
END_TEST

RUN_TESTS("stage/cancel", before_and_after, during, at_every_moment, reads_and_directories)
