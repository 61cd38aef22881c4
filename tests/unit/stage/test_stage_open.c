/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening: what comes back, cold and warm, and by every rule that can refuse it. */
#include <errno.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

static struct rig rig;

START_TEST(cold_then_warm)
{
	struct thaw_status s;
	uint64_t node;

	rig_init(&rig, false);
	rig_put(&rig, "a/b", 200000, 7);
	rig_start(&rig);
	node = rig_node(&rig, "a/b");
	ck_assert_int_eq(rig_state(&rig, "a/b"), THAW_STATE_OFFLINE);
	ck_assert_int_eq(open_compare(rig.stage, node, 0, 200000, 7), 0);
	ck_assert_int_eq(rig_state(&rig, "a/b"), THAW_STATE_ONLINE);
	ck_assert_int_eq(open_compare(rig.stage, node, 0, 200000, 7), 0);
	s = rig_status(&rig);
	ck_assert_uint_eq(s.misses, 1);
	ck_assert_uint_eq(s.hits, 1);
	ck_assert_uint_eq(s.staged_files, 1);
	ck_assert_uint_eq(s.staged_bytes, 200000);
	ck_assert_uint_eq(s.failures, 0);
	ck_assert_uint_eq(thaw_archive_mem_gets_of(rig.mem, thaw_key_of("a/b")), 4);
	rig_restart(&rig);
	ck_assert_int_eq(open_compare(rig.stage, node, 0, 200000, 7), 0);
	ck_assert_uint_eq(thaw_archive_mem_gets_of(rig.mem, thaw_key_of("a/b")), 4);
	rig_end(&rig);
}
END_TEST

START_TEST(sizes_at_the_edges)
{
	static const uint64_t sizes[] = {0, 1, 65535, 65536, 65537, 131072, 131073};
	char key[32];

	rig_init(&rig, false);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		(void)snprintf(key, sizeof(key), "f%zu", i);
		rig_put(&rig, key, sizes[i], i);
	}
	rig_start(&rig);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		(void)snprintf(key, sizeof(key), "f%zu", i);
		ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, key), 0, sizes[i], i), 0);
	}
	rig_end(&rig);
}
END_TEST

/* A kept reference opens again without a look-up, until the file leaves. */
START_TEST(try_use)
{
	struct thaw_evict_result sum;
	struct thaw_obj *obj, *kept;
	uint64_t node;

	rig_init(&rig, false);
	rig_put(&rig, "f", 1000, 1);
	rig_start(&rig);
	node = rig_node(&rig, "f");
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), 0);
	kept = thaw_obj_get(obj);
	ck_assert(thaw_obj_is_whole(obj));
	ck_assert_uint_eq(thaw_obj_node(obj), node);
	ck_assert(thaw_obj_try_use(kept));
	thaw_stage_close(rig.stage, kept);
	ck_assert_int_eq(thaw_stage_evict(rig.stage, node, false, &sum), 0);
	ck_assert_uint_eq(sum.busy_files, 1);
	thaw_stage_close(rig.stage, obj);
	ck_assert(thaw_obj_try_use(kept));
	thaw_stage_close(rig.stage, kept);
	ck_assert_int_eq(thaw_stage_evict(rig.stage, node, false, &sum), 0);
	ck_assert_uint_eq(sum.evicted_files, 1);
	ck_assert(!thaw_obj_try_use(kept));
	thaw_obj_put(rig.stage, kept);
	rig_end(&rig);
}
END_TEST

START_TEST(not_a_file)
{
	struct thaw_obj *obj;

	rig_init(&rig, false);
	rig_put(&rig, "d/f", 10, 1);
	ck_assert_int_eq(thaw_archive_mem_put_symlink(rig.mem, thaw_key_of("l"), "d/f"), 0);
	rig_start(&rig);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "d"), 0, &obj), -EISDIR);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "l"), 0, &obj), -EINVAL);
	ck_assert_int_eq(open_wait(rig.stage, 123456, 0, &obj), -ESTALE);
	rig_end(&rig);
}
END_TEST

START_TEST(nonblock_starts_it)
{
	struct thaw_obj *obj;
	uint64_t node;

	rig_init(&rig, false);
	rig_put(&rig, "f", 300000, 3);
	rig_start(&rig);
	node = rig_node(&rig, "f");
	ck_assert_int_eq(open_wait(rig.stage, node, THAW_OPEN_NONBLOCK, &obj), -EAGAIN);
	rig_await(rig_state(&rig, "f") == THAW_STATE_ONLINE);
	ck_assert_int_eq(open_compare(rig.stage, node, THAW_OPEN_NONBLOCK, 300000, 3), 0);
	rig_end(&rig);
}
END_TEST

static void check_mode(enum thaw_offline mode, int expected, bool starts)
{
	struct thaw_obj *obj;
	uint64_t node;

	rig_init(&rig, false);
	rig.collection.on_offline = mode;
	rig_put(&rig, "f", 300000, 3);
	rig_start(&rig);
	node = rig_node(&rig, "f");
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), expected);
	if (starts)
		rig_await(rig_state(&rig, "f") == THAW_STATE_ONLINE);
	rig_await_idle(&rig);
	ck_assert_int_eq(rig_state(&rig, "f"), starts ? THAW_STATE_ONLINE : THAW_STATE_OFFLINE);
	/* An explicit request is not bound by it, and what is there is open to all. */
	ck_assert_int_eq(bulk_wait(rig.stage, node, &obj), 0);
	thaw_stage_close(rig.stage, obj);
	ck_assert_int_eq(open_compare(rig.stage, node, 0, 300000, 3), 0);
	rig_end(&rig);
}

