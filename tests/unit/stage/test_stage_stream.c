/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Large files are read while they arrive. */
#include <errno.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

#define SIZE (20 * 64 * KIB + 777)

static struct rig rig;
static uint64_t node;

/* Hooks: calls for chunks are held here, and noted in the order they came. */
static struct gate gate;
static _Atomic uint64_t order[64];
static atomic_uint order_count;

static int note_and_hold(struct hook *hook, struct thaw_key key, uint64_t off, uint64_t len,
			 const struct thaw_call *call)
{
	unsigned i = atomic_fetch_add(&order_count, 1);

	(void)hook;
	(void)key;
	(void)len;
	if (i < 64)
		atomic_store(&order[i], off / (64 * KIB));
	return gate_pass(&gate, call);
}

static void begin(unsigned workers)
{
	rig_init(&rig, false);
	rig.conf.stream_min = 20 * 64 * KIB;
	rig.conf.workers = workers;
	rig_put(&rig, "big", SIZE, 8);
	rig_put(&rig, "small", 20 * 64 * KIB - 1, 9);
	atomic_store(&order_count, 0);
	gate_init(&gate, true);
	rig.hook->on_get = note_and_hold;
	rig_start(&rig);
	node = rig_node(&rig, "big");
}

static void end(void)
{
	rig.hook->on_get = NULL;
	rig_end(&rig);
	gate_release(&gate);
}

START_TEST(opens_at_once)
{
	struct waiter whole;
	struct thaw_obj *obj, *none;

	begin(1);
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), 0);
	ck_assert(!thaw_obj_is_whole(obj));
	ck_assert_int_ge(thaw_obj_fd(obj), 0);
	ck_assert_uint_eq(thaw_obj_size(obj), SIZE);
	waiter_init(&whole); /* somebody who wants no stream waits */
	ck_assert_int_eq(thaw_stage_open(rig.stage, node, THAW_OPEN_WHOLE, &whole.wait, &none),
			 -EINPROGRESS);
	ck_assert(gate_wait_held(&gate, 1));
	ck_assert_int_eq(waiter_calls(&whole), 0);
	/* A second reader streams too, also one that would not wait. */
	ck_assert_int_eq(open_wait(rig.stage, node, THAW_OPEN_NONBLOCK, &none), 0);
	thaw_stage_close(rig.stage, none);
	gate_open(&gate);
	ck_assert_int_eq(compare_range(rig.stage, obj, 8, 0, SIZE), 0);
	ck_assert_int_eq(waiter_status(&whole), 0);
	ck_assert(thaw_obj_is_whole(obj));
	thaw_stage_close(rig.stage, whole.wait.obj);
	thaw_stage_close(rig.stage, obj);
	waiter_release(&whole);
	ck_assert_uint_eq(rig_status(&rig).streams, 2);
	end();
}
END_TEST

START_TEST(small_ones_do_not)
{
	struct waiter w;
	struct thaw_obj *obj;

	begin(1);
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_open(rig.stage, rig_node(&rig, "small"), 0, &w.wait, &obj),
			 -EINPROGRESS);
	ck_assert(gate_wait_held(&gate, 1));
	ck_assert_int_eq(waiter_calls(&w), 0);
	gate_open(&gate);
	ck_assert_int_eq(waiter_status(&w), 0);
	ck_assert(thaw_obj_is_whole(w.wait.obj));
	thaw_stage_close(rig.stage, w.wait.obj);
	waiter_release(&w);
	end();
}
END_TEST

/* One worker, chunk 0 in its hands: what a reader wants comes next, and what
 * follows it after that. */
START_TEST(wanted_ranges_first)
{
	struct waiter a;
	struct thaw_obj *obj;

	begin(1);
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), 0);
	ck_assert(gate_wait_held(&gate, 1));
	waiter_init(&a);
	ck_assert_int_eq(thaw_stage_read(rig.stage, obj, 12 * 64 * KIB + 5, 100, &a.wait),
			 -EINPROGRESS);
	gate_open(&gate);
	ck_assert_int_eq(waiter_status(&a), 0);
	ck_assert_uint_eq(atomic_load(&order[1]), 12);
	ck_assert_int_eq(compare_range(rig.stage, obj, 8, 12 * 64 * KIB + 5, 100), 0);
	rig_await(thaw_obj_is_whole(obj));
	ck_assert_uint_eq(atomic_load(&order[2]), 13);
	ck_assert_int_eq(compare_range(rig.stage, obj, 8, 0, SIZE), 0);
	thaw_stage_close(rig.stage, obj);
	waiter_release(&a);
	end();
}
END_TEST

