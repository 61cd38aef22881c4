/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * request_json.h - a request as the WLCG Tape REST API's stage resource.
 */
#ifndef THAW_CLI_REQUEST_JSON_H
#define THAW_CLI_REQUEST_JSON_H

struct thaw_run;

/* {"files": [{"path", "state", "error"}], "requestId", "createdAt", ...}; the
 * paths that the run could not even ask for are files that FAILED. */
int thaw_request_print_json(struct thaw_run *run, const char *id);
/* The same when there is no request, because no path could be asked for. */
void thaw_request_print_refused(struct thaw_run *run);

#endif
