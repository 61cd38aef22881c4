/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bulk requests: every one ends, and at any moment says how far it is. */
#include <errno.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

static struct rig rig;

static void ask(const char *path, char id[THAW_REQUEST_ID_TEXT])
{
	uint64_t node = rig_node(&rig, path);
	struct thaw_err err = {""};

	ck_assert_msg(thaw_stage_request(rig.stage, 5, &node, 1, id, &err) == 0, "%s", err.text);
}

static struct thaw_request look(const char *id)
{
	struct thaw_request r;

	ck_assert_int_eq(thaw_stage_request_get(rig.stage, id, &r), 0);
	return r;
}

static struct thaw_request finish(const char *id)
{
	rig_await(look(id).finished);
	return look(id);
}

START_TEST(a_tree)
{
	char id[THAW_REQUEST_ID_TEXT];
	struct thaw_request r;

	rig_init(&rig, false);
	rig_put_many(&rig, "d/e", 150, 1000); /* more than a window */
	rig_put(&rig, "d/big", 300000, 1);
	rig_start(&rig);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/e/f003"), 0, 1000, 1003), 0);
	ask("d", id);
	r = finish(id);
	ck_assert(r.expanded && !r.cancelled);
	ck_assert_uint_eq(r.owner, 5);
	ck_assert_uint_eq(r.files[THAW_FILE_COMPLETED], 151);
	ck_assert_uint_eq(r.bytes, 450000);
	ck_assert_uint_eq(r.done_bytes, 450000);
	ck_assert_int_eq(rig_state(&rig, "d"), THAW_STATE_ONLINE);
	ck_assert_uint_eq(rig_status(&rig).requests_open, 0);
	ask("d", id); /* all there: over at once */
	ck_assert_uint_eq(finish(id).files[THAW_FILE_COMPLETED], 151);
	rig_end(&rig);
}
END_TEST

static struct gate gate;
static atomic_uint calls, urgent_call, joined_call;

static int hold_all(struct hook *hook, struct thaw_key key, uint64_t off, uint64_t len,
		    const struct thaw_call *call)
{
	unsigned n = atomic_fetch_add(&calls, 1) + 1;

	(void)hook;
	(void)off;
	(void)len;
	if (key_is(key, "urgent"))
		atomic_store(&urgent_call, n);
	if (key_is(key, "d/f050"))
		atomic_store(&joined_call, n);
	return gate_pass(&gate, call);
}

/* Not more than a window is under way, and readers come first. */
START_TEST(readers_first)
{
	char id[THAW_REQUEST_ID_TEXT];
	struct thaw_obj *obj;
	struct waiter w, joined;

	rig_init(&rig, false);
	rig.conf.workers = 1;
	rig_put_many(&rig, "d", 500, 1000);
	rig_put(&rig, "urgent", 1000, 1);
	gate_init(&gate, true);
	rig.hook->on_get = hold_all;
	rig_start(&rig);
	ask("d", id);
	ck_assert(gate_wait_held(&gate, 1));
	rig_await(look(id).files[THAW_FILE_STARTED] >= 64);
	rig_pause();
	ck_assert_uint_le(rig_status(&rig).flights, 256);
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_open(rig.stage, rig_node(&rig, "urgent"), 0, &w.wait, &obj),
			 -EINPROGRESS);
	/* And one that the request has in line already: it moves up. */
	waiter_init(&joined);
	ck_assert_int_eq(
		thaw_stage_open(rig.stage, rig_node(&rig, "d/f050"), 0, &joined.wait, &obj),
		-EINPROGRESS);
	gate_open(&gate);
	ck_assert_int_eq(waiter_status(&w), 0);
	ck_assert_int_eq(waiter_status(&joined), 0);
	ck_assert_uint_eq(atomic_load(&urgent_call) + atomic_load(&joined_call), 2 + 3);
	thaw_stage_close(rig.stage, joined.wait.obj);
	waiter_release(&joined);
	thaw_stage_close(rig.stage, w.wait.obj);
	waiter_release(&w);
	ck_assert_uint_eq(finish(id).files[THAW_FILE_COMPLETED], 500);
	rig_end(&rig);
	gate_release(&gate);
}
END_TEST

START_TEST(cancelled)
{
	char id[THAW_REQUEST_ID_TEXT], text[THAW_REQUEST_ID_TEXT];
	struct thaw_request r;

	rig_init(&rig, false);
	rig_put_many(&rig, "d", 100, 1000);
	rig_start(&rig);
	thaw_archive_mem_hold(rig.mem, 10);
	ask("d", id);
	ck_assert(thaw_archive_mem_wait_held(rig.mem, 4));
	ck_assert_int_eq(
		thaw_catalog_request_of(rig.stage->catalog, rig_node(&rig, "d/f050"), text), 0);
	ck_assert_str_eq(text, id);
	ck_assert_int_eq(thaw_stage_request_cancel(rig.stage, id), 0);
	r = look(id);
	ck_assert(r.cancelled && r.finished);
	ck_assert_uint_eq(r.files[THAW_FILE_CANCELLED], 100);
	rig_await(rig_status(&rig).waiters == 0);
	thaw_archive_mem_release(rig.mem);
	rig_await_idle(&rig);
	ck_assert_uint_eq(look(id).files[THAW_FILE_CANCELLED], 100); /* terminal */
	ck_assert_int_eq(thaw_stage_request_cancel(rig.stage, id), 0);
	ck_assert_int_eq(thaw_stage_request_cancel(rig.stage, "no such thing"), -ENOENT);
	rig_end(&rig);
}
END_TEST

