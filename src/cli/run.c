/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/control_proto.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/out.h"
#include "control/wire.h"

/* A request's line stays below the limit even if every byte becomes \u00xx. */
#define PART_BYTES (THAW_CONTROL_LINE_MAX / 8)
#define PART_PATHS 500
#define STALE_NS   (THAW_CONTROL_IDLE_MS / 2 * THAW_NS_PER_MS)

static int learn_mountpoint(struct thaw_run *run, struct thaw_err *err)
{
	_cleanup_free_ char *point = NULL;
	json_t *ok = NULL;
	size_t len;
	int rc = thaw_client_ask(run->client, json_pack("{s:s}", "op", THAW_OP_PING), NULL, NULL,
				 &ok, err);

	if (!rc && thaw_wire_get(ok, "mountpoint", &point, &len) == 0)
		rc = thaw_place_set_point(&run->place, point);
	json_decref(ok);
	return rc;
}

int thaw_run_open(struct thaw_run *run, const struct thaw_args *args, const char *first)
{
	struct thaw_err err = {""};
	int rc;

	*run = (struct thaw_run){.args = args, .errors = json_array()};
	rc = thaw_place_find(args, first, &run->place, &err);
	if (rc) {
		thaw_run_failed(run, NULL, 0, rc, err.text);
		return rc;
	}
	rc = thaw_client_open(run->place.socket, &run->client, &err);
	run->used_ns = thaw_clock_mono_ns();
	if (!rc && !run->place.point)
		rc = learn_mountpoint(run, &err);
	if (rc)
		thaw_run_failed(run, run->place.socket, strlen(run->place.socket), rc, err.text);
	return rc;
}

void thaw_run_close(struct thaw_run *run)
{
	run->client = thaw_client_close(run->client);
	thaw_place_release(&run->place);
	json_decref(run->errors);
	run->errors = NULL;
}

void thaw_run_failed(struct thaw_run *run, const char *path, size_t len, int rc, const char *text)
{
	json_t *error;

	run->failed++;
	if (!text[0])
		text = strerror(-rc);
	thaw_out_error(path, len, "%s", text);
	if (!run->args->json)
		return;
	error = json_pack("{s:s}", "code", thaw_err_name(rc));
	(void)thaw_wire_set(error, "error", text, strlen(text));
	if (path)
		(void)thaw_wire_set(error, "path", path, len);
	(void)json_array_append_new(run->errors, error);
}

int thaw_run_exit(const struct thaw_run *run)
{
	if (!run->failed)
		return THAW_EXIT_DONE;
	return run->done ? THAW_EXIT_PARTLY : THAW_EXIT_FAILED;
}

/* The daemon cuts those who are silent for long. */
static int ask(struct thaw_run *run, json_t *request, int (*item)(void *ctx, json_t *item),
	       void *ctx, json_t **ret_ok, struct thaw_err *err)
{
	int rc = 0;

	if (thaw_clock_mono_ns() - run->used_ns > STALE_NS) {
		run->client = thaw_client_close(run->client);
		rc = thaw_client_open(run->place.socket, &run->client, err);
	}
	if (rc)
		json_decref(request);
	else
		rc = thaw_client_ask(run->client, request, item, ctx, ret_ok, err);
	run->used_ns = thaw_clock_mono_ns();
	return rc;
}

int thaw_run_ask(struct thaw_run *run, json_t *request, int (*item)(void *ctx, json_t *item),
		 void *ctx, json_t **ret_ok)
{
	struct thaw_err err = {""};
	int rc = ask(run, request, item, ctx, ret_ok, &err);

	if (rc < 0)
		thaw_run_failed(run, NULL, 0, rc, err.text);
	return rc;
}

/* --- many paths ----------------------------------------------------------- */

void thaw_path_list_release(struct thaw_path_list *targets)
{
	for (size_t i = 0; i < targets->count; i++)
		free(targets->inside[i]);
	free(targets->inside);
	free(targets->words);
	*targets = (struct thaw_path_list){0};
}

int thaw_run_resolve(struct thaw_run *run, char *const *words, size_t count,
		     struct thaw_path_list *ret)
{
	struct thaw_path_list targets = {
		.words = calloc(count + 1, sizeof(*targets.words)),
		.inside = calloc(count + 1, sizeof(*targets.inside)),
	};

