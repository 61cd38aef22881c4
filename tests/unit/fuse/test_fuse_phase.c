/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sched.h>

#include "fuse/phase.h"
#include "../suite.h"

static struct thaw_phase phase;

static void set_up(void)
{
	thaw_phase_init(&phase);
}

static void tear_down(void)
{
	thaw_phase_destroy(&phase);
}

START_TEST(answers_last_outside_of_imports_only)
{
	struct thaw_phase_ticket ticket = thaw_phase_enter(&phase);

	ck_assert(ticket.lasting);
	thaw_phase_leave(&phase, ticket);
	thaw_phase_begin(&phase);
	thaw_phase_begin(&phase); /* another collection */
	ticket = thaw_phase_enter(&phase);
	ck_assert(!ticket.lasting);
	thaw_phase_leave(&phase, ticket);
	thaw_phase_end(&phase);
	ticket = thaw_phase_enter(&phase);
	ck_assert(!ticket.lasting);
	thaw_phase_leave(&phase, ticket);
	thaw_phase_end(&phase);
	ticket = thaw_phase_enter(&phase);
	ck_assert(ticket.lasting);
	thaw_phase_leave(&phase, ticket);
}
END_TEST

static atomic_bool begun;

static void *begin(void *arg)
{
	thaw_phase_begin(&phase);
	atomic_store(&begun, true);
	return arg;
}

START_TEST(begin_waits_for_earlier_answers_not_for_later_ones)
{
	struct thaw_phase_ticket early = thaw_phase_enter(&phase), late;
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, begin, NULL), 0);
	while (atomic_load(&phase.imports) == 0)
		sched_yield();
	late = thaw_phase_enter(&phase);
	ck_assert(!late.lasting);
	for (int i = 0; i < 1000; i++)
		sched_yield();
	ck_assert(!atomic_load(&begun));
	thaw_phase_leave(&phase, early);
	/* late stands in the counter that is flipped to first or second; begin
	 * waits for it at most once, and newcomers do not add to that. */
	thaw_phase_leave(&phase, late);
	pthread_join(thread, NULL);
	ck_assert(atomic_load(&begun));
	thaw_phase_end(&phase);
}
END_TEST

/* What a handler reads and what an import changes between begin and end; the
 * cache is what the kernel has been told for good. */
static _Atomic unsigned name, cached;
static atomic_bool over;

static void *look_up(void *arg)
{
	while (!atomic_load(&over)) {
		struct thaw_phase_ticket ticket = thaw_phase_enter(&phase);
		unsigned found = atomic_load(&name);

		for (int i = 0; i < 3; i++)
			sched_yield();
		if (ticket.lasting)
			atomic_store(&cached, found);
		thaw_phase_leave(&phase, ticket);
	}
	return arg;
}

static atomic_uint stale;

/* The invalidation; another importer may have gone on meanwhile. */
static void raise_cached(unsigned now)
{
	unsigned seen = atomic_load(&cached);

	while (seen < now && !atomic_compare_exchange_weak(&cached, &seen, now))
		;
}

static void *import(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		unsigned now;

		thaw_phase_begin(&phase);
		now = atomic_fetch_add(&name, 1) + 1;
		raise_cached(now);
		for (int k = 0; k < 5; k++) {
			sched_yield();
			if (atomic_load(&cached) < now)
				atomic_fetch_add(&stale, 1);
		}
		thaw_phase_end(&phase);
	}
	return arg;
}

START_TEST(no_stale_answer_is_cached)
{
	pthread_t readers[3], importers[2];

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&readers[i], NULL, look_up, NULL), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&importers[i], NULL, import, NULL), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(importers[i], NULL);
	atomic_store(&over, true);
	for (int i = 0; i < 3; i++)
		pthread_join(readers[i], NULL);
	ck_assert_uint_eq(atomic_load(&stale), 0);
	ck_assert_uint_eq(atomic_load(&phase.inside[0]), 0);
	ck_assert_uint_eq(atomic_load(&phase.inside[1]), 0);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, answers_last_outside_of_imports_only);
	tcase_add_test(tcase, begin_waits_for_earlier_answers_not_for_later_ones);
	tcase_add_test(tcase, no_stale_answer_is_cached);
}

int main(void)
{
	return run_suite("fuse_phase", add);
}
