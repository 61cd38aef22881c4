/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/fault.h"
#include "base/clock.h"
#include "base/thread.h"

#define SIZE 10000
#define SEED 42

static struct thaw_err err;
static const struct thaw_call call = {.err = &err};

/* fault over mem, with "file" of SIZE bytes of the pattern in it */
static struct thaw_archive *inner;
static struct thaw_archive *make(bool recalls, const char *settings, const char *control)
{
	struct thaw_archive *ar = NULL;
	int rc;

	ck_assert_int_eq(thaw_archive_mem_new(recalls, &inner), 0);
	ck_assert_int_eq(thaw_archive_mem_put_pattern(inner, thaw_key_of("file"), SIZE, SEED), 0);
	rc = thaw_archive_fault_wrap(inner, settings, control, &ar, &err);
	ck_assert_msg(rc == 0, "%s", err.text);
	return ar;
}

static void set(struct thaw_archive *ar, const char *settings)
{
	ck_assert_int_eq(thaw_archive_fault_set(ar, settings, &err), 0);
}

/* How many bytes of those taken are not of the pattern. */
static size_t wrong_bytes(const struct taken *taken)
{
	uint8_t right[SIZE];
	size_t n = 0;

	thaw_archive_mem_pattern(SEED, 0, right, sizeof(right));
	for (size_t i = 0; i < taken->len; i++)
		n += taken->data[i] != right[i];
	return n;
}

/* --- one fault each -------------------------------------------------------------------- */

START_TEST(without_settings_it_only_passes_on)
{
	struct thaw_archive *ar = make(false, NULL, NULL);
	struct taken taken = {0};
	struct listed *listed;
	char text[16];

	ck_assert_int_eq(thaw_archive_start(ar, &err), 0);
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), 0);
	ck_assert_uint_eq(taken.len, SIZE);
	ck_assert_uint_eq(wrong_bytes(&taken), 0);
	listed = list_dir(ar, "");
	ck_assert_uint_eq(listed->n, 1);
	(void)listed_free(listed);
	ck_assert_int_eq(thaw_archive_locate(ar, thaw_key_of("file"), text, sizeof(text), &call),
			 0);
	ck_assert_int_eq(get_all(ar, "none", &taken, &err), -ENOENT);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(errors_come_in_the_middle)
{
	struct thaw_archive *ar = make(false, "error_rate = 100\nseed = 3", NULL);
	struct taken taken = {0};
	size_t partly = 0;

	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(get_all(ar, "file", &taken, &err), -EIO);
		ck_assert_ptr_nonnull(strstr(err.text, "error_rate"));
		ck_assert_uint_lt(taken.len, SIZE);
		ck_assert_uint_eq(wrong_bytes(&taken), 0);
		partly += taken.len > 0;
	}
	ck_assert_uint_gt(partly, 10);
	set(ar, "eagain_rate = 100");
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), -EAGAIN);
	set(ar, "");
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), 0);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(errors_of_empty_files)
{
	struct thaw_archive *ar = make(false, "error_rate = 100", NULL);
	struct taken taken = {0};

	ck_assert_int_eq(thaw_archive_mem_put(inner, thaw_key_of("empty"), "", 0), 0);
	ck_assert_int_eq(get_all(ar, "empty", &taken, &err), -EIO);
	set(ar, "short_rate = 100\nflip_rate = 100");
	ck_assert_int_eq(get_all(ar, "empty", &taken, &err), 0); /* nothing to cut or flip */
	set(ar, "stale_rate = 100");
	ck_assert_int_eq(get_all(ar, "empty", &taken, &err), -ESTALE);
	(void)thaw_archive_close(ar);
}
END_TEST