/* The first of two chunks is there: it is the second that is asked for. */
START_TEST(range_over_two_chunks)
{
	struct waiter first, second;
	struct thaw_obj *obj;

	begin(1);
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), 0);
	ck_assert(gate_wait_held(&gate, 1));
	waiter_init(&first);
	waiter_init(&second);
	ck_assert_int_eq(thaw_stage_read(rig.stage, obj, 9 * 64 * KIB, 10, &first.wait),
			 -EINPROGRESS);
	gate_let(&gate, 2); /* chunk 0, then 9; the worker comes back with 10 */
	ck_assert_int_eq(waiter_status(&first), 0);
	rig_await(atomic_load(&order_count) == 3);
	ck_assert_int_eq(thaw_stage_read(rig.stage, obj, 64 * KIB - 5, 10, &second.wait),
			 -EINPROGRESS);
	gate_open(&gate);
	ck_assert_int_eq(waiter_status(&second), 0);
	ck_assert_uint_eq(atomic_load(&order[1]), 9);
	ck_assert_uint_eq(atomic_load(&order[2]), 10);
	ck_assert_uint_eq(atomic_load(&order[3]), 1);
	thaw_stage_close(rig.stage, obj);
	waiter_release(&first);
	waiter_release(&second);
	end();
}
END_TEST

struct reader {
	pthread_t thread;
	unsigned seed;
	int r;
};

static void *read_at_random(void *arg)
{
	struct reader *reader = arg;
	struct thaw_obj *obj;

	reader->r = open_wait(rig.stage, node, 0, &obj);
	if (reader->r < 0)
		return NULL;
	for (int i = 0; i < 40 && reader->r == 0; i++) {
		uint64_t off = (uint64_t)rand_r(&reader->seed) % SIZE;
		uint64_t len = (uint64_t)rand_r(&reader->seed) % 200000;

		if (len > SIZE - off)
			len = SIZE - off;
		reader->r = compare_range(rig.stage, obj, 8, off, len);
	}
	if (reader->r == 0)
		reader->r = compare_range(rig.stage, obj, 8, 0, SIZE);
	thaw_stage_close(rig.stage, obj);
	return NULL;
}

/* Each read sees the right bytes, while the file comes and when it is whole. */
START_TEST(many_read_while_it_comes)
{
	struct reader readers[12];

	begin(4);
	gate_open(&gate);
	thaw_archive_mem_piece(rig.mem, 3000);
	for (unsigned round = 0; round < 5; round++) {
		struct thaw_evict_result sum;

		for (unsigned i = 0; i < 12; i++) {
			readers[i] = (struct reader){.seed = round * 100 + i};
			ck_assert_int_eq(pthread_create(&readers[i].thread, NULL, read_at_random,
							&readers[i]),
					 0);
		}
		for (unsigned i = 0; i < 12; i++) {
			pthread_join(readers[i].thread, NULL);
			ck_assert_int_eq(readers[i].r, 0);
		}
		rig_await_idle(&rig);
		ck_assert_int_eq(thaw_stage_evict(rig.stage, node, false, &sum), 0);
		ck_assert_uint_eq(sum.evicted_files, 1);
	}
	end();
}
END_TEST

static int break_chunk_nine(struct hook *hook, struct thaw_key key, uint64_t off, uint64_t len,
			    const struct thaw_call *call)
{
	(void)hook;
	(void)key;
	(void)len;
	(void)call;
	return off >= 9 * 64 * KIB && off < 10 * 64 * KIB ? -EIO : 0;
}

/* An error in the middle: readers get EIO; the next open begins anew. */
START_TEST(error_in_the_middle)
{
	struct thaw_obj *obj, *later;
	struct waiter w;

	begin(2);
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), 0);
	ck_assert(gate_wait_held(&gate, 2));
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_read(rig.stage, obj, 15 * 64 * KIB, 10, &w.wait), -EINPROGRESS);
	rig.hook->on_get = break_chunk_nine;
	gate_open(&gate);
	rig_await(rig_status(&rig).flights == 0);
	/* It may have come before the break, or was told of it. */
	ck_assert(waiter_status(&w) == 0 || waiter_status(&w) == -EIO);
	ck_assert_int_eq(read_wait(rig.stage, obj, 9 * 64 * KIB, 10), -EIO);
	ck_assert(!thaw_obj_is_whole(obj));
	ck_assert_int_eq(rig_state(&rig, "big"), THAW_STATE_FAILED);
	rig.hook->on_get = NULL;
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &later), 0);
	ck_assert_ptr_ne(later, obj);
	ck_assert_int_eq(compare_range(rig.stage, later, 8, 0, SIZE), 0);
	ck_assert_int_eq(read_wait(rig.stage, obj, 9 * 64 * KIB, 10), -EIO); /* still */
	thaw_stage_close(rig.stage, later);
	thaw_stage_close(rig.stage, obj);
	rig_await(rig_state(&rig, "big") == THAW_STATE_ONLINE);
	waiter_release(&w);
	end();
}
END_TEST

RUN_TESTS("stage/stream", opens_at_once, small_ones_do_not, wanted_ranges_first,
	  range_over_two_chunks, many_read_while_it_comes, error_in_the_middle)
