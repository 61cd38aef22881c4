/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A wrong byte is never served: the digest on record is the judge. */
#include <errno.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

static struct rig rig;
static uint64_t node;

static int flip(struct hook *hook, struct thaw_key key, uint64_t off, void *data, size_t len)
{
	(void)hook;
	if (key_is(key, "f") && off <= 70000 && 70000 < off + len)
		((char *)data)[70000 - off] ^= 1;
	return 0;
}

/* Staged once, so that a digest is on record; evicted; from now on one bit is wrong. */
static void begin(uint64_t stream_min)
{
	struct thaw_evict_result sum;

	rig_init(&rig, false);
	rig.conf.stream_min = stream_min;
	rig_put(&rig, "f", 200000, 6);
	rig_put(&rig, "g", 200000, 7);
	rig_start(&rig);
	node = rig_node(&rig, "f");
	ck_assert_int_eq(open_compare(rig.stage, node, 0, 200000, 6), 0);
	rig_await_idle(&rig);
	ck_assert_int_eq(thaw_stage_evict(rig.stage, node, false, &sum), 0);
	ck_assert_uint_eq(sum.evicted_files, 1);
	rig.hook->on_piece = flip;
}

START_TEST(mismatch_is_put_aside)
{
	uint64_t before, gets;
	struct thaw_obj *obj;

	begin(1024 * MIB);
	before = rig_space(&rig).overhead;
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), -EIO);
	rig_await_idle(&rig);
	ck_assert_int_eq(rig_state(&rig, "f"), THAW_STATE_FAILED);
	ck_assert_uint_eq(rig_count(&rig, "quarantine"), 1);
	ck_assert_uint_ge(rig_space(&rig).overhead, before + 200000);
	ck_assert_uint_eq(rig_space(&rig).reserved, 0);
	ck_assert(rig_object(&rig, "f").verify_failed);
	ck_assert_int_eq(rig_object(&rig, "f").error, -EBADMSG);

	/* Readers do not make the archive send it again and again. */
	gets = thaw_archive_mem_gets_of(rig.mem, thaw_key_of("f"));
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), -EIO);
	ck_assert_int_eq(open_wait(rig.stage, node, THAW_OPEN_NONBLOCK, &obj), -EIO);
	ck_assert_uint_eq(thaw_archive_mem_gets_of(rig.mem, thaw_key_of("f")), gets);
	rig_restart(&rig);
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), -EIO);
	ck_assert_uint_eq(thaw_archive_mem_gets_of(rig.mem, thaw_key_of("f")), gets);
	rig_end(&rig);
}
END_TEST

/* An explicit request may try, and when the bytes are right again all is well. */
START_TEST(a_request_tries_again)
{
	struct thaw_obj *obj;

	begin(1024 * MIB);
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), -EIO);
	ck_assert_int_eq(bulk_wait(rig.stage, node, &obj), -EIO);
	rig_await_idle(&rig);
	ck_assert_uint_eq(rig_count(&rig, "quarantine"), 2);
	/* Another failure in between does not make it trusted. */
	ck_assert_int_eq(thaw_archive_mem_fail(rig.mem, thaw_key_of("f"), -EIO, 100), 0);
	ck_assert_int_eq(bulk_wait(rig.stage, node, &obj), -EIO);
	ck_assert(rig_object(&rig, "f").verify_failed);
	ck_assert_int_eq(thaw_archive_mem_fail(rig.mem, thaw_key_of("f"), -EIO, 0), 0);
	rig.hook->on_piece = NULL;
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), -EIO);
	ck_assert_int_eq(bulk_wait(rig.stage, node, &obj), 0);
	ck_assert_int_eq(compare_range(rig.stage, obj, 6, 0, 200000), 0);
	thaw_stage_close(rig.stage, obj);
	ck_assert(!rig_object(&rig, "f").verify_failed);
	ck_assert_int_eq(open_compare(rig.stage, node, 0, 200000, 6), 0);
	ck_assert_int_eq(rig_state(&rig, "f"), THAW_STATE_ONLINE);
	rig_end(&rig);
}
END_TEST

/* Also while somebody still holds on to the object that failed. */
START_TEST(not_again_for_the_next_reader)
{
	struct thaw_obj *failed, *obj;
	struct waiter w;
	uint64_t gets;

	begin(1024 * MIB);
	thaw_archive_mem_hold(rig.mem, 10);
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_open(rig.stage, node, 0, &w.wait, &obj), -EINPROGRESS);
	thaw_mutex_lock(&rig.stage->lock);
	failed = stage_obj_find(rig.stage, node);
	thaw_mutex_unlock(&rig.stage->lock);
	ck_assert_ptr_nonnull(failed);
	thaw_archive_mem_release(rig.mem);
	ck_assert_int_eq(waiter_status(&w), -EIO);
	gets = thaw_archive_mem_gets_of(rig.mem, thaw_key_of("f"));
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), -EIO);
	ck_assert_uint_eq(thaw_archive_mem_gets_of(rig.mem, thaw_key_of("f")), gets);
	thaw_obj_put(rig.stage, failed);
	waiter_release(&w);
	rig_end(&rig);
}
END_TEST

/* A stream is checked at its end: nobody gets all of it, and who has it open no more. */
START_TEST(mismatch_of_a_stream)
{
	struct thaw_obj *obj;
	struct waiter w;

	begin(100000);
	thaw_archive_mem_hold(rig.mem, 1000);
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), 0);
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_read(rig.stage, obj, 199999, 1, &w.wait), -EINPROGRESS);
	thaw_archive_mem_release(rig.mem);
	ck_assert_int_eq(waiter_status(&w), -EIO); /* the last byte waits for the judgement */
	rig_await(rig_status(&rig).flights == 0);
	ck_assert_int_eq(read_wait(rig.stage, obj, 0, 10), -EIO);
	ck_assert(!thaw_obj_is_whole(obj));
	thaw_stage_close(rig.stage, obj);
	waiter_release(&w);
	ck_assert_int_eq(rig_state(&rig, "f"), THAW_STATE_FAILED);
	rig_end(&rig);
}
END_TEST

/* Others are not harmed, and quarantine has a limit of its own. */
START_TEST(quarantine_does_not_fill_the_cache)
{
	struct thaw_obj *obj;

	begin(1024 * MIB);
	rig_stop(&rig);
	rig.conf.cache_size = 4 * MIB;
	rig_start(&rig);
	for (int i = 0; i < 30; i++)
		ck_assert_int_eq(bulk_wait(rig.stage, node, &obj), -EIO);
	ck_assert_uint_le(rig_used(&rig), rig.conf.cache_size);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "g"), 0, 200000, 7), 0);
	rig_end(&rig);
}
END_TEST

RUN_TESTS("stage/digest", mismatch_is_put_aside, a_request_tries_again,
	  not_again_for_the_next_reader, mismatch_of_a_stream, quarantine_does_not_fill_the_cache)
