/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/clock.h"
#include "base/progress.h"
#include "../suite.h"

static char *text;
static size_t len;
static FILE *out;

static void open_out(void)
{
	text = NULL;
	len = 0;
	out = open_memstream(&text, &len);
	ck_assert_ptr_nonnull(out);
}

static void close_out(void)
{
	(void)fclose(out);
	free(text);
}

START_TEST(a_log_gets_one_line_at_the_end)
{
	struct thaw_progress progress;

	thaw_progress_init(&progress, out, "staging", "files");
	for (uint64_t i = 0; i < 1000; i++)
		thaw_progress_show(&progress, i, 1000);
	ck_assert_uint_eq(len, 0);
	thaw_progress_end(&progress, 1000, 1000);
	ck_assert_int_eq(strncmp(text, "staging 100% 1000 of 1000 files", 31), 0);
	ck_assert_ptr_eq(strchr(text, '\n'), text + len - 1);
	ck_assert_ptr_null(strchr(text, '\r'));
}
END_TEST

START_TEST(a_log_gets_a_line_every_ten_seconds)
{
	struct thaw_progress progress;

	thaw_progress_init(&progress, out, "staging", NULL);
	progress.start_ns -= 10 * THAW_NS_PER_S; /* as if begun then */
	progress.drawn_ns = progress.start_ns;
	thaw_progress_show(&progress, 10 << 20, 40 << 20);
	thaw_progress_show(&progress, 11 << 20, 40 << 20);
	ck_assert_str_eq(text, "staging  25% 10M of 40M, 1M/s, 30s left\n");
}
END_TEST

START_TEST(a_terminal_is_redrawn)
{
	struct thaw_progress progress;

	thaw_progress_init(&progress, out, "importing", "entries");
	progress.tty = true;
	progress.drawn_ns = 0;
	thaw_progress_show(&progress, 1, 2);
	thaw_progress_show(&progress, 1, 2); /* sooner than a tenth of a second: most likely */
	thaw_progress_end(&progress, 2, 2);
	ck_assert_uint_eq(text[0], '\r');
	ck_assert_ptr_nonnull(
		strstr(text, "importing  50% [############------------] 1 of 2 entries"));
	ck_assert_ptr_nonnull(
		strstr(text, "importing 100% [########################] 2 of 2 entries"));
	ck_assert_ptr_eq(strchr(text, '\n'), text + len - 1);
}
END_TEST

START_TEST(without_a_total_there_is_no_share)
{
	struct thaw_progress progress;

	thaw_progress_init(&progress, out, "importing", "entries");
	thaw_progress_end(&progress, 12, 0);
	ck_assert_int_eq(strncmp(text, "importing 12 entries", 20), 0);
	ck_assert_ptr_null(strchr(text, '%'));
	ck_assert_ptr_null(strstr(text, "left"));
}
END_TEST

START_TEST(odd_numbers_do_not_overrun)
{
	struct thaw_progress progress;

	thaw_progress_init(&progress, out, "staging", NULL);
	progress.tty = true;
	progress.start_ns -= 1;
	thaw_progress_end(&progress, UINT64_MAX, UINT64_MAX);
	thaw_progress_end(&progress, 5, 3); /* more than there is */
	ck_assert_ptr_nonnull(strstr(text, "100% [########################] 3 of 3"));
}
END_TEST

START_TEST(nowhere_to_draw)
{
	struct thaw_progress progress;

	thaw_progress_init(&progress, NULL, "staging", NULL);
	thaw_progress_show(&progress, 1, 2);
	thaw_progress_end(&progress, 2, 2);
	ck_assert_uint_eq(len, 0);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, open_out, close_out);
	tcase_add_test(tcase, a_log_gets_one_line_at_the_end);
	tcase_add_test(tcase, a_log_gets_a_line_every_ten_seconds);
	tcase_add_test(tcase, a_terminal_is_redrawn);
	tcase_add_test(tcase, without_a_total_there_is_no_share);
	tcase_add_test(tcase, odd_numbers_do_not_overrun);
	tcase_add_test(tcase, nowhere_to_draw);
}

int main(void)
{
	return run_suite("progress", add);
}