START_TEST(on_offline)
{
	check_mode(THAW_OFFLINE_EAGAIN, -EAGAIN, false);
	check_mode(THAW_OFFLINE_QUEUE, -EAGAIN, true);
	check_mode(THAW_OFFLINE_EACCES, -EACCES, false);
}
END_TEST

/* While a request brings it, a reader is told the same. */
START_TEST(on_offline_while_it_comes)
{
	struct thaw_obj *obj;
	struct waiter w;
	uint64_t node;

	rig_init(&rig, false);
	rig.collection.on_offline = THAW_OFFLINE_EACCES;
	rig_put(&rig, "f", 300000, 3);
	rig_start(&rig);
	node = rig_node(&rig, "f");
	thaw_archive_mem_hold(rig.mem, 100);
	waiter_init(&w);
	ck_assert_int_eq(stage_open_bulk(rig.stage, node, &w.wait, &obj), -EINPROGRESS);
	ck_assert(thaw_archive_mem_wait_held(rig.mem, 1));
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), -EACCES);
	thaw_archive_mem_release(rig.mem);
	ck_assert_int_eq(waiter_status(&w), 0);
	thaw_stage_close(rig.stage, w.wait.obj);
	waiter_release(&w);
	rig_end(&rig);
}
END_TEST

/* Many first opens at once: all but one find it LOADING. */
#define RACERS 8
#define ROUNDS 40

struct racer {
	pthread_t thread;
	uint64_t node;
	unsigned flags;
	bool bulk;
	int r;
};

static pthread_barrier_t start_line;

static void *race(void *arg)
{
	struct racer *racer = arg;
	struct thaw_obj *obj;

	pthread_barrier_wait(&start_line);
	racer->r = racer->bulk ? bulk_wait(rig.stage, racer->node, &obj)
			       : open_wait(rig.stage, racer->node, racer->flags, &obj);
	if (racer->r == 0)
		thaw_stage_close(rig.stage, obj);
	return NULL;
}

static void run_race(struct racer *racers)
{
	for (int i = 0; i < RACERS; i++)
		ck_assert_int_eq(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	for (int i = 0; i < RACERS; i++)
		pthread_join(racers[i].thread, NULL);
}

/* What is resident opens at once, also with O_NONBLOCK or where offline files may not be
 * opened, however many ask at the same time. */
START_TEST(resident_to_a_crowd)
{
	struct racer racers[RACERS];

	rig_init(&rig, false);
	rig.conf.on_offline = THAW_OFFLINE_EACCES; /* not the collection's */
	rig_put(&rig, "f", 5000, 3);
	rig_start(&rig);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "f"), 0, 5000, 3), 0);
	pthread_barrier_init(&start_line, NULL, RACERS);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < RACERS; i++)
			racers[i] = (struct racer){
				.node = rig_node(&rig, "f"),
				.flags = i % 2 ? THAW_OPEN_NONBLOCK : 0,
			};
		run_race(racers);
		for (int i = 0; i < RACERS; i++)
			ck_assert_int_eq(racers[i].r, 0);
	}
	pthread_barrier_destroy(&start_line);
	rig_end(&rig);
}
END_TEST

/* Each by its own rule: the request is not refused because a reader was first. */
START_TEST(offline_to_a_crowd)
{
	struct racer racers[RACERS];
	struct thaw_evict_result sum;

	rig_init(&rig, false);
	rig.collection.on_offline = THAW_OFFLINE_EACCES;
	rig_put(&rig, "f", 5000, 3);
	rig_start(&rig);
	pthread_barrier_init(&start_line, NULL, RACERS);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < RACERS; i++)
			racers[i] = (struct racer){
				.node = rig_node(&rig, "f"),
				.bulk = i % 4 == 1,
				.flags = i % 4 == 2 ? THAW_OPEN_NONBLOCK : 0,
			};
		run_race(racers);
		for (int i = 0; i < RACERS; i++) {
			if (racers[i].bulk)
				ck_assert_int_eq(racers[i].r, 0);
			else if (racers[i].r < 0) /* 0: the request was faster */
				ck_assert_int_eq(racers[i].r, -EACCES);
		}
		rig_await_idle(&rig);
		ck_assert_int_eq(thaw_stage_evict(rig.stage, racers[0].node, false, &sum), 0);
	}
	pthread_barrier_destroy(&start_line);
	rig_end(&rig);
}
END_TEST

/* A staged file that somebody deleted from the cache by hand comes again. */
START_TEST(file_missing_in_the_cache)
{
	char path[400];
	struct thaw_object o;
	uint64_t node;

	rig_init(&rig, false);
	rig_put(&rig, "f", 5000, 3);
	rig_start(&rig);
	node = rig_node(&rig, "f");
	ck_assert_int_eq(open_compare(rig.stage, node, 0, 5000, 3), 0);
	o = rig_object(&rig, "f");
	(void)snprintf(path, sizeof(path), "%s/objects/%02x/%jx", rig.cache,
		       (unsigned)(o.id >> 8 & 255), (uintmax_t)o.id);
	rig_await(!rig_objects(&rig));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(open_compare(rig.stage, node, 0, 5000, 3), 0);
	rig_end(&rig);
}
END_TEST

RUN_TESTS("stage/open", cold_then_warm, sizes_at_the_edges, try_use, not_a_file, nonblock_starts_it,
	  on_offline, on_offline_while_it_comes, resident_to_a_crowd, offline_to_a_crowd,
	  file_missing_in_the_cache)
