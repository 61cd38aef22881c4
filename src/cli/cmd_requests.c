/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_requests.c - thaw requests, thaw cancel.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <thaw/control_proto.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/units.h"
#include "cli/out.h"
#include "cli/request_json.h"
#include "cli/run.h"
#include "cli/wait.h"

#define COUNTS_TEXT 48

/* --- a request in few words ----------------------------------------------- */

struct counts {
	uint64_t all, completed, failed, cancelled;
};

static struct counts counts_of(const json_t *request)
{
	const json_t *counts = json_object_get(request, "counts");
	struct counts c = {.completed = thaw_json_u64(counts, "COMPLETED"),
			   .failed = thaw_json_u64(counts, "FAILED"),
			   .cancelled = thaw_json_u64(counts, "CANCELLED")};

	c.all = c.completed + c.failed + c.cancelled + thaw_json_u64(counts, "SUBMITTED") +
		thaw_json_u64(counts, "STARTED");
	return c;
}

static const char *state_word(const json_t *request)
{
	struct counts c = counts_of(request);

	if (!json_object_get(request, "completedAt"))
		return json_is_true(json_object_get(request, "expanded")) ? "running" : "new";
	if (json_is_true(json_object_get(request, "cancelled")) && c.cancelled)
		return "cancelled";
	if (!c.failed && !c.cancelled)
		return "done";
	return c.completed ? "partly" : "failed";
}

static const char *instant_of(char text[THAW_INSTANT_TEXT], const json_t *request, const char *key)
{
	if (!json_object_get(request, key))
		return "-";
	return thaw_format_instant(text, (int64_t)(thaw_json_u64(request, key) / 1000));
}

/* --- all of them ---------------------------------------------------------- */

