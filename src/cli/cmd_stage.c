/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_stage.c - thaw stage.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <thaw/control_proto.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "cli/out.h"
#include "cli/request_json.h"
#include "cli/run.h"
#include "cli/wait.h"
#include "cli/words.h"

#define EXPANDING_NS    (2 * THAW_NS_PER_S)
#define EXPANDING_LOOKS 40

static int usage(const char *text)
{
	thaw_out_error(NULL, 0, "stage: %s", text);
	return THAW_EXIT_USAGE;
}

static int read_file(const struct thaw_args *args, struct thaw_words *ret)
{
	bool from_stdin = strcmp(args->from, "-") == 0;
	FILE *file = from_stdin ? stdin : fopen(args->from, "re");
	int rc = file ? thaw_words_read(file, args->nul ? '\0' : '\n', ret) : -errno;

	if (file && !from_stdin)
		(void)fclose(file);
	if (rc)
		thaw_out_error(args->from, strlen(args->from), "%s",
			       rc == -EINVAL ? "has a NUL in it (is -0 meant?)" : strerror(-rc));
	return rc;
}

/* One conversation: begin, the paths in parts, end. */
static int submit(struct thaw_run *run, const struct thaw_path_list *paths, json_t **ret_ok)
{
	json_t *request = json_pack("{s:s}", "op", THAW_OP_STAGE_PATHS);
	int rc = thaw_run_ask(run, json_pack("{s:s}", "op", THAW_OP_STAGE_BEGIN), NULL, NULL, NULL);

	if (!rc)
		rc = thaw_run_paths(run, request, paths, NULL, NULL);
	json_decref(request);
	if (rc || !run->done)
		return rc ? rc : -ENOENT; /* each of them was told */
	return thaw_run_ask(run, json_pack("{s:s}", "op", THAW_OP_STAGE_END), NULL, NULL, ret_ok);
}

static int wait_for(struct thaw_run *run, char *id, double fraction)
{
	struct thaw_wait_sum sum;
	char size[THAW_SIZE_TEXT];
	int rc = thaw_wait_requests(run, &id, 1, fraction, &sum);

	if (rc)
		return rc;
	run->done = sum.completed + (sum.files == 0);
	if (!run->args->json)
		(void)fprintf(stderr, "%" PRIu64 " of %" PRIu64 " files are there, %s\n",
			      sum.completed, sum.files, thaw_format_size(size, sum.done_bytes));
	if (sum.files && (double)sum.completed >= fraction * (double)sum.files)
		return 0;
	return thaw_wait_tell_missing(run, &id, 1);
}

/* The files of a new request are found within moments, if it is not huge. */
static void await_files(struct thaw_run *run, const char *id)
{
	const struct timespec pause = {.tv_nsec = EXPANDING_NS / EXPANDING_LOOKS};

	for (int i = 0; i < EXPANDING_LOOKS; i++) {
		json_t *ok = NULL;
		bool known;
		int rc = thaw_run_ask(
			run,
			json_pack("{s:s, s:s, s:b}", "op", THAW_OP_REQUEST, "id", id, "files", 0),
			NULL, NULL, &ok);

		known = json_is_true(json_object_get(ok, "expanded"));
		json_decref(ok);
		if (rc || known)
			return;
		(void)nanosleep(&pause, NULL);
	}
}

static int print_result(struct thaw_run *run, const char *id)
{
	if (!run->args->json)
		return 0;
	if (!run->args->wait)
		await_files(run, id);
	return thaw_request_print_json(run, id);
}

static int stage(struct thaw_run *run, char *const *words, size_t count, double fraction)
{
	const struct thaw_args *args = run->args;
	_cleanup_free_ char *id = NULL;
	struct thaw_path_list paths;
	json_t *ok = NULL;
	int rc = thaw_run_resolve(run, words, count, &paths);

	if (rc)
		return THAW_EXIT_FAILED;
	rc = submit(run, &paths, &ok);
	thaw_path_list_release(&paths);
	id = strdup(thaw_json_text(ok, "requestId"));
	json_decref(ok);
	if (rc || !id) {
		if (args->json)
			thaw_request_print_refused(run);
		return THAW_EXIT_FAILED;
	}
	if (!args->json) {
		(void)printf("%s\n", id);
		(void)fflush(stdout);
	}
	if (args->wait || args->min_fraction)
		rc = wait_for(run, id, fraction);
	if (rc == -EINTR)
		thaw_wait_die_of_interrupt();
	if (!rc)
		rc = print_result(run, id);
	return rc ? THAW_EXIT_FAILED : thaw_run_exit(run);
}

int thaw_cmd_stage(const struct thaw_args *args)
{
	struct thaw_words from = {0};
	struct thaw_run run;
	double fraction = 1.0;
	char *const *words = args->words;
	size_t count = args->count;
	int status = THAW_EXIT_FAILED;

	if (args->min_fraction && thaw_parse_fraction(args->min_fraction, &fraction))
		return usage("--min-fraction: give a share above 0 and up to 1, or a percentage");
	if (!args->from == !args->count)
		return usage(args->from ? "paths and --from exclude each other"
					: "which files? name them, or use --from");
	if (args->nul && !args->from)
		return usage("-0 goes with --from");
	if (args->from) {
		if (read_file(args, &from))
			return THAW_EXIT_FAILED;
		words = from.list;
		count = from.count;
	}
	if (!count)
		thaw_out_error(args->from, strlen(args->from), "names no path");
	else if (thaw_run_open(&run, args, words[0]) == 0)
		status = stage(&run, words, count, fraction);
	if (count)
		thaw_run_close(&run);
	thaw_words_release(&from);
	return status;
}