	if (!targets.words || !targets.inside) {
		thaw_path_list_release(&targets);
		thaw_run_failed(run, NULL, 0, -ENOMEM, "");
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		struct thaw_err err = {""};
		char *inside;
		int rc = thaw_place_inside(&run->place, words[i], &inside, &err);

		if (rc) {
			thaw_run_failed(run, words[i], strlen(words[i]), rc, err.text);
			continue;
		}
		targets.words[targets.count] = words[i];
		targets.inside[targets.count++] = inside;
	}
	*ret = targets;
	return 0;
}

/* What goes out in one request: `count` of the targets from `first` on. */
struct part {
	struct thaw_run *run;
	const struct thaw_path_list *targets;
	size_t first, count;
	uint64_t failed;
	void (*item)(void *ctx, const char *word, json_t *item);
	void *ctx;
};

/* Items name their path by its number in the request. */
static int take_item(void *ctx, json_t *item)
{
	struct part *part = ctx;
	uint64_t index = thaw_json_u64(item, "index");
	struct thaw_err err = {""};
	const char *word;
	int rc;

	if (index >= part->count)
		return -EPROTO;
	word = part->targets->words[part->first + index];
	rc = thaw_client_error(item, &err);
	if (rc) {
		part->failed++;
		thaw_run_failed(part->run, word, strlen(word), rc, err.text);
	} else if (part->item) {
		part->item(part->ctx, word, item);
	}
	return 0;
}

static json_t *make_paths(struct part *part)
{
	json_t *paths = json_array();
	size_t bytes = 0;

	part->count = 0;
	for (size_t i = part->first; i < part->targets->count; i++) {
		const char *inside = part->targets->inside[i];

		bytes += strlen(inside);
		if (part->count == PART_PATHS || (part->count && bytes > PART_BYTES))
			break;
		if (json_array_append_new(paths, thaw_wire_path(inside, strlen(inside)))) {
			json_decref(paths);
			return NULL;
		}
		part->count++;
	}
	return paths;
}

/* A request none of whose paths could be taken is an error too, but each path
 * was told already. */
static int send_part(struct part *part, json_t *request)
{
	json_t *copy = json_copy(request);
	struct thaw_err err = {""};
	int rc;

	part->failed = 0;
	if (copy && json_object_set_new(copy, "paths", make_paths(part))) {
		json_decref(copy);
		copy = NULL;
	}
	rc = ask(part->run, copy, take_item, part, NULL, &err);
	if (rc < 0 && part->failed < part->count)
		thaw_run_failed(part->run, NULL, 0, rc, err.text);
	if (rc >= 0)
		part->run->done += part->count - part->failed;
	part->first += part->count;
	return rc;
}

int thaw_run_paths(struct thaw_run *run, json_t *request, const struct thaw_path_list *targets,
		   void (*item)(void *ctx, const char *word, json_t *item), void *ctx)
{
	struct part part = {.run = run, .targets = targets, .item = item, .ctx = ctx};
	int rc = 0;

	while (!rc && part.first < targets->count)
		rc = send_part(&part, request);
	return rc;
}

int thaw_run_words(struct thaw_run *run, json_t *request, char *const *words, size_t count,
		   void (*item)(void *ctx, const char *word, json_t *item), void *ctx)
{
	struct thaw_path_list targets;
	int rc = thaw_run_resolve(run, words, count, &targets);

	if (!rc) {
		rc = thaw_run_paths(run, request, &targets, item, ctx);
		thaw_path_list_release(&targets);
	}
	json_decref(request);
	return rc;
}

/* --- paths in answers ----------------------------------------------------- */

char *thaw_run_item_path(const struct thaw_run *run, const json_t *item, size_t *ret_len)
{
	_cleanup_free_ char *inside = NULL;
	char *path = NULL;
	size_t len;

	if (thaw_wire_get(item, "path", &inside, &len) ||
	    thaw_place_outside(&run->place, inside, len, &path, ret_len))
		return NULL;
	return path;
}

int thaw_run_set_path(const struct thaw_run *run, json_t *object, const char *inside, size_t len)
{
	_cleanup_free_ char *path = NULL;
	int rc = thaw_place_outside(&run->place, inside, len, &path, &len);

	(void)json_object_del(object, "path");
	(void)json_object_del(object, "path_b64");
	return rc ? rc : thaw_wire_set(object, "path", path, len);
}
