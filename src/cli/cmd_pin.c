/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_pin.c - thaw pin, thaw unpin, thaw pins.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/control_proto.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/out.h"
#include "cli/run.h"
#include "cli/wait.h"
#include "cli/words.h"
#include "control/wire.h"

static int usage(const char *text)
{
	thaw_out_error(NULL, 0, "pin: %s", text);
	return -EINVAL;
}

/* The options in the request; complains. */
static int add_options(const struct thaw_args *args, json_t *request)
{
	int64_t time;

	if (!!args->for_ + !!args->until + args->forever > 1)
		return usage("--for, --until and --forever exclude each other");
	if (args->for_) {
		if (thaw_parse_duration(args->for_, &time) || time <= 0)
			return usage("--for: give a time like 12h or 7d");
		(void)json_object_set_new(request, "for", json_integer(time));
	}
	if (args->until) {
		if (thaw_parse_instant(args->until, &time))
			return usage(
				"--until: give a time like 2026-12-01 or 2026-12-01T12:00:00Z");
		(void)json_object_set_new(request, "until", json_integer(time));
	}
	if (args->label && json_object_set_new(request, "label", json_string(args->label)))
		return usage("--label: give UTF-8 text");
	return 0;
}

struct pinning {
	struct thaw_run *run;
	struct thaw_words ids;
	struct thaw_json_out json;
};

static void pinned(void *ctx, const char *word, json_t *item)
{
	struct pinning *pinning = ctx;
	struct thaw_words *ids = &pinning->ids;
	const char *id = thaw_json_text(item, "requestId");

	if (pinning->run->args->json) {
		json_t *copy = json_pack("{s:s}", "requestId", id);

		(void)thaw_wire_set(copy, "path", word, strlen(word));
		thaw_json_add(&pinning->json, copy);
	}
	if (!id[0] || !pinning->run->args->wait)
		return;
	if (ids->count == ids->room) {
		size_t room = ids->room ? ids->room * 2 : 64;
		char **list = reallocarray(ids->list, room, sizeof(*list));

		if (!list)
			return;
		ids->list = list;
		ids->room = room;
	}
	ids->list[ids->count] = strdup(id);
	ids->count += ids->list[ids->count] != NULL;
}

static int wait_for_all(struct pinning *pinning)
{
	struct thaw_run *run = pinning->run;
	struct thaw_wait_sum sum;
	int rc;

	if (!pinning->ids.count)
		return 0;
	rc = thaw_wait_requests(run, pinning->ids.list, pinning->ids.count, 1.0, &sum);
	if (rc == -EINTR)
		thaw_wait_die_of_interrupt();
	if (!rc && sum.completed < sum.files)
		rc = thaw_wait_tell_missing(run, pinning->ids.list, pinning->ids.count);
	return rc;
}

static void pin_all(struct thaw_run *run, json_t *request)
{
	struct pinning pinning = {.run = run};

	if (run->args->json)
		thaw_json_begin(&pinning.json, stdout, "pinned");
	if (!thaw_run_words(run, request, run->args->words, run->args->count, pinned, &pinning))
		(void)wait_for_all(&pinning);
	if (run->args->json)
		thaw_json_end(&pinning.json, json_pack("{s:O}", "errors", run->errors));
	thaw_words_release(&pinning.ids);
}

int thaw_cmd_pin(const struct thaw_args *args)
{
	json_t *request = json_pack("{s:s}", "op", THAW_OP_PIN);
	struct thaw_run run;
	int status;

	if (add_options(args, request)) {
		json_decref(request);
		return THAW_EXIT_USAGE;
	}
	if (thaw_run_open(&run, args, args->words[0]) == 0)
		pin_all(&run, request);
	else
		json_decref(request);
	status = thaw_run_exit(&run);
	thaw_run_close(&run);
	return status;
}

int thaw_cmd_unpin(const struct thaw_args *args)
{
	struct thaw_run run;
	int status;

	if (thaw_run_open(&run, args, args->words[0]) == 0)
		(void)thaw_run_words(&run, json_pack("{s:s}", "op", THAW_OP_UNPIN), args->words,
				     args->count, NULL, NULL);
	if (args->json)
		thaw_json_print(stdout, json_pack("{s:I, s:O}", "unpinned", (json_int_t)run.done,
						  "errors", run.errors));
	status = thaw_run_exit(&run);
	thaw_run_close(&run);
	return status;
}

/* --- pins ----------------------------------------------------------------- */

static const struct thaw_column columns[] = {
	{"UNTIL", 20, false},
	{"BY", 8, false},
	{"LABEL", 16, false},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct listing {
	struct thaw_run *run;
	struct thaw_json_out json;
};

static void print_json(struct listing *listing, json_t *pin)
{
	json_t *copy = json_object();
	_cleanup_free_ char *inside = NULL;
	size_t len;

	(void)json_object_update(copy, pin);
	if (thaw_wire_get(pin, "path", &inside, &len) == 0)
		(void)thaw_run_set_path(listing->run, copy, inside, len);
	thaw_json_add(&listing->json, copy);
}

static int print_pin(void *ctx, json_t *pin)
{
	struct listing *listing = ctx;
	const json_t *expires = json_object_get(pin, "expires");
	char until[THAW_INSTANT_TEXT] = "forever", user[THAW_USER_TEXT];
	_cleanup_free_ char *path = NULL;
	const char *cells[COLUMNS];
	size_t len = 0;

	if (listing->run->args->json) {
		print_json(listing, pin);
		return 0;
	}
	if (json_is_integer(expires))
		(void)thaw_format_instant(until, json_integer_value(expires));
	cells[0] = until;
	cells[1] = thaw_out_user(user, (uint32_t)thaw_json_u64(pin, "owner"));
	cells[2] = thaw_json_text(pin, "label");
	path = thaw_run_item_path(listing->run, pin, &len);
	thaw_out_row(stdout, columns, COLUMNS, cells, path ? path : "?", path ? len : 1);
	return 0;
}

int thaw_cmd_pins(const struct thaw_args *args)
{
	struct thaw_run run;
	struct listing listing = {.run = &run};
	int rc = thaw_run_open(&run, args, NULL);

	if (!rc && args->json)
		thaw_json_begin(&listing.json, stdout, "pins");
	else if (!rc)
		thaw_out_head(stdout, columns, COLUMNS, "PATH");
	if (!rc) {
		rc = thaw_run_ask(&run, json_pack("{s:s}", "op", THAW_OP_PINS), print_pin, &listing,
				  NULL);
		if (args->json)
			thaw_json_end(&listing.json, NULL);
	}
	thaw_run_close(&run);
	return rc ? THAW_EXIT_FAILED : THAW_EXIT_DONE;
}
