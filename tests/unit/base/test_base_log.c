/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "../suite.h"

static int saved_stderr, reader;

/* stderr becomes a pipe, whose other end the tests read. */
static void capture(void)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
	(void)close(ends[1]);
	reader = ends[0];
	(void)unsetenv("JOURNAL_STREAM");
	thaw_log_init("test", LOG_INFO);
}

static void release(void)
{
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)close(reader);
}

/* Everything that was logged so far. */
static const char *logged(void)
{
	static char text[65536];
	ssize_t len = 0, got;

	(void)fcntl(reader, F_SETFL, O_NONBLOCK);
	while ((got = read(reader, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += got;
	text[len] = '\0';
	return text;
}

START_TEST(one_line_an_event)
{
	thaw_info("mounted %s", "/mnt");
	thaw_warn("slow");
	thaw_error("gone");
	ck_assert_str_eq(logged(), "test: mounted /mnt\ntest: warning: slow\ntest: error: gone\n");
}
END_TEST

START_TEST(less_important_lines_are_dropped)
{
	thaw_debug("no");
	ck_assert_str_eq(logged(), "");
	thaw_log_set_level(LOG_DEBUG);
	thaw_debug("yes");
	ck_assert_str_eq(logged(), "test: debug: yes\n");
	thaw_log_set_level(LOG_ERR);
	thaw_warn("no");
	ck_assert_str_eq(logged(), "");
}
END_TEST

START_TEST(a_name_cannot_forge_a_line)
{
	thaw_info("opened %s", "a\ntest: error: b\033[2J\x7f");
	ck_assert_str_eq(logged(), "test: opened a?test: error: b?[2J?\n");
}
END_TEST

START_TEST(long_lines_are_cut)
{
	char big[5000];
	const char *text;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	thaw_info("%s", big);
	text = logged();
	ck_assert_uint_lt(strlen(text), 2200);
	ck_assert_uint_eq(text[strlen(text) - 1], '\n');
}
END_TEST

START_TEST(the_journal_gets_priorities)
{
	char stream[64];
	struct stat st;

	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino);
	(void)setenv("JOURNAL_STREAM", stream, 1);
	thaw_log_init("test", LOG_INFO);
	thaw_warn("slow");
	ck_assert_str_eq(logged(), "<4>slow\n");
	(void)setenv("JOURNAL_STREAM", "1:1", 1); /* somebody else's stderr */
	thaw_log_init("test", LOG_INFO);
	thaw_warn("slow");
	ck_assert_str_eq(logged(), "test: warning: slow\n");
}
END_TEST

START_TEST(errno_is_kept)
{
	struct thaw_log_limit limit = {0};

	errno = ENOTTY;
	thaw_info("x");
	thaw_debug("x");
	thaw_log_limited(&limit, LOG_INFO, "x");
	thaw_log_limited(&limit, LOG_INFO, "x");
	ck_assert_int_eq(errno, ENOTTY);
	(void)close(STDERR_FILENO); /* the write fails */
	errno = ENOTTY;
	thaw_info("x");
	ck_assert_int_eq(errno, ENOTTY);
}
END_TEST

START_TEST(a_flood_becomes_one_line)
{
	struct thaw_log_limit limit = {0};

	for (int i = 0; i < 1000; i++)
		thaw_log_limited(&limit, LOG_ERR, "failure %d", i);
	ck_assert_str_eq(logged(), "test: error: failure 0\n");
	limit.next_ns = 0; /* the interval is over */
	thaw_log_limited(&limit, LOG_ERR, "failure again");
	ck_assert_str_eq(logged(), "test: error: failure again (999 more like this)\n");
	limit.next_ns = 0;
	thaw_log_limited(&limit, LOG_ERR, "and again");
	ck_assert_str_eq(logged(), "test: error: and again\n");
}
END_TEST

#define THREADS 4
#define LINES   50

static void *log_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		thaw_info("%s", (const char *)arg);
	return NULL;
}

START_TEST(threads_do_not_mix_lines)
{
	static char texts[THREADS][64];
	pthread_t threads[THREADS];
	char *text, *line;
	int lines = 0;

	for (int i = 0; i < THREADS; i++) {
		memset(texts[i], 'a' + i, sizeof(texts[i]) - 1);
		ck_assert_int_eq(pthread_create(&threads[i], NULL, log_lines, texts[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	text = strdup(logged());
	for (char *rest = text; (line = strsep(&rest, "\n")) && *line; lines++) {
		ck_assert_uint_eq(strlen(line), strlen("test: ") + sizeof(texts[0]) - 1);
		ck_assert_uint_eq(strspn(line + 6, line + strlen(line) - 1), sizeof(texts[0]) - 1);
	}
	ck_assert_int_eq(lines, THREADS * LINES);
	free(text);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, capture, release);
	tcase_add_test(tcase, one_line_an_event);
	tcase_add_test(tcase, less_important_lines_are_dropped);
	tcase_add_test(tcase, a_name_cannot_forge_a_line);
	tcase_add_test(tcase, long_lines_are_cut);
	tcase_add_test(tcase, the_journal_gets_priorities);
	tcase_add_test(tcase, errno_is_kept);
	tcase_add_test(tcase, a_flood_becomes_one_line);
	tcase_add_test(tcase, threads_do_not_mix_lines);
}

int main(void)
{
	return run_suite("log", add);
}
