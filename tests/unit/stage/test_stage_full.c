/* SPDX-License-Identifier: GPL-3.0-or-later */
/* No room: who is refused, who waits and for how long, and what never leaves. */
#include <errno.h>
#include <sys/mman.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

static struct rig rig;

/* 6 MiB hold five files of 1 MiB, and one more not. */
static void begin(void)
{
	rig_init(&rig, false);
	rig.conf.cache_size = 6 * MIB;
	rig.conf.high = 99;
	rig.conf.low = 98;
	rig_put_many(&rig, "d", 5, 1 * MIB);
	rig_put(&rig, "more", 1 * MIB, 77);
	rig_start(&rig);
}

static void fill(void)
{
	for (int i = 0; i < 5; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "d/f%03d", i);
		ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, path), 0, 1 * MIB,
					      1000 + (uint64_t)i),
				 0);
	}
	rig_await_idle(&rig);
	ck_assert_uint_eq(rig_status(&rig).resident_files, 5);
	ck_assert_uint_gt(rig_used(&rig) + 1 * MIB, rig.conf.cache_size);
}

static void pin(const char *path)
{
	char id[THAW_REQUEST_ID_TEXT];
	struct thaw_err err = {""};

	ck_assert_msg(thaw_stage_pin(rig.stage, rig_node(&rig, path), 0, THAW_PIN_FOREVER, "", id,
				     &err) == 0,
		      "%s", err.text);
}

static double seconds_since(int64_t ns)
{
	return (double)(thaw_clock_mono_ns() - ns) / 1e9;
}

START_TEST(larger_than_the_cache)
{
	struct thaw_obj *obj;
	uint64_t just = 6 * MIB;

	begin();
	/* It would fit, but for the store's own directories. */
	while (thaw_store_need(rig.stage->store, just) > rig.conf.cache_size)
		just -= 4096;
	rig_put(&rig, "huge", 6 * MIB, 1);
	rig_put(&rig, "just", just, 1);
	(void)rig_import(&rig, "/", false);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "huge"), 0, &obj), -ENOSPC);
	ck_assert_int_eq(bulk_wait(rig.stage, rig_node(&rig, "huge"), &obj), -ENOSPC);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "just"), 0, &obj), -ENOSPC);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "more"), 0, 1 * MIB, 77), 0);
	rig_end(&rig);
}
END_TEST

/* A pin never gives way: bulk work is refused at once, a reader after space_wait. */
START_TEST(full_of_pins)
{
	struct thaw_obj *obj;
	int64_t begun;

	begin();
	fill();
	pin("d");
	rig_await_idle(&rig);
	begun = thaw_clock_mono_ns();
	ck_assert_int_eq(bulk_wait(rig.stage, rig_node(&rig, "more"), &obj), -ENOSPC);
	ck_assert_double_lt(seconds_since(begun), 0.9);
	begun = thaw_clock_mono_ns();
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "more"), 0, &obj), -EAGAIN);
	ck_assert_double_ge(seconds_since(begun), 0.99);
	ck_assert_uint_eq(rig_status(&rig).resident_files, 5);
	ck_assert_uint_eq(rig_status(&rig).evicted_files, 0);
	rig_end(&rig);
}
END_TEST

START_TEST(unpinned_while_a_reader_waits)
{
	struct thaw_obj *obj;
	struct waiter w;

	begin();
	rig_stop(&rig);
	rig.conf.space_wait = 60;
	rig_start(&rig);
	fill();
	pin("d");
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_open(rig.stage, rig_node(&rig, "more"), 0, &w.wait, &obj),
			 -EINPROGRESS);
	rig_await(rig_status(&rig).flights_waiting_space == 1);
	ck_assert_int_eq(rig_state(&rig, "more"), THAW_STATE_QUEUED);
	ck_assert_int_eq(waiter_calls(&w), 0);
	ck_assert_int_eq(thaw_stage_unpin(rig.stage, rig_node(&rig, "d")), 0);
	ck_assert_int_eq(waiter_status(&w), 0);
	thaw_stage_close(rig.stage, w.wait.obj);
	waiter_release(&w);
	rig_end(&rig);
}
END_TEST

/* Open files stay; the moment one is closed there is room.  Bulk work waits for that as
 * long as it takes. */
