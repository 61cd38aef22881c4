/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_import.c - thaw import.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <thaw/control_proto.h>
#include <thaw/xattr_names.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/progress.h"
#include "base/units.h"
#include "cli/out.h"
#include "cli/run.h"
#include "control/wire.h"

#define FIRST_PAUSE_NS   (50 * THAW_NS_PER_MS)
#define LONGEST_PAUSE_NS (500 * THAW_NS_PER_MS)

struct importing {
	struct thaw_run *run;
	struct thaw_json_out json;
	json_t *tickets; /* items: path, ticket */
};

/* --- which ---------------------------------------------------------------- */

/* Everything in a mount names the socket, so a word that does is a path; one
 * with a slash is meant as one. */
static bool is_path(const char *word)
{
	return strchr(word, '/') || word[0] == '.' ||
	       lgetxattr(word, THAW_XATTR_SOCKET, NULL, 0) > 0;
}

/* The first word that tells where the mount is; NULL: none of them. */
static const char *first_path(const struct thaw_args *args)
{
	for (size_t i = 0; i < args->count; i++) {
		if (is_path(args->words[i]))
			return args->words[i];
	}
	return NULL;
}

static int add_word(struct thaw_run *run, json_t *paths, json_t *collections, const char *word)
{
	_cleanup_free_ char *inside = NULL;
	struct thaw_err err = {""};
	int rc;

	if (!is_path(word)) {
		if (json_array_append_new(collections, json_string(word))) {
			thaw_run_failed(run, word, strlen(word), -ENOENT, "no such collection");
			return -ENOENT;
		}
		return 0;
	}
	rc = thaw_place_inside(&run->place, word, &inside, &err);
	if (rc)
		thaw_run_failed(run, word, strlen(word), rc, err.text);
	else
		(void)json_array_append_new(paths, thaw_wire_path(inside, strlen(inside)));
	return rc;
}

/* NULL: one of the words is wrong, which was told. */
static json_t *make_request(struct thaw_run *run)
{
	json_t *paths = json_array(), *collections = json_array();
	int rc = 0;

	for (size_t i = 0; i < run->args->count && !rc; i++)
		rc = add_word(run, paths, collections, run->args->words[i]);
	if (rc) {
		json_decref(paths);
		json_decref(collections);
		return NULL;
	}
	return json_pack("{s:s, s:o, s:o, s:b}", "op", THAW_OP_IMPORT, "paths", paths,
			 "collections", collections, "allow_empty", run->args->allow_empty ? 1 : 0);
}

/* --- following ------------------------------------------------------------ */

static json_t *look(struct thaw_run *run, json_int_t ticket)
{
	json_t *ok = NULL;

	(void)thaw_run_ask(run,
			   json_pack("{s:s, s:I}", "op", THAW_OP_IMPORT_PROGRESS, "ticket", ticket),
			   NULL, NULL, &ok);
	return ok;
}

/* The last answer; NULL: it could not be had, which was told. */
static json_t *follow(struct thaw_run *run, json_int_t ticket)
{
	struct timespec pause = {.tv_nsec = FIRST_PAUSE_NS};
	struct thaw_progress progress;
	json_t *now;

	thaw_progress_init(&progress, run->args->json ? NULL : stderr, "importing", "entries");
	while ((now = look(run, ticket)) && json_is_true(json_object_get(now, "running"))) {
		thaw_progress_show(&progress, thaw_json_u64(now, "entries"), 0);
		json_decref(now);
		(void)nanosleep(&pause, NULL);
		pause.tv_nsec = pause.tv_nsec * 3 / 2;
		if (pause.tv_nsec > LONGEST_PAUSE_NS)
			pause.tv_nsec = LONGEST_PAUSE_NS;
	}
	if (now && progress.tty && progress.drawn_ns)
		thaw_progress_end(&progress, thaw_json_u64(now, "entries"), 0);
	return now;
}

static void print_sum(const json_t *now, double seconds)
{
	uint64_t entries = thaw_json_u64(now, "entries");

	(void)printf("%" PRIu64 " directories, %" PRIu64 " entries: %" PRIu64 " added, %" PRIu64
		     " changed, %" PRIu64 " lost, %" PRIu64 " found again, %" PRIu64
		     " errors; %.1f s",
		     thaw_json_u64(now, "directories"), entries, thaw_json_u64(now, "added"),
		     thaw_json_u64(now, "changed"), thaw_json_u64(now, "lost"),
		     thaw_json_u64(now, "found"), thaw_json_u64(now, "errors"), seconds);
	if (seconds > 0.05)
		(void)printf(", %.0f entries/s", (double)entries / seconds);
	(void)putchar('\n');
}

