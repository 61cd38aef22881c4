/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * metrics_http.h - the metrics over HTTP, for Prometheus.
 *
 * GET /metrics is all it has; whoever reaches the address may read it.  One
 * thread of its own, a bounded number of connections, each cut when idle.
 */
#ifndef THAW_CONTROL_METRICS_HTTP_H
#define THAW_CONTROL_METRICS_HTTP_H

#include <stdint.h>

struct thaw_err;
struct thaw_metrics_http;
struct thaw_stage;

/* Makes a thread: after the daemon's fork.  host_port: HOST:PORT or [IPV6]:PORT.
 * The stage is borrowed until stop and must have been started. */
int thaw_metrics_http_start(struct thaw_stage *stage, const char *host_port,
			    struct thaw_metrics_http **ret, struct thaw_err *err);
/* Ends every conversation, joins the thread.  Call it while the engine still runs. */
struct thaw_metrics_http *thaw_metrics_http_stop(struct thaw_metrics_http *http);

/* Where it listens; tells what port 0 became. */
uint16_t thaw_metrics_http_port(const struct thaw_metrics_http *http);

#endif
