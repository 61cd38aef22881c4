/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/wait.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <thaw/control_proto.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/progress.h"
#include "cli/out.h"
#include "cli/run.h"

#define FIRST_PAUSE_NS   (50 * THAW_NS_PER_MS)
#define LONGEST_PAUSE_NS THAW_NS_PER_S
/* A restarted daemon opens its catalog and cache first. */
#define REVIVAL_NS (120 * THAW_NS_PER_S)
#define TELL_MAX   1000

/* The one global: what a signal handler may touch. */
static volatile sig_atomic_t interrupted;

static void on_signal(int signal_number)
{
	interrupted = signal_number;
}

/* Once: the second Ctrl-C ends it whatever it is at. */
static void catch_interrupts(struct sigaction old[2])
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	interrupted = 0;
	(void)sigaction(SIGINT, &action, &old[0]);
	(void)sigaction(SIGTERM, &action, &old[1]);
}

static void restore_interrupts(const struct sigaction old[2])
{
	(void)sigaction(SIGINT, &old[0], NULL);
	(void)sigaction(SIGTERM, &old[1], NULL);
}

void thaw_wait_die_of_interrupt(void)
{
	(void)fflush(NULL);
	(void)signal(interrupted, SIG_DFL);
	(void)raise(interrupted);
}

/* Cut short by a signal. */
static void pause_for(int64_t ns)
{
	struct timespec time = {.tv_sec = ns / THAW_NS_PER_S, .tv_nsec = ns % THAW_NS_PER_S};

	if (!interrupted)
		(void)nanosleep(&time, NULL);
}

static void add_request(struct thaw_wait_sum *sum, const json_t *request)
{
	json_t *counts = json_object_get(request, "counts"), *count;
	const char *key;

	json_object_foreach(counts, key, count) sum->files += (uint64_t)json_integer_value(count);
	sum->completed += thaw_json_u64(counts, "COMPLETED");
	sum->failed += thaw_json_u64(counts, "FAILED");
	sum->cancelled += thaw_json_u64(counts, "CANCELLED");
	sum->bytes += thaw_json_u64(request, "bytes");
	sum->done_bytes += thaw_json_u64(request, "done_bytes");
	sum->expanded &= json_is_true(json_object_get(request, "expanded"));
	sum->finished &= json_object_get(request, "completedAt") != NULL;
}

static json_t *look_request(const char *id)
{
	return json_pack("{s:s, s:s, s:b}", "op", THAW_OP_REQUEST, "id", id, "files", 0);
}

static bool is_gone(int rc)
{
	return rc == -ECONNRESET || rc == -ECONNREFUSED || rc == -ENOENT;
}

/* A daemon that restarts: tries again until it answers. */
static int revive(struct thaw_run *run, struct thaw_err *err)
{
	int64_t end = thaw_clock_mono_ns() + REVIVAL_NS;
	int rc;

	thaw_out_error(NULL, 0, "the daemon went away; waiting for it to come back");
	run->client = thaw_client_close(run->client);
	do {
		pause_for(LONGEST_PAUSE_NS);
		rc = interrupted ? -EINTR : thaw_client_open(run->place.socket, &run->client, err);
	} while (is_gone(rc) && thaw_clock_mono_ns() < end);
	return rc;
}

static int look_once(struct thaw_run *run, const char *id, json_t **ret)
{
	struct thaw_err err = {""};
	int rc = thaw_client_ask(run->client, look_request(id), NULL, NULL, ret, &err);

	if (rc == -ECONNRESET) {
		rc = revive(run, &err);
		if (!rc)
			rc = thaw_client_ask(run->client, look_request(id), NULL, NULL, ret, &err);
	}
	run->used_ns = thaw_clock_mono_ns();
	if (rc && rc != -EINTR)
		thaw_run_failed(run, NULL, 0, rc, err.text);
	return rc;
}

static int look(struct thaw_run *run, char *const *ids, size_t n, struct thaw_wait_sum *ret)
{
	struct thaw_wait_sum sum = {.expanded = true, .finished = true};

	for (size_t i = 0; i < n; i++) {
		json_t *request;
		int rc = look_once(run, ids[i], &request);

		if (rc)
			return rc;
		add_request(&sum, request);
		json_decref(request);
	}
	*ret = sum;
	return 0;
}