START_TEST(open_files_stay)
{
	struct thaw_obj *held[5], *obj;
	struct waiter bulk;
	uint64_t evicted;

	begin();
	fill();
	for (int i = 0; i < 5; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "d/f%03d", i);
		ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, path), 0, &held[i]), 0);
	}
	waiter_init(&bulk);
	ck_assert_int_eq(stage_open_bulk(rig.stage, rig_node(&rig, "more"), &bulk.wait, &obj),
			 -EINPROGRESS);
	rig_await(rig_status(&rig).flights_waiting_space == 1);
	for (int i = 0; i < 1500; i++) /* several rounds of the evictor */
		rig_pause();
	ck_assert_int_eq(waiter_calls(&bulk), 0);
	evicted = rig_status(&rig).evicted_files;
	ck_assert_uint_eq(evicted, 0);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(compare_range(rig.stage, held[i], 1000 + (uint64_t)i, 0, 1 * MIB),
				 0);
	thaw_stage_close(rig.stage, held[3]);
	ck_assert_int_eq(waiter_status(&bulk), 0);
	ck_assert_uint_eq(rig_status(&rig).evicted_files, 1);
	thaw_stage_close(rig.stage, bulk.wait.obj);
	for (int i = 0; i < 5; i++) {
		if (i != 3)
			thaw_stage_close(rig.stage, held[i]);
	}
	waiter_release(&bulk);
	rig_end(&rig);
}
END_TEST

/* A mapping outlives its open, and nobody tells us when it ends. */
START_TEST(mapped_files_stay)
{
	void *map[5];
	struct thaw_obj *obj;
	struct waiter bulk;

	begin();
	fill();
	for (int i = 0; i < 5; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "d/f%03d", i);
		ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, path), 0, &obj), 0);
		map[i] = mmap(NULL, 1 * MIB, PROT_READ, MAP_SHARED, thaw_obj_fd(obj), 0);
		ck_assert_ptr_ne(map[i], MAP_FAILED);
		thaw_stage_close(rig.stage, obj);
	}
	/* A reader gives up after space_wait; a request goes on. */
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "more"), 0, &obj), -EAGAIN);
	waiter_init(&bulk);
	ck_assert_int_eq(stage_open_bulk(rig.stage, rig_node(&rig, "more"), &bulk.wait, &obj),
			 -EINPROGRESS);
	for (int i = 0; i < 1500; i++)
		rig_pause();
	ck_assert_int_eq(waiter_calls(&bulk), 0);
	rig_await(rig_status(&rig).resident_files == 5); /* a round may be trying one */
	/* They are still there for others meanwhile. */
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/f001"), THAW_OPEN_NONBLOCK,
				      1 * MIB, 1001),
			 0);
	ck_assert_int_eq(munmap(map[2], 1 * MIB), 0);
	ck_assert_int_eq(waiter_status(&bulk), 0);
	thaw_stage_close(rig.stage, bulk.wait.obj);
	rig_await_idle(&rig);
	ck_assert_int_eq(rig_state(&rig, "d/f002"), THAW_STATE_OFFLINE);
	for (int i = 0; i < 5; i++) {
		if (i != 2)
			ck_assert_int_eq(munmap(map[i], 1 * MIB), 0);
	}
	waiter_release(&bulk);
	rig_end(&rig);
}
END_TEST

/* A reader and a request wait for one flight: the reader's patience is not the request's. */
START_TEST(shared_with_an_impatient_reader)
{
	struct thaw_obj *held, *obj;
	char id[THAW_REQUEST_ID_TEXT];
	struct thaw_request request;
	uint64_t node;

	begin();
	fill();
	pin("d");
	rig_await_idle(&rig);
	/* Something is in use, so that the request has hope. */
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "d/f000"), 0, &held), 0);
	node = rig_node(&rig, "more");
	ck_assert_int_eq(thaw_stage_request(rig.stage, 0, &node, 1, id, NULL), 0);
	rig_await(rig_status(&rig).flights_waiting_space == 1);
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), -EAGAIN);
	ck_assert_int_eq(thaw_stage_request_get(rig.stage, id, &request), 0);
	ck_assert_int_eq(request.finished, 0);
	ck_assert_uint_eq(request.files[THAW_FILE_FAILED], 0);
	ck_assert_int_eq(thaw_stage_unpin(rig.stage, rig_node(&rig, "d")), 0);
	rig_await(thaw_stage_request_get(rig.stage, id, &request) == 0 && request.finished);
	ck_assert_uint_eq(request.files[THAW_FILE_COMPLETED], 1);
	thaw_stage_close(rig.stage, held);
	rig_end(&rig);
}
END_TEST

/* Nobody overtakes a large file that waits for room. */
START_TEST(large_ones_are_not_starved)
{
	struct thaw_obj *held[5], *obj;
	struct waiter large, small;

	begin();
	rig_put(&rig, "large", 3 * MIB, 5);
	(void)rig_import(&rig, "/", false);
	rig_stop(&rig);
	rig.conf.space_wait = 60;
	rig_start(&rig);
	fill();
	for (int i = 0; i < 5; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "d/f%03d", i);
		ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, path), 0, &held[i]), 0);
	}
	waiter_init(&large);
	waiter_init(&small);
	ck_assert_int_eq(thaw_stage_open(rig.stage, rig_node(&rig, "large"), 0, &large.wait, &obj),
			 -EINPROGRESS);
	rig_await(rig_status(&rig).flights_waiting_space == 1);
	ck_assert_int_eq(thaw_stage_open(rig.stage, rig_node(&rig, "more"), 0, &small.wait, &obj),
			 -EINPROGRESS);
	thaw_stage_close(rig.stage, held[0]);
	thaw_stage_close(rig.stage, held[1]);
	for (int i = 0; i < 1500; i++)
		rig_pause();
	ck_assert_int_eq(waiter_calls(&small), 0); /* there would be room */
	thaw_stage_close(rig.stage, held[2]);
	thaw_stage_close(rig.stage, held[3]);
	ck_assert_int_eq(waiter_status(&large), 0);
	thaw_stage_close(rig.stage, large.wait.obj);
	ck_assert_int_eq(waiter_status(&small), 0);
	thaw_stage_close(rig.stage, small.wait.obj);
	thaw_stage_close(rig.stage, held[4]);
	waiter_release(&large);
	waiter_release(&small);
	rig_end(&rig);
}
END_TEST