/* Stopped in the middle, the next start goes on; what was there is not asked for again. */
START_TEST(restart_in_the_middle)
{
	char ids[3][THAW_REQUEST_ID_TEXT];
	struct thaw_mem_counts counts;
	uint64_t staged;

	rig_init(&rig, false);
	rig_put_many(&rig, "d", 120, 1000);
	rig_put_many(&rig, "e", 120, 1000);
	gate_init(&gate, true);
	gate_let(&gate, 60);
	rig.hook->on_get = hold_all;
	rig_start(&rig);
	ask("d", ids[0]);
	ask("e", ids[1]);
	rig_await(atomic_load(&rig.hook->gets) == 60);
	ck_assert(gate_wait_held(&gate, 4));
	rig_stop(&rig);
	gate_open(&gate);
	rig_start(&rig);
	ask("d", ids[2]);
	for (int i = 0; i < 3; i++) {
		struct thaw_request r = finish(ids[i]);

		ck_assert_uint_eq(r.files[THAW_FILE_COMPLETED], 120);
		ck_assert_uint_eq(r.done_bytes, 120000);
	}
	staged = rig_status(&rig).resident_files;
	ck_assert_uint_eq(staged, 240);
	thaw_archive_mem_counts(rig.mem, &counts);
	ck_assert_uint_eq(counts.gets, 240); /* what was held had not begun */
	rig_end(&rig);
	gate_release(&gate);
}
END_TEST

/* A file that changes after it was asked for: what its name leads to now is staged. */
START_TEST(follows_the_successor)
{
	char id[THAW_REQUEST_ID_TEXT];
	struct thaw_request r;

	rig_init(&rig, false);
	rig_put(&rig, "d/f", 200000, 1);
	rig_put(&rig, "d/g", 1000, 2);
	rig_start(&rig);
	thaw_archive_mem_hold(rig.mem, 1000);
	ask("d", id);
	ck_assert(thaw_archive_mem_wait_held(rig.mem, 1));
	rig_put(&rig, "d/f", 3000, 3);
	thaw_archive_mem_release(rig.mem);
	r = finish(id);
	ck_assert_uint_eq(r.files[THAW_FILE_COMPLETED], 2);
	ck_assert_int_eq(
		open_compare(rig.stage, rig_node(&rig, "d/f"), THAW_OPEN_NONBLOCK, 3000, 3), 0);
	rig_end(&rig);
}
END_TEST

static int count_errors(void *ctx, const struct thaw_request_file *f)
{
	int *errors = ctx;

	if (f->state == THAW_FILE_FAILED) {
		ck_assert_int_lt(f->error, 0);
		(*errors)++;
	}
	return 0;
}

START_TEST(failures_are_told)
{
	char id[THAW_REQUEST_ID_TEXT];
	struct thaw_request r;
	int errors = 0;

	rig_init(&rig, false);
	rig.conf.cache_size = 4 * MIB;
	rig_put_many(&rig, "d", 10, 1000);
	rig_put(&rig, "d/huge", 10 * MIB, 1);
	rig_start(&rig);
	ck_assert_int_eq(thaw_archive_mem_fail(rig.mem, thaw_key_of("d/f002"), -EIO, 100), 0);
	rig_remove(&rig, "d/f003");
	ask("d", id);
	r = finish(id);
	ck_assert_uint_eq(r.files[THAW_FILE_COMPLETED], 8);
	ck_assert_uint_eq(r.files[THAW_FILE_FAILED], 3);
	ck_assert_int_eq(thaw_stage_request_files(rig.stage, id, 0, 1000, count_errors, &errors),
			 0);
	ck_assert_int_eq(errors, 3);
	rig_end(&rig);
}
END_TEST

/* Many at once, and more than are looked at together. */
START_TEST(a_hundred_requests)
{
	char ids[100][THAW_REQUEST_ID_TEXT];
	char path[16];

	rig_init(&rig, false);
	rig_put_many(&rig, "d", 50, 100);
	rig_start(&rig);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(path, sizeof(path), "d/f%03d", i % 50);
		ask(path, ids[i]);
	}
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(finish(ids[i]).files[THAW_FILE_COMPLETED], 1);
	rig_end(&rig);
}
END_TEST

/* Of an empty directory, or a node that nobody has: over, with nothing. */
START_TEST(of_nothing)
{
	char id[THAW_REQUEST_ID_TEXT];
	uint64_t none = 987654;

	rig_init(&rig, false);
	ck_assert_int_eq(thaw_archive_mem_put_dir(rig.mem, thaw_key_of("empty")), 0);
	rig_put(&rig, "f", 1, 1);
	rig_start(&rig);
	ask("empty", id);
	ck_assert_uint_eq(finish(id).bytes, 0);
	ck_assert_int_eq(thaw_stage_request(rig.stage, 0, &none, 1, id, NULL), 0);
	ck_assert_uint_eq(finish(id).bytes, 0);
	ck_assert_int_eq(thaw_stage_request_get(rig.stage, "none", &(struct thaw_request){0}),
			 -ENOENT);
	rig_end(&rig);
}
END_TEST

RUN_TESTS("stage/requests", a_tree, readers_first, cancelled, restart_in_the_middle,
	  follows_the_successor, failures_are_told, a_hundred_requests, of_nothing)
