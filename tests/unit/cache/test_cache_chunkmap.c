/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chunk map against a map of single bytes, and its ordering with threads. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "cache/chunkmap.h"

#define MODEL_SIZE  1003
#define MODEL_CHUNK 64

static bool model_covered(const bool *have, uint64_t off, uint64_t len)
{
	for (uint64_t i = off; i < off + len && i < MODEL_SIZE; i++) {
		if (!have[i])
			return false;
	}
	return true;
}

static uint64_t model_total(const bool *have)
{
	uint64_t total = 0;

	for (uint64_t i = 0; i < MODEL_SIZE; i++)
		total += have[i];
	return total;
}

START_TEST(agrees_with_a_map_of_bytes)
{
	bool have[MODEL_SIZE] = {false};
	struct thaw_chunkmap map;
	unsigned seed = 7;

	ck_assert_int_eq(thaw_chunkmap_init(&map, MODEL_SIZE, MODEL_CHUNK), 0);
	for (int i = 0; i < 20000; i++) {
		uint64_t off = (uint64_t)rand_r(&seed) % (MODEL_SIZE + 50);
		uint64_t len = (uint64_t)rand_r(&seed) % 200;
		uint64_t room = thaw_chunkmap_room(&map, off);

		if (room) {
			uint64_t n = 1 + (uint64_t)rand_r(&seed) % room;

			ck_assert(!have[off] && (off % MODEL_CHUNK == 0 || have[off - 1]));
			ck_assert_int_eq(thaw_chunkmap_add(&map, off, n), 0);
			memset(have + off, true, n);
		} else if (off < MODEL_SIZE) {
			ck_assert(have[off] || !have[off - 1]);
			ck_assert_int_ne(thaw_chunkmap_add(&map, off, 1), 0);
		}
		if (i % 97 == 0) {
			uint64_t index = (uint64_t)rand_r(&seed) % (map.count + 1);

			thaw_chunkmap_reset(&map, index);
			for (uint64_t b = 0; b < MODEL_CHUNK; b++) {
				if (index * MODEL_CHUNK + b < MODEL_SIZE)
					have[index * MODEL_CHUNK + b] = false;
			}
		}
		ck_assert(thaw_chunkmap_covered(&map, off, len) == model_covered(have, off, len));
		ck_assert_uint_eq(thaw_chunkmap_total(&map), model_total(have));
	}
	thaw_chunkmap_release(&map);
}
END_TEST

START_TEST(edges)
{
	struct thaw_chunkmap map;

	ck_assert_int_eq(thaw_chunkmap_init(&map, 10, 0), -EINVAL);

	ck_assert_int_eq(thaw_chunkmap_init(&map, 0, 8), 0);
	ck_assert(thaw_chunkmap_covered(&map, 0, 1));
	ck_assert_uint_eq(thaw_chunkmap_room(&map, 0), 0);
	ck_assert_int_eq(thaw_chunkmap_add(&map, 0, 1), -EINVAL);
	thaw_chunkmap_release(&map);

	ck_assert_int_eq(thaw_chunkmap_init(&map, 10, UINT64_MAX), 0);
	ck_assert_uint_eq(thaw_chunkmap_room(&map, 0), 10);
	ck_assert_int_eq(thaw_chunkmap_add(&map, 0, 11), -EINVAL);
	ck_assert(!thaw_chunkmap_covered(&map, 0, UINT64_MAX));
	ck_assert_int_eq(thaw_chunkmap_add(&map, 0, 10), 0);
	ck_assert(thaw_chunkmap_covered(&map, 3, UINT64_MAX));
	ck_assert(thaw_chunkmap_covered(&map, UINT64_MAX, UINT64_MAX));
	thaw_chunkmap_release(&map);
}
END_TEST

/* Plain bytes: what a reader sees of them once the map says so is ordered by
 * the map alone, which ThreadSanitizer checks. */
#define SHARED_CHUNK  512
#define SHARED_CHUNKS 64
#define SHARED_SIZE   (SHARED_CHUNK * SHARED_CHUNKS - 100)

static struct {
	struct thaw_chunkmap map;
	uint8_t bytes[SHARED_SIZE];
	_Atomic unsigned next;
} shared;

static void *fill(void *arg)
{
	unsigned seed = 3, index;

	(void)arg;
	while ((index = atomic_fetch_add(&shared.next, 1)) < SHARED_CHUNKS) {
		uint64_t off = (uint64_t)index * SHARED_CHUNK, room;

		while (off < SHARED_SIZE && (room = thaw_chunkmap_room(&shared.map, off))) {
			uint64_t n = 1 + (uint64_t)rand_r(&seed) % (room < 40 ? room : 40);

			for (uint64_t i = off; i < off + n; i++)
				shared.bytes[i] = (uint8_t)(i | 1);
			ck_assert_int_eq(thaw_chunkmap_add(&shared.map, off, n), 0);
			off += n;
			if (off % SHARED_CHUNK == 0)
				break;
		}
	}
	return NULL;
}

static void *look(void *arg)
{
	unsigned seed = *(unsigned *)arg;

	while (thaw_chunkmap_total(&shared.map) < SHARED_SIZE) {
		uint64_t off = (uint64_t)rand_r(&seed) % SHARED_SIZE;
		uint64_t len = 1 + (uint64_t)rand_r(&seed) % 700;

		if (!thaw_chunkmap_covered(&shared.map, off, len)) {
			(void)sched_yield();
			continue;
		}
		for (uint64_t i = off; i < off + len && i < SHARED_SIZE; i++)
			ck_assert_uint_eq(shared.bytes[i], (uint8_t)(i | 1));
	}
	return NULL;
}

START_TEST(what_is_covered_can_be_read)
{
	unsigned seeds[2] = {11, 12};
	pthread_t threads[5];

	memset(&shared, 0, sizeof(shared));
	ck_assert_int_eq(thaw_chunkmap_init(&shared.map, SHARED_SIZE, SHARED_CHUNK), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, look, &seeds[i]), 0);
	for (int i = 2; i < 5; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, fill, NULL), 0);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	thaw_chunkmap_release(&shared.map);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache_chunkmap");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, agrees_with_a_map_of_bytes);
	tcase_add_test(tc, edges);
	tcase_add_loop_test(tc, what_is_covered_can_be_read, 0, 20);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