/* The one lie that a wrapper must see through. */
START_TEST(short_transfers_are_caught)
{
	struct thaw_archive *ar = make(false, "short_rate = 100", NULL);
	struct taken taken = {0};

	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(get_all(ar, "file", &taken, &err), -EIO);
		ck_assert_ptr_nonnull(strstr(err.text, "short: "));
		ck_assert_uint_lt(taken.len, SIZE);
	}
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(flipped_bytes_come_with_success)
{
	struct thaw_archive *ar = make(false, "flip_rate = 100", NULL);
	struct taken taken = {0};

	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(get_all(ar, "file", &taken, &err), 0);
		ck_assert_uint_eq(taken.len, SIZE);
		ck_assert_uint_eq(wrong_bytes(&taken), 1);
	}
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(stale_comes_after_all_bytes)
{
	struct thaw_archive *ar = make(false, "stale_rate = 100", NULL);
	struct taken taken = {0};

	ck_assert_int_eq(get_all(ar, "file", &taken, &err), -ESTALE);
	ck_assert_uint_eq(taken.len, SIZE);
	ck_assert_uint_eq(wrong_bytes(&taken), 0);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(keys_that_fail)
{
	struct thaw_archive *ar = make(false, "fail_keys = fi:EACCES dir:EAGAIN odd:ENOSPC", NULL);
	struct taken taken = {0};
	struct thaw_entry e;

	ck_assert_int_eq(get_all(ar, "file", &taken, &err), -EACCES);
	ck_assert_ptr_nonnull(strstr(err.text, "fail_keys"));
	ck_assert_int_eq(thaw_archive_stat(ar, thaw_key_of("file"), &e, &call), -EACCES);
	ck_assert_int_eq(list_code(ar, "dir", &err), -EAGAIN);
	ck_assert_int_eq(list_code(ar, "", &err), 0);
	/* outside the contract */
	ck_assert_int_eq(thaw_archive_stat(ar, thaw_key_of("odd"), &e, &call), -EIO);
	ck_assert_ptr_nonnull(strstr(err.text, "ENOSPC"));
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(an_archive_that_is_away)
{
	struct thaw_archive *ar = make(true, "down = yes", NULL);
	const struct thaw_key key = thaw_key_of("file");
	struct taken taken = {0};
	enum thaw_avail avail;

	ck_assert_int_eq(get_all(ar, "file", &taken, &err), -EAGAIN);
	ck_assert_int_eq(list_code(ar, "", &err), -EAGAIN);
	ck_assert_int_eq(thaw_archive_recall(ar, &key, 1, &call), -EAGAIN);
	ck_assert_int_eq(thaw_archive_poll(ar, &key, 1, &avail, &call), -EAGAIN);
	set(ar, "down = no");
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), 0);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(rates_hit_about_as_often_as_they_say)
{
	struct thaw_archive *ar = make(false, "error_rate = 30\nseed = 7", NULL);
	struct taken taken = {0};
	unsigned failed = 0;

	for (int i = 0; i < 1000; i++)
		failed += get_all(ar, "file", &taken, &err) != 0;
	ck_assert_uint_gt(failed, 200);
	ck_assert_uint_lt(failed, 400);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

static uint64_t outcomes(const char *settings)
{
	struct thaw_archive *ar = make(false, settings, NULL);
	struct taken taken = {0};
	uint64_t bits = 0;

	for (int i = 0; i < 64; i++)
		bits = bits << 1 | (get_all(ar, "file", &taken, &err) != 0);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
	return bits;
}

START_TEST(a_seed_repeats_itself)
{
	ck_assert_uint_eq(outcomes("error_rate = 50\nseed = 1"),
			  outcomes("error_rate = 50\nseed = 1"));
	ck_assert_uint_ne(outcomes("error_rate = 50\nseed = 1"),
			  outcomes("error_rate = 50\nseed = 2"));
}
END_TEST

/* --- time ------------------------------------------------------------------------------ */

static int64_t timed_get(struct thaw_archive *ar)
{
	struct taken taken = {0};
	int64_t start_ns = thaw_clock_mono_ns();

	ck_assert_int_eq(get_all(ar, "file", &taken, &err), 0);
	ck_assert_uint_eq(wrong_bytes(&taken), 0);
	ck_assert_uint_eq(taken.len, SIZE);
	taken_release(&taken);
	return (thaw_clock_mono_ns() - start_ns) / THAW_NS_PER_MS;
}

START_TEST(delays)
{
	struct thaw_archive *ar = make(false, "delay = 60", NULL);
	int64_t start_ns;

	ck_assert_int_ge(timed_get(ar), 60);
	set(ar, "list_delay = 60");
	start_ns = thaw_clock_mono_ns();
	ck_assert_int_eq(list_code(ar, "", &err), 0);
	ck_assert_int_ge(thaw_clock_mono_ns() - start_ns, 60 * THAW_NS_PER_MS);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(a_slow_line)
{
	struct thaw_archive *ar = make(false, "rate = 50000", NULL);

	ck_assert_int_ge(timed_get(ar), 195); /* 10000 bytes */
	(void)thaw_archive_close(ar);
}
END_TEST

struct background {
	struct thaw_archive *ar;
	atomic_int cancel;
	atomic_int done;
	atomic_size_t len;
	struct thaw_err err;
	struct taken taken;
	int rc;
	pthread_t thread;
};

static int take_and_count(void *ctx, uint64_t off, const void *data, size_t len)
{
	struct background *bg = ctx;
	int rc = take(&bg->taken, off, data, len);

	atomic_store(&bg->len, bg->taken.len);
	return rc;
}

static void *get_in_background(void *arg)
{
	struct background *bg = arg;
	const struct thaw_call own = {.cancel = &bg->cancel, .err = &bg->err};
	struct thaw_entry e = {0};

	bg->rc = thaw_archive_stat(bg->ar, thaw_key_of("file"), &e, &own);
	if (!bg->rc)
		bg->rc = thaw_archive_get(bg->ar, thaw_key_of("file"), &e.tag, 0, e.size,
					  take_and_count, bg, &own);
	atomic_store(&bg->done, 1);
	return NULL;
}

static void begin(struct background *bg, struct thaw_archive *ar)
{
	*bg = (struct background){.ar = ar};
	ck_assert_int_eq(thaw_thread_start(&bg->thread, "get", get_in_background, bg), 0);
}

static void end(struct background *bg, int rc)
{
	(void)pthread_join(bg->thread, NULL);
	ck_assert_msg(bg->rc == rc, "%d %s", bg->rc, bg->err.text);
	if (!rc) {
		ck_assert_uint_eq(bg->taken.len, SIZE);
		ck_assert_uint_eq(wrong_bytes(&bg->taken), 0);
	}
	taken_release(&bg->taken);
}

/* Long enough for a transfer that does not wait to be over. */
static void linger(void)
{
	(void)usleep(60000);
}

START_TEST(endless_until_cancelled)
{
	struct thaw_archive *ar = make(false, "endless = yes", NULL);
	struct background bg;

	begin(&bg, ar);
	linger();
	ck_assert_int_eq(atomic_load(&bg.done), 0);
	atomic_store(&bg.cancel, 1);
	end(&bg, -ECANCELED);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(endless_until_released)
{
	struct thaw_archive *ar = make(false, "endless = yes", NULL);
	struct background bg[3];

	for (size_t i = 0; i < 3; i++)
		begin(&bg[i], ar);
	linger();
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(atomic_load(&bg[i].done), 0);
	set(ar, "endless = no");
	for (size_t i = 0; i < 3; i++)
		end(&bg[i], 0);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(stalled_in_the_middle)
{
	struct thaw_archive *ar = make(false, "stall_after = 4000", NULL);
	struct background bg;

	begin(&bg, ar);
	while (atomic_load(&bg.len) < 4000)
		(void)usleep(1000);
	linger();
	ck_assert_uint_eq(atomic_load(&bg.len), 4000);
	set(ar, "stall_after = 9000"); /* further, but not to the end */
	while (atomic_load(&bg.len) < 9000)
		(void)usleep(1000);
	linger();
	ck_assert_uint_eq(atomic_load(&bg.len), 9000);
	ck_assert_int_eq(atomic_load(&bg.done), 0);
	set(ar, "");
	end(&bg, 0);
	set(ar, "stall_after = 0");
	begin(&bg, ar);
	linger();
	ck_assert_uint_eq(atomic_load(&bg.len), 0);
	atomic_store(&bg.cancel, 1);
	end(&bg, -ECANCELED);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(a_delay_can_be_cancelled)
{
	struct thaw_archive *ar = make(false, "delay = 1000000", NULL);
	struct background bg;

	begin(&bg, ar);
	atomic_store(&bg.cancel, 1);
	end(&bg, -ECANCELED);
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- recalls --------------------------------------------------------------------------- */

START_TEST(recalls_pass_through)
{
	struct thaw_archive *ar = make(true, "", NULL);
	const struct thaw_key key = thaw_key_of("file");
	struct taken taken = {0};
	enum thaw_avail avail;

	ck_assert(thaw_archive_recalls(ar));
	ck_assert_int_eq(thaw_archive_mem_set_avail(inner, key, THAW_AVAIL_OFFLINE), 0);
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), -EINPROGRESS);
	ck_assert_int_eq(thaw_archive_recall(ar, &key, 1, &call), 0);
	(void)thaw_archive_mem_tick(inner);
	set(ar, "endless = yes");
	ck_assert_int_eq(thaw_archive_poll(ar, &key, 1, &avail, &call), 0);
	ck_assert_int_eq(avail, THAW_AVAIL_RECALLING);
	set(ar, "");
	ck_assert_int_eq(thaw_archive_poll(ar, &key, 1, &avail, &call), 0);
	ck_assert_int_eq(avail, THAW_AVAIL_ONLINE);
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), 0);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(what_needs_no_recall_still_needs_none)
{
	struct thaw_archive *ar = make(false, "", NULL);

	ck_assert(!thaw_archive_recalls(ar));
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- control file ---------------------------------------------------------------------- */

START_TEST(a_control_file_that_comes_and_goes)
{
	struct thaw_archive *ar = make(false, "error_rate = 100", in_scratch("control"));
	struct taken taken = {0};

	ck_assert_int_eq(get_all(ar, "file", &taken, &err), -EIO);
	put_text("control", "error_rate = 0\n");
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), 0);
	put_text("control", "stale_rate = 100\n"); /* what it does not name is as before */
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), -EIO);
	put_text("control", "stale_rate = 100\nerror_rate = 0\n");
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), -ESTALE);
	ck_assert_int_eq(unlinkat(scratch_fd, "control", 0), 0);
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), -EIO);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

