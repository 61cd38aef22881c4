/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An archive that fails, cuts, lies and flips bits: errors at worst, never a wrong byte. */
#include <errno.h>

#include "archive/fault.h"
#include "audit.h"
#include "rig.h"
#include "run.h"

#define FILES   60
#define READERS 6

static struct rig rig;
static struct thaw_archive *fault;
static uint64_t nodes[FILES];

static uint64_t size_of(unsigned i)
{
	return 1 + (uint64_t)i * 5003;
}

static void set(const char *settings)
{
	struct thaw_err err = {""};

	ck_assert_msg(thaw_archive_fault_set(fault, settings, &err) == 0, "%s", err.text);
}

static void begin(void)
{
	struct thaw_err err = {""};
	char key[32];

	rig_init(&rig, false);
	rig.conf.stream_min = 150000;
	rig.conf.workers = 8;
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(key, sizeof(key), "d/f%u", i);
		rig_put(&rig, key, size_of(i), i);
	}
	ck_assert_int_eq(thaw_archive_fault_wrap(rig.mem, "seed = 5\n", NULL, &fault, &err), 0);
	rig.hook->inner = fault;
	rig_start(&rig);
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(key, sizeof(key), "d/f%u", i);
		nodes[i] = rig_node(&rig, key);
	}
}

/* The fault archive owns the other by now. */
static void end(void)
{
	audit(&rig);
	rig_stop(&rig);
	rig.mem = fault;
	rig_drop(&rig);
}

struct reader {
	pthread_t thread;
	unsigned seed, good, bad;
	int wrong;
};

static void *read_some(void *arg)
{
	struct reader *reader = arg;

	for (int k = 0; k < 60 && !reader->wrong; k++) {
		unsigned i = (unsigned)rand_r(&reader->seed) % FILES;
		int r = open_compare(rig.stage, nodes[i], 0, size_of(i), i);

		if (r == 0)
			reader->good++;
		else if (r == -EIO || r == -ESTALE)
			reader->bad++;
		else
			reader->wrong = r;
	}
	return NULL;
}

static void read_all(unsigned *good, unsigned *bad)
{
	struct reader readers[READERS];

	*good = *bad = 0;
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.seed = i + 1};
		ck_assert_int_eq(pthread_create(&readers[i].thread, NULL, read_some, &readers[i]),
				 0);
	}
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		ck_assert_msg(!readers[i].wrong, "%s", strerror(-readers[i].wrong));
		*good += readers[i].good;
		*bad += readers[i].bad;
	}
	rig_await_idle(&rig);
}

static void evict_all(void)
{
	struct thaw_evict_result sum;

	ck_assert_int_eq(thaw_stage_evict(rig.stage, thaw_stage_root(rig.stage), true, &sum), 0);
	ck_assert_uint_eq(rig_space(&rig).resident, 0);
}

/* Sound once, so that the catalog knows every digest. */
static void learn(void)
{
	for (unsigned i = 0; i < FILES; i++)
		ck_assert_int_eq(open_compare(rig.stage, nodes[i], 0, size_of(i), i), 0);
	rig_await_idle(&rig);
	evict_all();
}

START_TEST(fails_and_cuts)
{
	unsigned good, bad;

	begin();
	set("seed = 7\nerror_rate = 25\nshort_rate = 25\n");
	read_all(&good, &bad);
	ck_assert_uint_gt(good, 0);
	ck_assert_uint_gt(bad, 0);
	set("seed = 7\n");
	evict_all();
	read_all(&good, &bad);
	ck_assert_uint_eq(bad, 0);
	end();
}
END_TEST

START_TEST(says_it_changed)
{
	unsigned good, bad;

	begin();
	set("seed = 8\nstale_rate = 20\n");
	read_all(&good, &bad);
	ck_assert_uint_gt(good, 0);
	ck_assert_uint_gt(bad, 0);
	for (unsigned i = 0; i < FILES; i++) { /* nothing has, and nothing moved */
		char key[32];

		(void)snprintf(key, sizeof(key), "d/f%u", i);
		ck_assert_uint_eq(rig_node(&rig, key), nodes[i]);
	}
	set("seed = 8\n");
	read_all(&good, &bad);
	ck_assert_uint_eq(bad, 0);
	end();
}
END_TEST

START_TEST(flips_bits)
{
	unsigned good, bad;
	struct thaw_obj *obj;

	begin();
	learn();
	rig_stop(&rig);
	rig.conf.stream_min = 1024 * MIB; /* who streams reads before it is checked */
	rig_start(&rig);
	set("seed = 9\nflip_rate = 40\n");
	read_all(&good, &bad);
	ck_assert_uint_gt(good, 0);
	ck_assert_uint_gt(bad, 0);
	ck_assert_uint_gt(rig_count(&rig, "quarantine"), 0);
	set("seed = 9\n");
	for (unsigned i = 0; i < FILES; i++) { /* a request takes back what was given up */
		ck_assert_int_eq(bulk_wait(rig.stage, nodes[i], &obj), 0);
		thaw_stage_close(rig.stage, obj);
	}
	read_all(&good, &bad);
	ck_assert_uint_eq(bad, 0);
	end();
}
END_TEST

RUN_TESTS("stage/faults", fails_and_cuts, says_it_changed, flips_bits)
