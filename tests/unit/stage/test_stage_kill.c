/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Killed at any moment, again and again, over one cache and catalog: each start finds
 * everything in order. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

#define FILES   30
#define ROUNDS  12
#define READERS 4

static struct rig rig;

static uint64_t size_of(unsigned i)
{
	return 500 + (uint64_t)i * 9001;
}

static void prepare(const char *dir)
{
	char key[32];

	rig_init_in(&rig, false, dir);
	rig.conf.cache_size = 4 * MIB;
	rig.conf.stream_min = 200000;
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(key, sizeof(key), "d%u/f%u", i % 3, i);
		rig_put(&rig, key, size_of(i), i);
	}
}

static void *keep_busy(void *arg)
{
	unsigned seed = *(unsigned *)arg;

	for (;;) {
		unsigned i = (unsigned)rand_r(&seed) % FILES;
		struct thaw_evict_result sum;
		struct thaw_node node;
		char path[32];
		int len = snprintf(path, sizeof(path), "d%u/f%u", i % 3, i);

		if (thaw_stage_resolve(rig.stage, path, (size_t)len, NULL, NULL, &node) < 0)
			continue; /* the import has not come to it */
		if (open_compare(rig.stage, node.id, 0, size_of(i), i) < 0)
			abort();
		if (seed % 3 == 0)
			(void)thaw_stage_evict(rig.stage, node.id, false, &sum);
	}
	return NULL;
}

/* In a process of its own, until it is killed. */
static void live(const char *dir, unsigned round)
{
	static unsigned seeds[READERS];
	struct thaw_err err = {""};
	pthread_t thread;

	prepare(dir);
	if (rig_open(&rig, &err) < 0)
		abort();
	rig_run(&rig);
	for (unsigned i = 0; i < READERS; i++) {
		seeds[i] = round * 10 + i;
		if (pthread_create(&thread, NULL, keep_busy, &seeds[i]))
			abort();
	}
	for (;;)
		(void)pause();
}

static void look_at_it(const char *dir)
{
	char path[32];

	prepare(dir);
	rig_start(&rig);
	audit(&rig);
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(path, sizeof(path), "d%u/f%u", i % 3, i);
		ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, path), 0, size_of(i), i),
				 0);
	}
	audit(&rig);
	rig_leave(&rig);
}

START_TEST(again_and_again)
{
	const char *tmp = getenv("TMPDIR");
	unsigned seed = (unsigned)thaw_clock_real_ns();
	char dir[200];

	(void)snprintf(dir, sizeof(dir), "%s/thaw-kill-XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned pauses = (unsigned)rand_r(&seed) % 600;
		int status;
		pid_t pid = fork();

		if (pid == 0)
			live(dir, round);
		ck_assert_int_gt(pid, 0);
		for (unsigned i = 0; i < pauses; i++)
			rig_pause();
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
			      "it ended by itself in round %u", round);
		look_at_it(dir);
	}
	prepare(dir);
	rig_start(&rig);
	rig_end(&rig);
}
END_TEST

RUN_TESTS("stage/kill", again_and_again)