/* Of the same length, and within one tick of the clock. */
START_TEST(a_control_file_that_changes_fast)
{
	struct thaw_archive *ar = make(false, NULL, in_scratch("control"));
	struct taken taken = {0};

	for (int i = 0; i < 50; i++) {
		put_text("control", "fail_keys = file:EIO   \n");
		ck_assert_int_eq(get_all(ar, "file", &taken, &err), -EIO);
		put_text("control", "fail_keys = file:EACCES\n");
		ck_assert_int_eq(get_all(ar, "file", &taken, &err), -EACCES);
	}
	ck_assert_uint_eq(taken.len, 0);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(a_control_file_releases_waiting_calls)
{
	struct thaw_archive *ar = make(false, NULL, in_scratch("control"));
	struct background bg;
	int64_t start_ns;

	put_text("control", "endless = yes\n");
	begin(&bg, ar);
	linger();
	ck_assert_int_eq(atomic_load(&bg.done), 0);
	start_ns = thaw_clock_mono_ns();
	put_text("control", "endless = no\n");
	end(&bg, 0);
	/* promised are 100 ms; a loaded machine may need more */
	ck_assert_int_lt(thaw_clock_mono_ns() - start_ns, 5 * THAW_NS_PER_S);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(a_control_file_that_is_wrong_fails_all)
{
	struct thaw_archive *ar = make(false, NULL, in_scratch("control"));

	put_text("control", "\nendles = yes\n");
	ck_assert_int_eq(list_code(ar, "", &err), -EIO);
	ck_assert_ptr_nonnull(strstr(err.text, "control: line 2: unknown key \"endles\""));
	ck_assert_int_eq(list_code(ar, "", &err), -EIO);
	put_text("control", "");
	ck_assert_int_eq(list_code(ar, "", &err), 0);
	put_dir("dir");
	(void)thaw_archive_close(ar);
	ar = make(false, NULL, in_scratch("dir"));
	ck_assert_int_eq(list_code(ar, "", &err), -EIO);
	ck_assert_ptr_nonnull(strstr(err.text, "control = "));
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- configuration --------------------------------------------------------------------- */

START_TEST(over_a_directory)
{
	struct thaw_archive *ar;
	struct taken taken = {0};

	put_text("file", "text");
	ar = open_archive("fault", "inner", "posix", "path", scratch, "version", "mtime", "delay",
			  "1", "control", in_scratch("control"), NULL);
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), 0);
	ck_assert_uint_eq(taken.len, 4);
	put_text("control", "fail_keys = fil:EACCES");
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), -EACCES);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(wrong_configurations)
{
	struct thaw_archive *ar = NULL;

	ck_assert_int_eq(try_archive(&ar, &err, "fault", "path", scratch, NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "inner is missing"));
	ck_assert_int_eq(try_archive(&ar, &err, "fault", "inner", "posix", NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "path is missing"));
	ck_assert_int_eq(try_archive(&ar, &err, "fault", "inner", "tape", NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "no type = tape"));
	ck_assert_int_eq(try_archive(&ar, &err, "fault", "inner", "fault", NULL), -EINVAL);
	ck_assert_int_eq(try_archive(&ar, &err, "fault", "inner", "posix", "path", scratch, "dely",
				     "4", NULL),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "line 12: unknown key \"dely\""));
	ck_assert_int_eq(try_archive(&ar, &err, "fault", "inner", "posix", "path", scratch, "delay",
				     "soon", NULL),
			 -EINVAL);
	ck_assert_str_eq(err.text, "archive a, line 12: delay = soon: give milliseconds");
	ck_assert_ptr_null(ar);
}
END_TEST

