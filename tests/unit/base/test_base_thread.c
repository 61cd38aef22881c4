/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <string.h>

#include "base/thread.h"
#include "../suite.h"

struct seen {
	char name[32];
	sigset_t blocked;
};

static void *look_at_self(void *arg)
{
	struct seen *seen = arg;

	(void)pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name));
	(void)pthread_sigmask(SIG_SETMASK, NULL, &seen->blocked);
	return seen;
}

static void run(struct seen *seen, const char *name)
{
	void *result = NULL;
	pthread_t thread;

	ck_assert_int_eq(thaw_thread_start(&thread, name, look_at_self, seen), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, seen);
}

START_TEST(it_has_its_name)
{
	struct seen seen;

	run(&seen, "worker-3");
	ck_assert_str_eq(seen.name, "worker-3");
	run(&seen, "a name that is too long");
	ck_assert_str_eq(seen.name, "a name that is ");
}
END_TEST

START_TEST(it_hears_no_signals_but_its_own_faults)
{
	static const int deaf[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE, SIGCHLD};
	struct seen seen;

	run(&seen, "x");
	for (size_t i = 0; i < sizeof(deaf) / sizeof(deaf[0]); i++)
		ck_assert_int_eq(sigismember(&seen.blocked, deaf[i]), 1);
	ck_assert_int_eq(sigismember(&seen.blocked, SIGSEGV), 0);
}
END_TEST

START_TEST(the_starter_still_hears)
{
	sigset_t before, after;
	struct seen seen;

	(void)pthread_sigmask(SIG_SETMASK, NULL, &before);
	run(&seen, "x");
	(void)pthread_sigmask(SIG_SETMASK, NULL, &after);
	ck_assert_int_eq(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
	ck_assert_int_eq(sigismember(&after, SIGUSR1), sigismember(&before, SIGUSR1));
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, it_has_its_name);
	tcase_add_test(tcase, it_hears_no_signals_but_its_own_faults);
	tcase_add_test(tcase, the_starter_still_hears);
}

int main(void)
{
	return run_suite("thread", add);
}