static const struct thaw_column columns[] = {
	{"REQUEST", 36, false}, {"STATE", 9, false},    {"FILES", 13, true},
	{"SIZE", 7, true},      {"CREATED", 20, false}, {"BY", 8, false},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct listing {
	struct thaw_run *run;
	struct thaw_json_out json;
};

static int print_line(void *ctx, json_t *request)
{
	struct listing *listing = ctx;
	struct counts c = counts_of(request);
	char files[COUNTS_TEXT], size[THAW_SIZE_TEXT], created[THAW_INSTANT_TEXT],
		user[THAW_USER_TEXT];
	const char *cells[COLUMNS];

	if (listing->run->args->json) {
		thaw_json_add(&listing->json, json_incref(request));
		return 0;
	}
	(void)snprintf(files, sizeof(files), "%" PRIu64 "/%" PRIu64, c.completed, c.all);
	cells[0] = thaw_json_text(request, "requestId");
	cells[1] = state_word(request);
	cells[2] = files;
	cells[3] = thaw_format_size(size, thaw_json_u64(request, "bytes"));
	cells[4] = instant_of(created, request, "createdAt");
	cells[5] = thaw_out_user(user, (uint32_t)thaw_json_u64(request, "owner"));
	thaw_out_row(stdout, columns, COLUMNS, cells, NULL, 0);
	return 0;
}

static int list_all(struct thaw_run *run)
{
	struct listing listing = {.run = run};
	json_t *request = json_pack("{s:s}", "op", THAW_OP_REQUESTS);
	uint64_t limit;
	int rc;

	if (run->args->limit && thaw_parse_u64(run->args->limit, &limit)) {
		thaw_out_error(NULL, 0, "requests: --limit: give a number");
		json_decref(request);
		return THAW_EXIT_USAGE;
	}
	if (run->args->limit)
		(void)json_object_set_new(request, "limit", json_integer((json_int_t)limit));
	if (run->args->json)
		thaw_json_begin(&listing.json, stdout, "requests");
	else
		thaw_out_head(stdout, columns, COLUMNS, NULL);
	rc = thaw_run_ask(run, request, print_line, &listing, NULL);
	if (run->args->json)
		thaw_json_end(&listing.json, NULL);
	return rc ? THAW_EXIT_FAILED : THAW_EXIT_DONE;
}

/* --- one ------------------------------------------------------------------ */

static const struct thaw_column file_columns[] = {{"STATE", 9, false}, {"SIZE", 7, true}};

static const char *waits_text(const char *state)
{
	if (strcmp(state, "recalling") == 0)
		return "the archive is bringing it online";
	if (strcmp(state, "fetching") == 0)
		return "it is arriving";
	return "it waits for its turn";
}

static int print_file(void *ctx, json_t *file)
{
	struct thaw_run *run = ctx;
	_cleanup_free_ char *path = NULL;
	char size[THAW_SIZE_TEXT];
	const char *cells[2] = {thaw_json_text(file, "state"),
				thaw_format_size(size, thaw_json_u64(file, "size"))};
	size_t len = 0;

	path = thaw_run_item_path(run, file, &len);
	(void)printf("%-9s  %7s  ", cells[0], cells[1]);
	thaw_out_name(stdout, path ? path : "(a file you cannot see)", path ? len : 23);
	if (json_object_get(file, "error")) {
		const char *why = thaw_json_text(file, "error");

		(void)fputs(": ", stdout);
		thaw_out_name(stdout, why, strlen(why));
	} else if (json_object_get(file, "waits")) {
		(void)printf(": %s", waits_text(thaw_json_text(file, "waits")));
	}
	(void)putchar('\n');
	return 0;
}

/* From the pace so far; nothing when there is none yet. */
static void print_eta(const json_t *request)
{
	uint64_t bytes = thaw_json_u64(request, "bytes"),
		 done = thaw_json_u64(request, "done_bytes");
	int64_t since = thaw_clock_real_s() - (int64_t)(thaw_json_u64(request, "createdAt") / 1000);
	char left[THAW_SIZE_TEXT];

	if (json_object_get(request, "completedAt") || !done || done >= bytes || since <= 0)
		return;
	(void)printf("left     about %s\n",
		     thaw_format_duration(left, (int64_t)((double)(bytes - done) * (double)since /
							  (double)done)));
}

static void print_summary(const json_t *request)
{
	struct counts c = counts_of(request);
	char done[THAW_SIZE_TEXT], size[THAW_SIZE_TEXT], at[THAW_INSTANT_TEXT],
		user[THAW_USER_TEXT];

	(void)printf("request  %s\n", thaw_json_text(request, "requestId"));
	(void)printf("state    %s: %" PRIu64 " of %" PRIu64 " files, %s of %s", state_word(request),
		     c.completed, c.all,
		     thaw_format_size(done, thaw_json_u64(request, "done_bytes")),
		     thaw_format_size(size, thaw_json_u64(request, "bytes")));
	if (c.failed)
		(void)printf(", %" PRIu64 " failed", c.failed);
	if (c.cancelled)
		(void)printf(", %" PRIu64 " cancelled", c.cancelled);
	(void)printf("\nby       %s\n",
		     thaw_out_user(user, (uint32_t)thaw_json_u64(request, "owner")));
	(void)printf("created  %s\n", instant_of(at, request, "createdAt"));
	if (json_object_get(request, "completedAt"))
		(void)printf("ended    %s\n", instant_of(at, request, "completedAt"));
	print_eta(request);
	(void)putchar('\n');
}

static int show(struct thaw_run *run, const char *id)
{
	json_t *request = NULL;
	int rc;

	if (run->args->json)
		return thaw_request_print_json(run, id) ? THAW_EXIT_FAILED : THAW_EXIT_DONE;
	rc = thaw_run_ask(run,
			  json_pack("{s:s, s:s, s:b}", "op", THAW_OP_REQUEST, "id", id, "files", 0),
			  NULL, NULL, &request);
	if (rc)
		return THAW_EXIT_FAILED;
	print_summary(request);
	json_decref(request);
	thaw_out_head(stdout, file_columns, 2, "PATH");
	rc = thaw_wait_each_file(run, id, print_file, run, NULL);
	return rc ? THAW_EXIT_FAILED : THAW_EXIT_DONE;
}

int thaw_cmd_requests(const struct thaw_args *args)
{
	struct thaw_run run;
	int status = THAW_EXIT_FAILED;

	if (thaw_run_open(&run, args, NULL) == 0)
		status = args->count ? show(&run, args->words[0]) : list_all(&run);
	thaw_run_close(&run);
	return status;
}

int thaw_cmd_cancel(const struct thaw_args *args)
{
	struct thaw_run run;
	json_t *ok = NULL;
	int rc = thaw_run_open(&run, args, NULL);

	if (!rc)
		rc = thaw_run_ask(
			&run, json_pack("{s:s, s:s}", "op", THAW_OP_CANCEL, "id", args->words[0]),
			NULL, NULL, &ok);
	if (!rc && args->json) {
		(void)json_object_del(ok, "ok");
		thaw_json_print(stdout, json_incref(ok));
	}
	json_decref(ok);
	thaw_run_close(&run);
	return rc ? THAW_EXIT_FAILED : THAW_EXIT_DONE;
}
