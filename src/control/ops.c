/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <thaw/control_proto.h>

#include "control/op.h"

/* clang-format off */
const struct thaw_op thaw_ops[] = {
	{ THAW_OP_PING, THAW_OPF_PUBLIC, thaw_op_ping_start, NULL, NULL },
	{ THAW_OP_VERSION, THAW_OPF_PUBLIC, thaw_op_ping_start, NULL, NULL },
	{ THAW_OP_STATUS, THAW_OPF_PUBLIC, thaw_op_status_start, NULL, NULL },
	{ THAW_OP_METRICS, THAW_OPF_PUBLIC, thaw_op_metrics_start, NULL, NULL },
	{ THAW_OP_STATE, 0, thaw_op_state_start, thaw_op_state_step, thaw_op_state_release },
	{ THAW_OP_STAGE, THAW_OPF_CHANGES, thaw_op_stage_start, thaw_targets_step, NULL },
	{ THAW_OP_STAGE_BEGIN, 0, thaw_op_stage_begin_start, NULL, NULL },
	{ THAW_OP_STAGE_PATHS, 0, thaw_op_stage_paths_start, thaw_targets_step, NULL },
	{ THAW_OP_STAGE_END, THAW_OPF_CHANGES, thaw_op_stage_end_start, NULL, NULL },
	{ THAW_OP_REQUESTS, 0, thaw_op_requests_start, NULL, NULL },
	{ THAW_OP_REQUEST, 0, thaw_op_request_start, thaw_op_request_step,
	  thaw_op_request_release },
	{ THAW_OP_CANCEL, THAW_OPF_CHANGES, thaw_op_cancel_start, NULL, NULL },
	{ THAW_OP_PIN, THAW_OPF_CHANGES, thaw_op_pin_start, thaw_targets_step,
	  thaw_op_pin_release },
	{ THAW_OP_UNPIN, THAW_OPF_CHANGES, thaw_op_unpin_start, thaw_targets_step,
	  thaw_op_pin_release },
	{ THAW_OP_PINS, 0, thaw_op_pins_start, thaw_op_pins_step, thaw_op_pin_release },
	{ THAW_OP_EVICT, THAW_OPF_ADMIN | THAW_OPF_CHANGES, thaw_op_evict_start,
	  thaw_targets_step, thaw_op_evict_release },
	{ THAW_OP_IMPORT, THAW_OPF_ADMIN | THAW_OPF_CHANGES, thaw_op_import_start,
	  thaw_targets_step, NULL },
	{ THAW_OP_IMPORT_PROGRESS, THAW_OPF_ADMIN, thaw_op_import_progress_start, NULL, NULL },
	{ NULL, 0, NULL, NULL, NULL },
};
/* clang-format on */

const struct thaw_op *thaw_op_named(const char *name)
{
	for (const struct thaw_op *op = thaw_ops; op->name; op++) {
		if (strcmp(op->name, name) == 0)
			return op;
	}
	return NULL;
}
