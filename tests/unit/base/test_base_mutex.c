/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mutex.h"
#include "../suite.h"

static struct thaw_mutex low, high, other_low;
static struct thaw_cond cond;
static bool ready; /* low */

static void set_up(void)
{
	thaw_mutex_init(&low, THAW_RANK_ENGINE);
	thaw_mutex_init(&other_low, THAW_RANK_ENGINE);
	thaw_mutex_init(&high, THAW_RANK_LOG);
	thaw_cond_init(&cond);
}

static void tear_down(void)
{
	thaw_cond_destroy(&cond);
	thaw_mutex_destroy(&high);
	thaw_mutex_destroy(&other_low);
	thaw_mutex_destroy(&low);
}

START_TEST(rising_ranks_in_any_order_of_release)
{
	thaw_mutex_lock(&low);
	thaw_mutex_lock(&high);
	thaw_mutex_assert_held(&low);
	thaw_mutex_unlock(&low);
	thaw_mutex_assert_held(&high);
	thaw_mutex_unlock(&high);
	thaw_mutex_assert_none_held();
	thaw_mutex_lock(&other_low); /* not two of one rank any more */
	thaw_mutex_unlock(&other_low);
}
END_TEST

static void *take_and_signal(void *arg)
{
	thaw_mutex_lock(&low);
	ready = true;
	thaw_cond_signal(&cond);
	thaw_mutex_unlock(&low);
	return arg;
}

START_TEST(a_waiter_is_woken)
{
	pthread_t thread;

	thaw_mutex_lock(&low);
	ready = false;
	ck_assert_int_eq(pthread_create(&thread, NULL, take_and_signal, NULL), 0);
	while (!ready)
		thaw_cond_wait(&cond, &low);
	thaw_mutex_assert_held(&low);
	thaw_mutex_unlock(&low);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

START_TEST(a_deadline_passes)
{
	int64_t before = thaw_clock_mono_ns();
	int64_t deadline = before + 20 * THAW_NS_PER_MS;

	thaw_mutex_lock(&low);
	while (thaw_cond_wait_until(&cond, &low, deadline))
		; /* woken for nothing */
	ck_assert_int_ge(thaw_clock_mono_ns(), deadline);
	ck_assert(!thaw_cond_wait_until(&cond, &low, -5));
	thaw_mutex_unlock(&low);
}
END_TEST

#ifndef NDEBUG

static void equal_rank(void)
{
	thaw_mutex_lock(&low);
	thaw_mutex_lock(&other_low);
}

static void falling_rank(void)
{
	thaw_mutex_lock(&high);
	thaw_mutex_lock(&low);
}

static void taken_twice(void)
{
	thaw_mutex_lock(&low);
	thaw_mutex_lock(&low);
}

static void given_back_twice(void)
{
	thaw_mutex_lock(&low);
	thaw_mutex_unlock(&low);
	thaw_mutex_unlock(&low);
}

static void held_by_nobody(void)
{
	thaw_mutex_assert_held(&low);
}

static void held_by_another(void)
{
	thaw_mutex_lock(&high);
	thaw_mutex_assert_held(&low);
}

static void one_too_many(void)
{
	thaw_mutex_lock(&low);
	thaw_mutex_assert_none_held();
}

static void wait_without_lock(void)
{
	(void)thaw_cond_wait_until(&cond, &low, 0);
}

static void (*const crimes[])(void) = {
	equal_rank,     falling_rank,    taken_twice,  given_back_twice,
	held_by_nobody, held_by_another, one_too_many, wait_without_lock,
};

/* Forks by itself, so that it also works where check does not. */
START_TEST(broken_rules_abort)
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (!child) {
		(void)freopen("/dev/null", "w", stderr);
		(void)signal(SIGABRT, SIG_DFL);
		crimes[_i]();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "crime %d: status %x", _i,
		      (unsigned)status);
}
END_TEST

#endif

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, rising_ranks_in_any_order_of_release);
	tcase_add_test(tcase, a_waiter_is_woken);
	tcase_add_test(tcase, a_deadline_passes);
#ifndef NDEBUG
	tcase_add_loop_test(tcase, broken_rules_abort, 0, sizeof(crimes) / sizeof(crimes[0]));
#endif
}

int main(void)
{
	return run_suite("mutex", add);
}