static bool enough(const struct thaw_wait_sum *sum, double fraction)
{
	return sum->finished || (sum->expanded && fraction < 1.0 && sum->files &&
				 (double)sum->completed >= fraction * (double)sum->files);
}

static void tell_interrupt(char *const *ids, size_t n)
{
	if (n == 1)
		thaw_out_error(NULL, 0,
			       "interrupted; request %s goes on ('thaw requests %s' shows it, "
			       "'thaw cancel %s' ends it)",
			       ids[0], ids[0], ids[0]);
	else
		thaw_out_error(NULL, 0,
			       "interrupted; the requests go on ('thaw requests' shows them)");
}

static int follow(struct thaw_run *run, char *const *ids, size_t n, double fraction,
		  struct thaw_wait_sum *sum)
{
	struct thaw_progress progress;
	int64_t pause_ns = FIRST_PAUSE_NS;
	int rc;

	thaw_progress_init(&progress, run->args->json ? NULL : stderr, "staging", NULL);
	while ((rc = look(run, ids, n, sum)) == 0 && !enough(sum, fraction) && !interrupted) {
		thaw_progress_show(&progress, sum->done_bytes, sum->expanded ? sum->bytes : 0);
		pause_for(pause_ns);
		pause_ns = pause_ns * 3 / 2;
		if (pause_ns > LONGEST_PAUSE_NS)
			pause_ns = LONGEST_PAUSE_NS;
	}
	if (!rc)
		thaw_progress_end(&progress, sum->done_bytes, sum->bytes);
	return rc;
}

int thaw_wait_requests(struct thaw_run *run, char *const *ids, size_t n, double fraction,
		       struct thaw_wait_sum *ret)
{
	struct thaw_wait_sum sum = {.finished = false};
	struct sigaction old[2];
	int rc;

	catch_interrupts(old);
	rc = follow(run, ids, n, fraction, &sum);
	restore_interrupts(old);
	if (interrupted && !(rc == 0 && sum.finished)) {
		tell_interrupt(ids, n);
		return -EINTR;
	}
	if (!rc)
		*ret = sum;
	return rc;
}

int thaw_wait_each_file(struct thaw_run *run, const char *id, int (*fn)(void *ctx, json_t *file),
			void *ctx, json_t **ret_ok)
{
	json_t *ok = NULL, *next;
	uint64_t after = 0;
	int rc;

	for (;;) {
		rc = thaw_run_ask(run,
				  json_pack("{s:s, s:s, s:I}", "op", THAW_OP_REQUEST, "id", id,
					    "after", (json_int_t)after),
				  fn, ctx, &ok);
		if (rc)
			return rc;
		next = json_object_get(ok, "next");
		if (!next)
			break;
		after = (uint64_t)json_integer_value(next);
		json_decref(ok);
	}
	if (ret_ok)
		*ret_ok = ok;
	else
		json_decref(ok);
	return 0;
}

struct missing {
	struct thaw_run *run;
	uint64_t told;
};

static void tell_file(struct missing *missing, const json_t *file, const char *why)
{
	_cleanup_free_ char *path = NULL;
	size_t len = 0;

	path = thaw_run_item_path(missing->run, file, &len);
	missing->run->failed++;
	if (missing->told++ < TELL_MAX)
		thaw_out_error(path ? path : "a file you cannot see", path ? len : 21, "%s", why);
}

static int look_at_file(void *ctx, json_t *file)
{
	const char *state = thaw_json_text(file, "state");

	if (strcmp(state, "FAILED") == 0)
		tell_file(ctx, file, thaw_json_text(file, "error"));
	else if (strcmp(state, "CANCELLED") == 0)
		tell_file(ctx, file, "cancelled");
	return 0;
}

int thaw_wait_tell_missing(struct thaw_run *run, char *const *ids, size_t n)
{
	struct missing missing = {.run = run};
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = thaw_wait_each_file(run, ids[i], look_at_file, &missing, NULL);
	if (missing.told > TELL_MAX)
		thaw_out_error(NULL, 0, "and %llu more: 'thaw requests ID' lists them",
			       (unsigned long long)(missing.told - TELL_MAX));
	return rc;
}
