/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wait.h - following requests until they end.
 */
#ifndef THAW_CLI_WAIT_H
#define THAW_CLI_WAIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thaw_run;

/* How far requests have come, all together. */
struct thaw_wait_sum {
	uint64_t files, completed, failed, cancelled; /* files: all known so far */
	uint64_t bytes, done_bytes;
	bool expanded; /* all files are known */
	bool finished;
};

/* Asks often at first and then more rarely, up to once a second.  Draws on
 * stderr unless --json.  Returns when all ended, or `fraction` (0..1) of the
 * files came.  A daemon that goes away is waited for, as requests survive it.
 * -EINTR: Ctrl-C, which was told; the requests go on. */
int thaw_wait_requests(struct thaw_run *run, char *const *ids, size_t n, double fraction,
		       struct thaw_wait_sum *ret);

/* Every file of a request, page by page; ret_ok (may be NULL): its summary. */
int thaw_wait_each_file(struct thaw_run *run, const char *id, int (*fn)(void *ctx, json_t *file),
			void *ctx, json_t **ret_ok);

/* Tells of each file that did not come and why; counts it as failed. */
int thaw_wait_tell_missing(struct thaw_run *run, char *const *ids, size_t n);

/* After an interrupt was told: end as the signal would have. */
void thaw_wait_die_of_interrupt(void);

#endif