/* Its errors count as failures; that it took anything, as done. */
static void judge(struct thaw_run *run, const json_t *now, const char *path, size_t len)
{
	const char *code = thaw_json_text(now, "code");
	uint64_t errors = thaw_json_u64(now, "errors");
	_cleanup_free_ char *message = NULL;
	size_t message_len;
	char text[700];

	run->done += code[0] == '\0';
	if (!code[0] && !errors)
		return;
	if (thaw_wire_get(now, "message", &message, &message_len))
		message = NULL;
	if (code[0])
		(void)snprintf(text, sizeof(text), "the import failed: %s",
			       message ? message : code);
	else
		(void)snprintf(text, sizeof(text), "%" PRIu64 " could not be taken, the first: %s",
			       errors, message ? message : "?");
	thaw_run_failed(run, path, len, code[0] ? -thaw_client_errno(code) : -EIO, text);
}

static void one_import(struct importing *im, json_t *item, int64_t begun_ns)
{
	json_t *now = follow(im->run, json_integer_value(json_object_get(item, "ticket")));
	double seconds = (double)(thaw_clock_mono_ns() - begun_ns) / 1e9;
	_cleanup_free_ char *path = NULL;
	size_t len = 0;

	if (!now)
		return;
	path = thaw_run_item_path(im->run, item, &len);
	judge(im->run, now, path, len);
	if (!im->run->args->json) {
		if (json_array_size(im->tickets) > 1 && path) {
			thaw_out_name(stdout, path, len);
			(void)fputs(": ", stdout);
		}
		print_sum(now, seconds);
		json_decref(now);
		return;
	}
	(void)json_object_del(now, "ok");
	(void)json_object_del(now, "running");
	if (path)
		(void)thaw_wire_set(now, "path", path, len);
	(void)json_object_set_new(now, "seconds", json_real(seconds));
	thaw_json_add(&im->json, now);
}

static void without_waiting(struct importing *im, json_t *item)
{
	im->run->done++;
	if (im->run->args->json)
		thaw_json_add(&im->json,
			      json_pack("{s:O}", "ticket", json_object_get(item, "ticket")));
	else
		(void)printf("import has begun\n");
}

/* --- the command ---------------------------------------------------------- */

static int take_ticket(void *ctx, json_t *item)
{
	struct importing *im = ctx;
	struct thaw_err err = {""};
	int rc = thaw_client_error(item, &err);
	_cleanup_free_ char *path = NULL;
	size_t len = 0;

	if (!rc)
		return json_array_append(im->tickets, item) ? -ENOMEM : 0;
	path = thaw_run_item_path(im->run, item, &len);
	thaw_run_failed(im->run, path, len, rc, err.text);
	return 0;
}

static void import(struct importing *im)
{
	int64_t begun_ns = thaw_clock_mono_ns();
	json_t *request = make_request(im->run), *item;
	size_t i;

	if (!request || thaw_run_ask(im->run, request, take_ticket, im, NULL))
		return;
	json_array_foreach(im->tickets, i, item)
	{
		if (im->run->args->no_wait)
			without_waiting(im, item);
		else
			one_import(im, item, begun_ns);
	}
}

int thaw_cmd_import(const struct thaw_args *args)
{
	struct thaw_run run;
	struct importing im = {.run = &run, .tickets = json_array()};
	int status;

	if (args->wait && args->no_wait) {
		thaw_out_error(NULL, 0, "import: --wait and --no-wait exclude each other");
		json_decref(im.tickets);
		return THAW_EXIT_USAGE;
	}
	if (thaw_run_open(&run, args, first_path(args)) == 0) {
		if (args->json)
			thaw_json_begin(&im.json, stdout, "imports");
		import(&im);
		if (args->json)
			thaw_json_end(&im.json, json_pack("{s:O}", "errors", run.errors));
	}
	status = thaw_run_exit(&run);
	thaw_run_close(&run);
	json_decref(im.tickets);
	return status;
}
