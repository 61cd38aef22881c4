/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_status.c - thaw status.
 */
#include <inttypes.h>
#include <string.h>
#include <thaw/control_proto.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "cli/out.h"
#include "cli/run.h"
#include "control/wire.h"

#define WATCH_PAUSE_S 2

static uint64_t num(const json_t *status, const char *key)
{
	return thaw_json_u64(status, key);
}

static const char *size_of(char text[THAW_SIZE_TEXT], const json_t *status, const char *key)
{
	return thaw_format_size(text, num(status, key));
}

static void print_cache(const json_t *s)
{
	char used[THAW_SIZE_TEXT], size[THAW_SIZE_TEXT], reserved[THAW_SIZE_TEXT],
		pinned[THAW_SIZE_TEXT];
	uint64_t percent =
		num(s, "size") ? (uint64_t)(100.0 * (double)num(s, "used") / (double)num(s, "size"))
			       : 0;

	(void)printf("cache     %s of %s used (%" PRIu64 "%%): %" PRIu64
		     " files, %s reserved, %s pinned\n",
		     size_of(used, s, "used"), size_of(size, s, "size"), percent,
		     num(s, "resident_files"), size_of(reserved, s, "reserved_bytes"),
		     size_of(pinned, s, "pinned_bytes"));
}

static void print_work(const json_t *s)
{
	char bytes[THAW_SIZE_TEXT], staged[THAW_SIZE_TEXT], evicted[THAW_SIZE_TEXT],
		up[THAW_SIZE_TEXT];
	int64_t since = thaw_clock_real_s() - (int64_t)num(s, "started");

	(void)printf("catalog   %" PRIu64 " files, %s%s\n", num(s, "files"),
		     size_of(bytes, s, "bytes"),
		     json_is_true(json_object_get(s, "importing")) ? ", an import runs" : "");
	(void)printf("queue     %" PRIu64 " in flight, %" PRIu64 " wait for room, %" PRIu64
		     " queued, %" PRIu64 " readers wait, %" PRIu64 " requests open\n",
		     num(s, "flights"), num(s, "flights_waiting_space"), num(s, "queue"),
		     num(s, "waiters"), num(s, "requests_open"));
	(void)printf("since     %s: %" PRIu64 " opens from flash, %" PRIu64 " waited, %" PRIu64
		     " streamed; %" PRIu64 " files staged (%s), %" PRIu64 " evicted (%s), %" PRIu64
		     " failed\n",
		     thaw_format_duration(up, since > 0 ? since : 0), num(s, "hits"),
		     num(s, "misses"), num(s, "streams"), num(s, "staged_files"),
		     size_of(staged, s, "staged_bytes"), num(s, "evicted_files"),
		     size_of(evicted, s, "evicted_bytes"), num(s, "failures"));
}

static void print_archive(const json_t *a)
{
	_cleanup_free_ char *error = NULL;
	char at[THAW_INSTANT_TEXT];
	size_t len;

	(void)printf("archive   %s (%s): %s, %" PRIu64 " calls run", thaw_json_text(a, "name"),
		     thaw_json_text(a, "type"),
		     json_is_true(json_object_get(a, "reachable")) ? "reachable" : "NOT REACHABLE",
		     num(a, "active"));
	if (thaw_wire_get(a, "error", &error, &len) == 0) {
		(void)printf("; last error %s: ",
			     thaw_format_instant(at, (int64_t)num(a, "error_at")));
		thaw_out_name(stdout, error, len);
	}
	(void)putchar('\n');
}

static void print_status(const json_t *status)
{
	const json_t *archive;
	size_t i;

	print_cache(status);
	print_work(status);
	json_array_foreach(json_object_get(status, "archives"), i, archive) print_archive(archive);
}

static int show(struct thaw_run *run)
{
	json_t *status = NULL;
	int rc = thaw_run_ask(run, json_pack("{s:s}", "op", THAW_OP_STATUS), NULL, NULL, &status);

	if (rc)
		return rc;
	if (run->args->json) {
		(void)json_object_del(status, "ok");
		thaw_json_print(stdout, json_incref(status));
	} else {
		if (run->args->watch && isatty(STDOUT_FILENO))
			(void)fputs("\033[H\033[J", stdout);
		print_status(status);
	}
	json_decref(status);
	return 0;
}

/* Until interrupted, or nobody reads any more. */
static int watch(struct thaw_run *run)
{
	const struct timespec pause = {.tv_sec = WATCH_PAUSE_S};
	int rc;

	while ((rc = show(run)) == 0 && fflush(stdout) == 0) {
		(void)nanosleep(&pause, NULL);
		if (!run->args->json && !isatty(STDOUT_FILENO))
			(void)putchar('\n');
	}
	return rc;
}

int thaw_cmd_status(const struct thaw_args *args)
{
	struct thaw_run run;
	int rc = thaw_run_open(&run, args, NULL);

	if (!rc)
		rc = args->watch ? watch(&run) : show(&run);
	thaw_run_close(&run);
	return rc ? THAW_EXIT_FAILED : THAW_EXIT_DONE;
}
