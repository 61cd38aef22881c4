/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plan is read when a program starts, so the test starts itself again, as
 * `PROGRAM pass`, with THAW_CRASH_AT set.
 */
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "../suite.h"

#define PASSES 3

static int pass_points(void)
{
	for (int i = 0; i < PASSES; i++) {
		thaw_crash_point("publish.linked");
		thaw_crash_point("publish");
	}
	return 0;
}

static int status_with(const char *plan)
{
	char program[] = "/proc/self/exe", word[] = "pass";
	char *argv[] = {program, word, NULL};
	pid_t child = fork();
	int status = 0;

	ck_assert_int_ge(child, 0);
	if (!child) {
		(void)setenv("THAW_CRASH_AT", plan, 1);
		(void)execv(program, argv);
		_exit(99);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

static const struct {
	const char *plan;
	bool dies;
} plans[] = {
	{"", false},
	{"publish.linked", true},
	{"publish.linked:1", true},
	{"publish.linked:3", true},
	{"publish.linked:4", false},
	{"publish:2", true},
	{"publi", false},
	{"publish.linked.more", false},
	{"other:1", false},
};

START_TEST(dies_where_it_was_told)
{
	int status = status_with(plans[_i].plan);

	if (plans[_i].dies)
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%s: %x",
			      plans[_i].plan, (unsigned)status);
	else
		ck_assert_msg(status == 0, "%s: %x", plans[_i].plan, (unsigned)status);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_loop_test(tcase, dies_where_it_was_told, 0, sizeof(plans) / sizeof(plans[0]));
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "pass") == 0)
		return pass_points();
	return run_suite("fault", add);
}