START_TEST(wrong_settings_take_nothing_over)
{
	struct thaw_archive *own = NULL, *ar = NULL;
	struct taken taken = {0};

	ck_assert_int_eq(thaw_archive_mem_new(false, &own), 0);
	ck_assert_int_eq(thaw_archive_fault_wrap(own, "what", NULL, &ar, &err), -EINVAL);
	ck_assert_ptr_null(ar);
	(void)thaw_archive_close(own);
	ar = make(false, "stale_rate = 100", NULL);
	ck_assert_int_eq(thaw_archive_fault_set(ar, "what", &err), -EINVAL);
	ck_assert_int_eq(get_all(ar, "file", &taken, &err), -ESTALE);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		without_settings_it_only_passes_on,
		errors_come_in_the_middle,
		errors_of_empty_files,
		short_transfers_are_caught,
		flipped_bytes_come_with_success,
		stale_comes_after_all_bytes,
		keys_that_fail,
		an_archive_that_is_away,
		rates_hit_about_as_often_as_they_say,
		a_seed_repeats_itself,
		delays,
		a_slow_line,
		endless_until_cancelled,
		endless_until_released,
		stalled_in_the_middle,
		a_delay_can_be_cancelled,
		recalls_pass_through,
		what_needs_no_recall_still_needs_none,
		a_control_file_that_comes_and_goes,
		a_control_file_that_changes_fast,
		a_control_file_releases_waiting_calls,
		a_control_file_that_is_wrong_fails_all,
		over_a_directory,
		wrong_configurations,
		wrong_settings_take_nothing_over,
	};

	return run_suite(suite_of("archive", "fault", TESTS_OF(tests)));
}