START_TEST(evict_by_hand)
{
	struct thaw_evict_result sum;
	struct thaw_obj *obj;
	uint64_t before;

	begin();
	fill();
	pin("d/f001");
	rig_await_idle(&rig);
	before = rig_space(&rig).resident;
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "d/f002"), 0, &obj), 0);
	ck_assert_int_eq(thaw_stage_evict(rig.stage, rig_node(&rig, "d"), false, &sum), 0);
	ck_assert_uint_eq(sum.evicted_files, 3);
	ck_assert_uint_eq(sum.pinned_files, 1);
	ck_assert_uint_eq(sum.busy_files, 1);
	ck_assert_uint_eq(rig_space(&rig).resident, before - sum.evicted_bytes);
	ck_assert_uint_eq(rig_status(&rig).evicted_files, 3);
	ck_assert_int_eq(compare_range(rig.stage, obj, 1002, 0, 1 * MIB), 0);
	thaw_stage_close(rig.stage, obj);
	ck_assert_int_eq(thaw_stage_evict(rig.stage, rig_node(&rig, "d"), true, &sum), 0);
	ck_assert_uint_eq(sum.evicted_files, 2);
	ck_assert_uint_eq(rig_space(&rig).resident, 0);
	ck_assert_int_eq(thaw_stage_evict(rig.stage, rig_node(&rig, "d/f000"), true, &sum), 0);
	ck_assert_uint_eq(sum.evicted_files + sum.busy_files + sum.pinned_files, 0);
	rig_end(&rig);
}
END_TEST

/* A page of candidates that is old by the time it is used: what went meanwhile, or went and
 * came again, is not taken a second time. */
START_TEST(candidates_of_yesterday)
{
	struct thaw_evict_result sum = {0};
	struct thaw_candidate rows[8];
	uint64_t resident;
	size_t n;

	begin();
	fill();
	ck_assert_int_eq(
		thaw_catalog_candidates(rig.stage->catalog, THAW_BY_LAST_USED, 0, 0, rows, 8, &n),
		0);
	ck_assert_uint_eq(n, 5);
	ck_assert_int_eq(thaw_stage_evict(rig.stage, rig_node(&rig, "d/f000"), false, &sum), 0);
	ck_assert_int_eq(thaw_stage_evict(rig.stage, rig_node(&rig, "d/f001"), false, &sum), 0);
	ck_assert_uint_eq(sum.evicted_files, 1);
	resident = rig_space(&rig).resident;
	sum = (struct thaw_evict_result){0};
	ck_assert_int_eq(stage_evict_objects(rig.stage, rows, 2, &sum), 0);
	ck_assert_uint_eq(sum.evicted_files + sum.busy_files, 0);
	ck_assert_uint_eq(rig_space(&rig).resident, resident);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/f000"), 0, 1 * MIB, 1000), 0);
	rig_await_idle(&rig);
	ck_assert_int_eq(stage_evict_objects(rig.stage, rows, n, &sum), 0);
	ck_assert_uint_eq(sum.evicted_files, 4);
	ck_assert_uint_eq(rig_space(&rig).resident, 0);
	rig_end(&rig);
}
END_TEST

/* Superseded copies go first, whoever was read last. */
START_TEST(dead_ones_first)
{
	begin();
	fill();
	rig_put(&rig, "d/f004", 10, 5); /* the one that was read last */
	(void)rig_import(&rig, "/", false);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "more"), 0, 1 * MIB, 77), 0);
	rig_await_idle(&rig);
	ck_assert_uint_eq(rig_status(&rig).evicted_files, 1);
	ck_assert_int_eq(rig_state(&rig, "d/f000"), THAW_STATE_ONLINE);
	rig_end(&rig);
}
END_TEST

RUN_TESTS("stage/full", larger_than_the_cache, full_of_pins, unpinned_while_a_reader_waits,
	  open_files_stay, mapped_files_stay, shared_with_an_impatient_reader,
	  large_ones_are_not_starved, evict_by_hand, candidates_of_yesterday, dead_ones_first)
