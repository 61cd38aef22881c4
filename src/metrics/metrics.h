/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * metrics.h - counts and times of the whole process, for Prometheus.
 *
 * Atomics only: any thread may count at any time, under any lock.  A metric
 * is one row of metrics_table.h and is called THAW_M_<ID>; a family with a
 * label has one row for each value the label can take.
 */
#ifndef THAW_METRICS_METRICS_H
#define THAW_METRICS_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/metrics_table.h"

struct thaw_buf;

enum thaw_metric {
#define THAW_METRIC_ID(kind, id, ...) THAW_M_##id,
	THAW_METRICS_TABLE(THAW_METRIC_ID)
#undef THAW_METRIC_ID
		THAW_METRICS_COUNT,
};

enum thaw_histogram {
#define THAW_HISTOGRAM_ID(id, ...) THAW_H_##id,
	THAW_HISTOGRAMS_TABLE(THAW_HISTOGRAM_ID)
#undef THAW_HISTOGRAM_ID
		THAW_HISTOGRAMS_COUNT,
};

/* Counters take n >= 0; gauges may fall. */
void thaw_metrics_add(enum thaw_metric metric, int64_t n);
/* A counter that another room keeps: to that room's total, never down.  Not for
 * one that is added to as well. */
void thaw_metrics_raise(enum thaw_metric metric, int64_t total);
/* Gauges only. */
void thaw_metrics_set(enum thaw_metric metric, int64_t value);
int64_t thaw_metrics_get(enum thaw_metric metric);

/* A duration; less than 0 counts as 0. */
void thaw_metrics_observe(enum thaw_histogram histogram, int64_t ns);
uint64_t thaw_metrics_observed(enum thaw_histogram histogram); /* how many */

struct thaw_metric_info {
	const char *name;  /* "thawfs_opens_total" */
	const char *label; /* "result=\"hit\"", or "" */
	const char *help;
	bool counter; /* else gauge */
};
const struct thaw_metric_info *thaw_metrics_info(enum thaw_metric metric);

/* Appends everything in Prometheus' text format (0.0.4). */
int thaw_metrics_render(struct thaw_buf *buf);

#endif
