/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * progress.h - how far long work has come, for a terminal or a log.
 *
 * On a terminal one line is redrawn in place, at most ten times a second;
 * elsewhere a plain line every ten seconds, and one at the end.
 */
#ifndef THAW_BASE_PROGRESS_H
#define THAW_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct thaw_progress {
	FILE *out;        /* borrowed; NULL draws nothing */
	const char *verb; /* borrowed: "staging" */
	const char *unit; /* borrowed: "files"; NULL: bytes */
	bool tty;
	int64_t start_ns;
	int64_t drawn_ns;
};

void thaw_progress_init(struct thaw_progress *progress, FILE *out, const char *verb,
			const char *unit);
/* total 0: not known, no share and no ETA is shown. */
void thaw_progress_show(struct thaw_progress *progress, uint64_t done, uint64_t total);
/* Draws the last state and ends the line. */
void thaw_progress_end(struct thaw_progress *progress, uint64_t done, uint64_t total);

#endif
