/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * metrics_fill.h - what the engine counts for itself, put among the metrics.
 *
 * Opens are counted by the kernel's door, which sees also those that never
 * reach the engine; the engine's own counts of them are not taken.
 */
#ifndef THAW_CONTROL_METRICS_FILL_H
#define THAW_CONTROL_METRICS_FILL_H

struct thaw_buf;
struct thaw_stage;

int thaw_metrics_fill(struct thaw_stage *stage);
/* Fills, then appends all metrics as text.  Any thread, no lock held. */
int thaw_metrics_text(struct thaw_stage *stage, struct thaw_buf *buf);

#endif
