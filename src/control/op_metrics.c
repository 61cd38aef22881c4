/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * op_metrics.c - metrics.
 */
#include "base/buf.h"
#include "control/metrics_fill.h"
#include "control/op.h"

/* Leaves room for what JSON escapes in a line of the protocol. */
#define TEXT_MAX (256 * 1024)

int thaw_op_metrics_start(struct thaw_job *job)
{
	struct thaw_buf buf;
	int rc;

	thaw_buf_init(&buf, TEXT_MAX);
	rc = thaw_metrics_text(job->session->stage, &buf);
	if (!rc)
		thaw_reply_ok(job->session, json_pack("{s:s%}", "text", buf.data, buf.len));
	thaw_buf_release(&buf);
	return rc ? rc : THAW_STEP_DONE;
}
