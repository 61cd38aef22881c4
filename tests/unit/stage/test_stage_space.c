/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cache of a third of the data, and sixteen who read at random: every byte is right and
 * the cache is never larger than its size. */
#include <errno.h>
#include <sys/mman.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

#define FILES   96
#define READERS 16
#define OPENS   60

static struct rig rig;
static uint64_t nodes[FILES];

static uint64_t size_of(unsigned i)
{
	return 20 * KIB + (uint64_t)(i * 7919 % 97) * 4001;
}

struct reader {
	pthread_t thread;
	unsigned seed;
	int r;
	unsigned at;
};

static void *read_at_random(void *arg)
{
	struct reader *reader = arg;

	for (unsigned k = 0; k < OPENS && reader->r == 0; k++) {
		reader->at = (unsigned)rand_r(&reader->seed) % FILES;
		reader->r = open_compare(rig.stage, nodes[reader->at], k % 3 ? 0 : THAW_OPEN_WHOLE,
					 size_of(reader->at), reader->at);
	}
	return NULL;
}

static void prepare(enum thaw_evict_policy policy, uint64_t stream_min)
{
	char key[32];
	uint64_t sum = 0;

	rig_init(&rig, false);
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(key, sizeof(key), "d%u/f%u", i % 7, i);
		rig_put(&rig, key, size_of(i), i);
		sum += size_of(i);
	}
	/* On top of what the store's own directories take. */
	rig.conf.cache_size = sum / 3 + 512 * KIB;
	rig.conf.policy = policy;
	rig.conf.stream_min = stream_min;
	rig.conf.space_wait = 60;
	rig_start(&rig);
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(key, sizeof(key), "d%u/f%u", i % 7, i);
		nodes[i] = rig_node(&rig, key);
	}
}

static void thrash(void)
{
	struct reader readers[READERS];
	struct watch watch;

	watch_begin(&watch, &rig);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.seed = i * 77 + 1};
		ck_assert_int_eq(
			pthread_create(&readers[i].thread, NULL, read_at_random, &readers[i]), 0);
	}
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		ck_assert_msg(readers[i].r == 0, "file %u: %s", readers[i].at,
			      strerror(-readers[i].r));
	}
	watch_end(&watch);
	ck_assert_uint_gt(rig_status(&rig).evicted_files, FILES);
}

START_TEST(lru)
{
	prepare(THAW_EVICT_LRU, 1024 * MIB);
	thrash();
	rig_end(&rig);
}
END_TEST

START_TEST(fifo_and_streams)
{
	prepare(THAW_EVICT_FIFO, 200 * KIB);
	thrash();
	rig_end(&rig);
}
END_TEST

START_TEST(at_random)
{
	prepare(THAW_EVICT_RANDOM, 1024 * MIB);
	thrash();
	rig_end(&rig);
}
END_TEST

/* While somebody evicts by hand, too: the two never take the same file. */
static atomic_bool over;

static void *evict_all(void *arg)
{
	struct thaw_evict_result sum;
	int *r = arg;

	while (!atomic_load(&over) && *r == 0) {
		*r = thaw_stage_evict(rig.stage, thaw_stage_root(rig.stage), false, &sum);
		rig_pause();
	}
	return NULL;
}

START_TEST(evicted_by_two_hands)
{
	pthread_t hands[2];
	int r[2] = {0, 0};

	prepare(THAW_EVICT_LRU, 1024 * MIB);
	atomic_store(&over, false);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&hands[i], NULL, evict_all, &r[i]), 0);
	thrash();
	atomic_store(&over, true);
	for (int i = 0; i < 2; i++) {
		pthread_join(hands[i], NULL);
		ck_assert_int_eq(r[i], 0);
	}
	rig_end(&rig);
}
END_TEST

/* From the high mark down to the low one, without anybody waiting. */
START_TEST(high_and_low)
{
	uint64_t most = 0;

	prepare(THAW_EVICT_LRU, 1024 * MIB);
	rig_stop(&rig);
	rig.conf.cache_size = 20 * MIB;
	rig.conf.high = 60;
	rig.conf.low = 30;
	rig_start(&rig);
	for (unsigned i = 0; i < FILES; i++) {
		ck_assert_int_eq(open_compare(rig.stage, nodes[i], 0, size_of(i), i), 0);
		rig_await_idle(&rig);
		if (rig_used(&rig) > most)
			most = rig_used(&rig);
	}
	ck_assert_uint_le(most, rig.conf.cache_size * 60 / 100);
	ck_assert_uint_gt(most, rig.conf.cache_size * 30 / 100);
	ck_assert_uint_gt(rig_status(&rig).evicted_files, 0);
	rig_end(&rig);
}
END_TEST

/* The least recently used one goes; what was read since stays. */
START_TEST(the_right_one_leaves)
{
	struct thaw_touch touch;
	struct thaw_object a, b;

	rig_init(&rig, false);
	rig.conf.cache_size = 4 * MIB;
	rig_put(&rig, "a", 1 * MIB, 1);
	rig_put(&rig, "b", 1 * MIB, 2);
	rig_put(&rig, "c", 2 * MIB, 3);
	rig_start(&rig);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "a"), 0, 1 * MIB, 1), 0);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "b"), 0, 1 * MIB, 2), 0);
	rig_await_idle(&rig);
	a = rig_object(&rig, "a");
	touch = (struct thaw_touch){.object = a.id, .last_used = a.staged_at + 100, .hits = 1};
	ck_assert_int_eq(thaw_catalog_touch(rig.stage->catalog, &touch, 1), 0);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "c"), 0, 2 * MIB, 3), 0);
	rig_await_idle(&rig);
	b = rig_object(&rig, "b");
	ck_assert_int_eq(b.residency, THAW_RES_NONE);
	ck_assert_int_eq(rig_state(&rig, "a"), THAW_STATE_ONLINE);
	rig_end(&rig);
}
END_TEST

RUN_TESTS("stage/space", lru, fifo_and_streams, at_random, evicted_by_two_hands, high_and_low,
	  the_right_one_leaves)
