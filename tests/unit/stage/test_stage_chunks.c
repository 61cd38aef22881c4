/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chunks that come in any order, break and go on, make the same file and digest. */
#include <errno.h>

#include "audit.h"
#include "base/digest.h"
#include "rig.h"
#include "run.h"

#define CHUNKS 8
#define SIZE   (CHUNKS * 64 * KIB - 99)

static struct rig rig;

/* A chunk may end only when all behind it have. */
static pthread_mutex_t turn_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_cond = PTHREAD_COND_INITIALIZER;
static unsigned ended;

static int last_first(struct hook *hook, struct thaw_key key, uint64_t off, int r)
{
	unsigned before = CHUNKS - 1 - (unsigned)(off / (64 * KIB));

	(void)hook;
	(void)key;
	pthread_mutex_lock(&turn_lock);
	while (ended < before)
		pthread_cond_wait(&turn_cond, &turn_lock);
	ended++;
	pthread_cond_broadcast(&turn_cond);
	pthread_mutex_unlock(&turn_lock);
	return r;
}

static void check_digest(const char *path, uint64_t size, uint64_t seed)
{
	uint8_t out[THAW_DIGEST_ALGS][THAW_DIGEST_MAX];
	struct thaw_digest *digest;
	struct thaw_object o;
	char *all = malloc(size);

	ck_assert_ptr_nonnull(all);
	thaw_archive_mem_pattern(seed, 0, all, size);
	ck_assert_int_eq(thaw_digest_new(1u << THAW_SHA256, &digest), 0);
	ck_assert_int_eq(thaw_digest_update(digest, all, size), 0);
	ck_assert_int_eq(thaw_digest_final(digest, out), 0);
	thaw_digest_free(digest);
	rig_await_idle(&rig);
	o = rig_object(&rig, path);
	ck_assert(o.digests & 1u << THAW_SHA256);
	ck_assert_mem_eq(o.digest[THAW_SHA256], out[THAW_SHA256], THAW_SHA256_SIZE);
	free(all);
}

START_TEST(in_reverse)
{
	rig_init(&rig, false);
	rig.conf.workers = CHUNKS;
	rig_put(&rig, "f", SIZE, 21);
	ended = 0;
	rig.hook->after_get = last_first;
	rig_start(&rig);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "f"), 0, SIZE, 21), 0);
	check_digest("f", SIZE, 21);
	rig.hook->after_get = NULL;
	rig_end(&rig);
}
END_TEST

static atomic_uint pieces;

/* Every fifth piece breaks, as a passing fault does: the chunk goes on where it was. */
static int breaks(struct hook *hook, struct thaw_key key, uint64_t off, void *data, size_t len)
{
	(void)hook;
	(void)key;
	(void)off;
	(void)data;
	(void)len;
	return atomic_fetch_add(&pieces, 1) % 5 == 4 ? -EAGAIN : 0;
}

START_TEST(breaks_and_goes_on)
{
	struct thaw_mem_counts counts;

	rig_init(&rig, false);
	rig_put(&rig, "f", 300000, 22);
	thaw_archive_mem_piece(rig.mem, 16000);
	rig.hook->on_piece = breaks;
	rig_start(&rig);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "f"), 0, 300000, 22), 0);
	rig.hook->on_piece = NULL;
	check_digest("f", 300000, 22);
	thaw_archive_mem_counts(rig.mem, &counts);
	ck_assert_uint_gt(counts.gets, 5);
	ck_assert_uint_lt(counts.bytes, 2 * 300000); /* not from the beginning each time */
	rig_end(&rig);
}
END_TEST

/* EIO looks like a passing fault once; what does not mend fails. */
START_TEST(one_more_try)
{
	struct thaw_obj *obj;

	rig_init(&rig, false);
	rig_put(&rig, "once", 1000, 1);
	rig_put(&rig, "often", 1000, 2);
	rig_start(&rig);
	ck_assert_int_eq(thaw_archive_mem_fail(rig.mem, thaw_key_of("once"), -EIO, 1), 0);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "once"), 0, 1000, 1), 0);
	ck_assert_int_eq(thaw_archive_mem_fail(rig.mem, thaw_key_of("often"), -EIO, 2), 0);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "often"), 0, &obj), -EIO);
	ck_assert_int_eq(rig_state(&rig, "often"), THAW_STATE_FAILED);
	ck_assert_int_eq(rig_object(&rig, "often").error, -EIO);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "often"), 0, 1000, 2), 0);
	rig_await_idle(&rig);
	ck_assert_int_eq(rig_object(&rig, "often").error, 0);
	rig_end(&rig);
}
END_TEST

START_TEST(eagain_then_success)
{
	rig_init(&rig, false);
	rig_put(&rig, "f", 200000, 1);
	rig_start(&rig);
	ck_assert_int_eq(thaw_archive_mem_fail(rig.mem, thaw_key_of("f"), -EAGAIN, 4), 0);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "f"), 0, 200000, 1), 0);
	ck_assert_uint_eq(rig_status(&rig).failures, 0);
	rig_end(&rig);
}
END_TEST

START_TEST(refused_by_the_archive)
{
	struct thaw_obj *obj;

	rig_init(&rig, false);
	rig_put(&rig, "f", 200000, 1);
	rig_start(&rig);
	ck_assert_int_eq(thaw_archive_mem_fail(rig.mem, thaw_key_of("f"), -EACCES, 4), 0);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "f"), 0, &obj), -EACCES);
	rig_end(&rig);
}
END_TEST

/* No more calls at once than the archive allows, however many workers. */
START_TEST(connections)
{
	struct thaw_mem_counts counts;

	rig_init(&rig, false);
	rig.conf.workers = 12;
	rig.archive.connections = 3;
	rig_put(&rig, "f", 40 * 64 * KIB, 1);
	thaw_archive_mem_piece(rig.mem, 1000);
	rig_start(&rig);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "f"), 0, 40 * 64 * KIB, 1), 0);
	thaw_archive_mem_counts(rig.mem, &counts);
	ck_assert_uint_le(counts.most_running, 3);
	rig_end(&rig);
}
END_TEST

RUN_TESTS("stage/chunks", in_reverse, breaks_and_goes_on, one_more_try, eagain_then_success,
	  refused_by_the_archive, connections)
