/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuse/sigwait.h"
#include "../suite.h"

static enum thaw_sigwait of(const char *own, const char *shared, const char *blocked, pid_t tid)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "Name:\tcat\nTgid:\t100\nNgid:\t0\nPid:\t%d\nSigQ:\t0/9\n"
		       "SigPnd:\t%s\nShdPnd:\t%s\nSigBlk:\t%s\nSigIgn:\t0000000000001000\n",
		       (int)tid, own, shared, blocked);
	return thaw_sigwait_parse(text, tid);
}

#define NONE "0000000000000000"
#define INT  "0000000000000002"
#define KILL "0000000000000100"
#define ALL  "ffffffffffffffff"

START_TEST(own_signals_count_unless_blocked)
{
	ck_assert_int_eq(of(NONE, NONE, NONE, 101), THAW_SIGWAIT_NONE);
	ck_assert_int_eq(of(INT, NONE, NONE, 101), THAW_SIGWAIT_OWN);
	ck_assert_int_eq(of(INT, NONE, INT, 101), THAW_SIGWAIT_NONE);
}
END_TEST

START_TEST(kill_counts_always)
{
	ck_assert_int_eq(of(KILL, NONE, ALL, 101), THAW_SIGWAIT_OWN);
	ck_assert_int_eq(of(NONE, KILL, ALL, 101), THAW_SIGWAIT_OWN);
}
END_TEST

START_TEST(shared_signals_are_the_main_threads_first)
{
	ck_assert_int_eq(of(NONE, INT, NONE, 100), THAW_SIGWAIT_OWN);
	ck_assert_int_eq(of(NONE, INT, NONE, 101), THAW_SIGWAIT_SHARED);
	ck_assert_int_eq(of(NONE, INT, INT, 100), THAW_SIGWAIT_NONE);
}
END_TEST

START_TEST(text_without_the_fields_says_none)
{
	ck_assert_int_eq(thaw_sigwait_parse("", 1), THAW_SIGWAIT_NONE);
	ck_assert_int_eq(thaw_sigwait_parse("Name:\tx\n", 1), THAW_SIGWAIT_NONE);
}
END_TEST

START_TEST(a_real_thread)
{
	sigset_t set;

	ck_assert_int_eq(thaw_sigwait_of(getpid()), THAW_SIGWAIT_NONE);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_eq(thaw_sigwait_of(getpid()), THAW_SIGWAIT_NONE); /* blocked */
}
END_TEST

START_TEST(what_is_not_there_is_not_signalled)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_int_eq(thaw_sigwait_of(child), THAW_SIGWAIT_NONE);
}
END_TEST

/* A stopped process keeps a signal pending, as one that waits for us does. */
START_TEST(a_pending_signal_is_seen)
{
	sigset_t none;
	pid_t child;
	int status;

	/* Whoever started us may have it ignored, or everything blocked. */
	(void)signal(SIGINT, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	child = fork();
	if (child == 0) {
		for (;;)
			pause();
	}
	ck_assert_int_eq(kill(child, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
	ck_assert_int_eq(kill(child, SIGINT), 0);
	ck_assert_int_eq(thaw_sigwait_of(child), THAW_SIGWAIT_OWN);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, own_signals_count_unless_blocked);
	tcase_add_test(tcase, kill_counts_always);
	tcase_add_test(tcase, shared_signals_are_the_main_threads_first);
	tcase_add_test(tcase, text_without_the_fields_says_none);
	tcase_add_test(tcase, a_real_thread);
	tcase_add_test(tcase, what_is_not_there_is_not_signalled);
	tcase_add_test(tcase, a_pending_signal_is_seen);
}

int main(void)
{
	return run_suite("fuse_sigwait", add);
}
