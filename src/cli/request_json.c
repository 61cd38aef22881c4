/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/request_json.h"

#include <string.h>

#include "base/cleanup.h"
#include "cli/out.h"
#include "cli/run.h"
#include "cli/wait.h"
#include "control/wire.h"

struct printing {
	struct thaw_run *run;
	struct thaw_json_out json;
};

static int print_file(void *ctx, json_t *file)
{
	struct printing *p = ctx;
	json_t *item = json_object();
	_cleanup_free_ char *inside = NULL;
	size_t len;

	(void)json_object_update(item, file);
	(void)json_object_del(item, "seq");
	if (thaw_wire_get(file, "path", &inside, &len) == 0)
		(void)thaw_run_set_path(p->run, item, inside, len);
	thaw_json_add(&p->json, item);
	return 0;
}

static void print_refused(struct printing *p)
{
	json_t *error;
	size_t i;

	json_array_foreach(p->run->errors, i, error)
	{
		json_t *item = json_copy(error);

		if (!json_object_get(item, "path") && !json_object_get(item, "path_b64")) {
			json_decref(item); /* not about a file */
			continue;
		}
		(void)json_object_set_new(item, "state", json_string("FAILED"));
		thaw_json_add(&p->json, item);
	}
}

int thaw_request_print_json(struct thaw_run *run, const char *id)
{
	struct printing p = {.run = run};
	json_t *summary = NULL;
	int rc;

	thaw_json_begin(&p.json, stdout, "files");
	print_refused(&p);
	rc = thaw_wait_each_file(run, id, print_file, &p, &summary);
	(void)json_object_del(summary, "ok");
	thaw_json_end(&p.json, summary);
	return rc;
}

void thaw_request_print_refused(struct thaw_run *run)
{
	struct printing p = {.run = run};

	thaw_json_begin(&p.json, stdout, "files");
	print_refused(&p);
	thaw_json_end(&p.json, NULL);
}
