/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_state.c - thaw state.
 */
#include <errno.h>
#include <string.h>
#include <thaw/control_proto.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/units.h"
#include "cli/out.h"
#include "cli/run.h"
#include "control/wire.h"

#define SHOWN_MAX (1024 * 1024)

static const struct thaw_column columns[] = {
	{"STATE", 9, false},
	{"SIZE", 7, true},
	{"CACHED", 7, true},
	{"PIN", 20, false},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct listing {
	struct thaw_run *run;
	struct thaw_json_out json;
	const char *word; /* as it was given, */
	size_t base_len;  /* of what the daemon calls it */
};

/* What the item is called beginning with the caller's word, as ls does. */
static void add_shown(const struct listing *listing, const char *inside, size_t len,
		      struct thaw_buf *shown)
{
	const char *rest = inside + (len > listing->base_len ? listing->base_len : len);

	(void)thaw_buf_adds(shown, listing->word);
	if (!*rest)
		return;
	if (*rest == '/')
		rest++;
	if (shown->len && shown->data[shown->len - 1] != '/')
		(void)thaw_buf_adds(shown, "/");
	(void)thaw_buf_adds(shown, rest);
}

static void print_line(const json_t *item, struct thaw_buf *shown)
{
	char size[THAW_SIZE_TEXT], cached[THAW_SIZE_TEXT];
	const char *pin = thaw_json_text(item, "pin");
	const char *cells[COLUMNS] = {
		thaw_json_text(item, "state"),
		thaw_format_size(size, thaw_json_u64(item, "size")),
		thaw_format_size(cached, thaw_json_u64(item, "cached_bytes")),
		strcmp(pin, "none") == 0 ? "-" : pin,
	};

	if (strcmp(thaw_json_text(item, "type"), "dir") == 0 && shown->len &&
	    shown->data[shown->len - 1] != '/')
		(void)thaw_buf_adds(shown, "/");
	thaw_out_row(stdout, columns, COLUMNS, cells, shown->data, shown->len);
}

static int take(struct listing *listing, json_t *item, const char *inside, size_t len,
		struct thaw_buf *shown)
{
	struct thaw_run *run = listing->run;
	struct thaw_err err = {""};
	int rc = thaw_client_error(item, &err);

	if (rc) {
		thaw_run_failed(run, shown->data, shown->len, rc, err.text);
		return 0;
	}
	run->done++;
	if (!run->args->json) {
		print_line(item, shown);
		return 0;
	}
	(void)thaw_run_set_path(run, item, inside, len);
	thaw_json_add(&listing->json, json_incref(item));
	return 0;
}

static int take_item(void *ctx, json_t *item)
{
	struct listing *listing = ctx;
	_cleanup_free_ char *inside = NULL;
	struct thaw_buf shown;
	size_t len;
	int rc = thaw_wire_get(item, "path", &inside, &len);

	if (rc)
		return rc;
	thaw_buf_init(&shown, SHOWN_MAX);
	add_shown(listing, inside, len, &shown);
	rc = take(listing, item, inside, len, &shown);
	thaw_buf_release(&shown);
	return rc;
}

static const char *depth_of(const struct thaw_args *args)
{
	return args->recursive ? "tree" : args->directory ? "self" : "children";
}

static void one_word(struct listing *listing, const char *word, const char *inside)
{
	struct thaw_run *run = listing->run;
	json_t *request =
		json_pack("{s:s, s:s}", "op", THAW_OP_STATE, "depth", depth_of(run->args));
	struct thaw_err err = {""};
	int rc;

	(void)thaw_wire_set(request, "path", inside, strlen(inside));
	listing->word = word;
	listing->base_len = strcmp(inside, "/") ? strlen(inside) : 0;
	rc = thaw_client_ask(run->client, request, take_item, listing, NULL, &err);
	if (rc)
		thaw_run_failed(run, word, strlen(word), rc, err.text);
}

static void list(struct listing *listing)
{
	struct thaw_run *run = listing->run;

	for (size_t i = 0; i < run->args->count; i++) {
		const char *word = run->args->words[i];
		_cleanup_free_ char *inside = NULL;
		struct thaw_err err = {""};
		int rc = thaw_place_inside(&run->place, word, &inside, &err);

		if (rc)
			thaw_run_failed(run, word, strlen(word), rc, err.text);
		else
			one_word(listing, word, inside);
	}
}

int thaw_cmd_state(const struct thaw_args *args)
{
	struct thaw_run run;
	struct listing listing = {.run = &run};
	int status;

	if (thaw_run_open(&run, args, args->words[0]) == 0) {
		if (args->json)
			thaw_json_begin(&listing.json, stdout, "files");
		else
			thaw_out_head(stdout, columns, COLUMNS, "PATH");
		list(&listing);
		if (args->json)
			thaw_json_end(&listing.json, json_pack("{s:O}", "errors", run.errors));
	}
	status = thaw_run_exit(&run);
	thaw_run_close(&run);
	return status;
}
