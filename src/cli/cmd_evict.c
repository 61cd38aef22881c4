/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_evict.c - thaw evict.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <thaw/control_proto.h>

#include "base/units.h"
#include "cli/out.h"
#include "cli/run.h"
#include "control/wire.h"

struct evicting {
	struct thaw_run *run;
	struct thaw_json_out json;
	uint64_t files, bytes;
	uint64_t stayed; /* paths of which something did */
};

/* What stays although it was asked for is a failure of that path. */
static void tell_stayed(struct evicting *e, const char *word, uint64_t pinned, uint64_t busy)
{
	char text[128], files[THAW_FILES_TEXT];

	if (pinned) {
		(void)snprintf(text, sizeof(text), "%s, pinned, stayed (--force drops them too)",
			       thaw_out_files(files, pinned));
		thaw_run_failed(e->run, word, strlen(word), -EBUSY, text);
	}
	if (busy) {
		(void)snprintf(text, sizeof(text), "%s, in use, stayed",
			       thaw_out_files(files, busy));
		thaw_run_failed(e->run, word, strlen(word), -EBUSY, text);
	}
	e->stayed += pinned || busy;
}

static void evicted(void *ctx, const char *word, json_t *item)
{
	struct evicting *e = ctx;

	e->files += thaw_json_u64(item, "evicted_files");
	e->bytes += thaw_json_u64(item, "evicted_bytes");
	tell_stayed(e, word, thaw_json_u64(item, "pinned_files"),
		    thaw_json_u64(item, "busy_files"));
	if (!e->run->args->json)
		return;
	(void)json_object_del(item, "index");
	(void)json_object_del(item, "path_b64");
	(void)json_object_del(item, "path");
	(void)thaw_wire_set(item, "path", word, strlen(word));
	thaw_json_add(&e->json, json_incref(item));
}

static void print_sum(struct evicting *e)
{
	char size[THAW_SIZE_TEXT], files[THAW_FILES_TEXT];

	if (e->run->args->json)
		thaw_json_end(&e->json, json_pack("{s:I, s:I, s:O}", "evicted_files",
						  (json_int_t)e->files, "evicted_bytes",
						  (json_int_t)e->bytes, "errors", e->run->errors));
	else
		(void)printf("evicted %s, %s\n", thaw_out_files(files, e->files),
			     thaw_format_size(size, e->bytes));
}

int thaw_cmd_evict(const struct thaw_args *args)
{
	struct thaw_run run;
	struct evicting e = {.run = &run};
	int rc, status;

	if (thaw_run_open(&run, args, args->words[0]) == 0) {
		if (args->json)
			thaw_json_begin(&e.json, stdout, "evicted");
		rc = thaw_run_words(
			&run,
			json_pack("{s:s, s:b}", "op", THAW_OP_EVICT, "force", args->force ? 1 : 0),
			args->words, args->count, evicted, &e);
		if (!rc || args->json)
			print_sum(&e);
		/* a path counts as done when all of it, or some of it, went */
		run.done -= run.done < e.stayed ? run.done : e.stayed;
		run.done += e.files;
	}
	status = thaw_run_exit(&run);
	thaw_run_close(&run);
	return status;
}
