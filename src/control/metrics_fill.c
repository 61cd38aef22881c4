/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control/metrics_fill.h"

#include <stddef.h>

#include "metrics/metrics.h"
#include "stage/admin.h"

static void fill(const struct thaw_status *s)
{
	const struct {
		enum thaw_metric metric;
		uint64_t value;
	} rows[] = {
		{THAW_M_START_TIME, (uint64_t)s->started},
		{THAW_M_BYTES_STAGED, s->staged_bytes},
		{THAW_M_STAGE_DONE, s->staged_files},
		{THAW_M_STAGE_FAILED, s->failures},
		{THAW_M_QUEUE_DEPTH, s->queue},
		{THAW_M_FLIGHTS, s->flights},
		{THAW_M_WAITERS, s->waiters},
		{THAW_M_REQUESTS_ACTIVE, s->requests_open},
		{THAW_M_CACHE_SIZE_BYTES, s->size},
		{THAW_M_CACHE_USED_BYTES, s->used},
		{THAW_M_CACHE_BYTES, s->resident_bytes},
		{THAW_M_CACHE_RESERVED_BYTES, s->reserved_bytes},
		{THAW_M_CACHE_PINNED_BYTES, s->pinned_bytes},
		{THAW_M_CACHE_FILES, s->resident_files},
		{THAW_M_EVICTIONS, s->evicted_files},
		{THAW_M_EVICTED_BYTES, s->evicted_bytes},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (thaw_metrics_info(rows[i].metric)->counter)
			thaw_metrics_raise(rows[i].metric, (int64_t)rows[i].value);
		else
			thaw_metrics_set(rows[i].metric, (int64_t)rows[i].value);
	}
}

int thaw_metrics_fill(struct thaw_stage *stage)
{
	struct thaw_status status;
	int rc = thaw_stage_status(stage, &status);

	if (!rc)
		fill(&status);
	return rc;
}

int thaw_metrics_text(struct thaw_stage *stage, struct thaw_buf *buf)
{
	int rc = thaw_metrics_fill(stage);

	return rc ? rc : thaw_metrics_render(buf);
}
