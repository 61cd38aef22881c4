/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "metrics/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

#define CACHE_LINE 64
#define COUNTER    true
#define GAUGE      false

static const struct thaw_metric_info infos[] = {
#define INFO(kind_, id, name_, label_, help_) \
	[THAW_M_##id] = {.name = "thawfs_" name_, .label = label_, .help = help_, .counter = kind_},
	THAW_METRICS_TABLE(INFO)};

static const struct {
	const char *name, *help;
} histogram_infos[] = {
#define HISTOGRAM_INFO(id, name_, help_) [THAW_H_##id] = {"thawfs_" name_, help_},
	THAW_HISTOGRAMS_TABLE(HISTOGRAM_INFO)};

/* Upper bounds, from a fast GET to a day in a tape queue; above the last is
 * the bucket le="+Inf". */
static const struct {
	int64_t ns;
	const char *le;
} bounds[] = {
	{1 * THAW_NS_PER_MS, "0.001"},    {10 * THAW_NS_PER_MS, "0.01"},
	{100 * THAW_NS_PER_MS, "0.1"},    {1 * THAW_NS_PER_S, "1"},
	{5 * THAW_NS_PER_S, "5"},         {15 * THAW_NS_PER_S, "15"},
	{60 * THAW_NS_PER_S, "60"},       {300 * THAW_NS_PER_S, "300"},
	{900 * THAW_NS_PER_S, "900"},     {3600 * THAW_NS_PER_S, "3600"},
	{14400 * THAW_NS_PER_S, "14400"}, {86400 * THAW_NS_PER_S, "86400"},
};
#define BOUNDS (sizeof(bounds) / sizeof(bounds[0]))

/* A line each, so that two busy counters do not slow each other down. */
static struct {
	_Alignas(CACHE_LINE) atomic_int_least64_t value;
} values[THAW_METRICS_COUNT];

static struct {
	_Alignas(CACHE_LINE) atomic_uint_least64_t buckets[BOUNDS + 1]; /* not cumulative */
	atomic_uint_least64_t sum_ns;
} histograms[THAW_HISTOGRAMS_COUNT];

void thaw_metrics_add(enum thaw_metric metric, int64_t n)
{
	assert(n >= 0 || !infos[metric].counter);
	atomic_fetch_add_explicit(&values[metric].value, n, memory_order_relaxed);
}

void thaw_metrics_raise(enum thaw_metric metric, int64_t total)
{
	int_least64_t now = thaw_metrics_get(metric);

	assert(infos[metric].counter);
	while (now < total &&
	       !atomic_compare_exchange_weak_explicit(&values[metric].value, &now, total,
						      memory_order_relaxed, memory_order_relaxed))
		;
}

void thaw_metrics_set(enum thaw_metric metric, int64_t value)
{
	assert(!infos[metric].counter);
	atomic_store_explicit(&values[metric].value, value, memory_order_relaxed);
}

int64_t thaw_metrics_get(enum thaw_metric metric)
{
	return atomic_load_explicit(&values[metric].value, memory_order_relaxed);
}

void thaw_metrics_observe(enum thaw_histogram histogram, int64_t ns)
{
	size_t i = 0;

	if (ns < 0)
		ns = 0;
	while (i < BOUNDS && ns > bounds[i].ns)
		i++;
	atomic_fetch_add_explicit(&histograms[histogram].buckets[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&histograms[histogram].sum_ns, (uint64_t)ns,
				  memory_order_relaxed);
}

static uint64_t bucket(enum thaw_histogram histogram, size_t i)
{
	return atomic_load_explicit(&histograms[histogram].buckets[i], memory_order_relaxed);
}

uint64_t thaw_metrics_observed(enum thaw_histogram histogram)
{
	uint64_t count = 0;

	for (size_t i = 0; i <= BOUNDS; i++)
		count += bucket(histogram, i);
	return count;
}

const struct thaw_metric_info *thaw_metrics_info(enum thaw_metric metric)
{
	return &infos[metric];
}

static void render_head(struct thaw_buf *buf, const char *name, const char *help, const char *type)
{
	thaw_buf_addf(buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void render_value(struct thaw_buf *buf, int metric)
{
	const struct thaw_metric_info *info = &infos[metric];

	if (!metric || strcmp(info[-1].name, info->name) != 0)
		render_head(buf, info->name, info->help, info->counter ? "counter" : "gauge");
	thaw_buf_adds(buf, info->name);
	if (info->label[0])
		thaw_buf_addf(buf, "{%s}", info->label);
	thaw_buf_addf(buf, " %" PRId64 "\n", thaw_metrics_get((enum thaw_metric)metric));
}

/* Every bucket is read once and the count made from them, so that what is
 * printed adds up although others go on counting. */
static void render_histogram(struct thaw_buf *buf, enum thaw_histogram histogram)
{
	const char *name = histogram_infos[histogram].name;
	uint64_t sum_ns = atomic_load_explicit(&histograms[histogram].sum_ns, memory_order_relaxed);
	uint64_t count = 0;

	render_head(buf, name, histogram_infos[histogram].help, "histogram");
	for (size_t i = 0; i <= BOUNDS; i++) {
		count += bucket(histogram, i);
		thaw_buf_addf(buf, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name,
			      i < BOUNDS ? bounds[i].le : "+Inf", count);
	}
	thaw_buf_addf(buf, "%s_sum %" PRIu64 ".%09" PRIu64 "\n%s_count %" PRIu64 "\n", name,
		      sum_ns / (uint64_t)THAW_NS_PER_S, sum_ns % (uint64_t)THAW_NS_PER_S, name,
		      count);
}

int thaw_metrics_render(struct thaw_buf *buf)
{
	for (int i = 0; i < THAW_METRICS_COUNT; i++)
		render_value(buf, i);
	for (int i = 0; i < THAW_HISTOGRAMS_COUNT; i++)
		render_histogram(buf, (enum thaw_histogram)i);
	return buf->error;
}
