/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_metrics.c - thaw metrics.
 */
#include <thaw/control_proto.h>

#include "cli/out.h"
#include "cli/run.h"

static int show(struct thaw_run *run)
{
	json_t *answer = NULL;
	int rc = thaw_run_ask(run, json_pack("{s:s}", "op", THAW_OP_METRICS), NULL, NULL, &answer);

	if (rc)
		return rc;
	if (run->args->json) {
		(void)json_object_del(answer, "ok");
		thaw_json_print(stdout, json_incref(answer));
	} else {
		(void)fputs(thaw_json_text(answer, "text"), stdout);
	}
	json_decref(answer);
	return 0;
}

int thaw_cmd_metrics(const struct thaw_args *args)
{
	struct thaw_run run;
	int rc = thaw_run_open(&run, args, NULL);

	if (!rc)
		rc = show(&run);
	thaw_run_close(&run);
	return rc ? THAW_EXIT_FAILED : THAW_EXIT_DONE;
}
