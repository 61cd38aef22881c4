/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client.h - a connection to the daemon: a request out, its answer in.
 */
#ifndef THAW_CLI_CLIENT_H
#define THAW_CLI_CLIENT_H

#include <jansson.h>

struct thaw_client;
struct thaw_err;

int thaw_client_open(const char *socket, struct thaw_client **ret, struct thaw_err *err);
struct thaw_client *thaw_client_close(struct thaw_client *client);

/*
 * Sends the request (its reference is taken, NULL is -ENOMEM) and calls item
 * for every item, borrowed; other than 0 from it is returned in the end, after
 * the whole answer was read.  An error of the daemon's is returned as its
 * -errno with its text.  -ECONNRESET: the connection is of no more use.
 * ret_ok (may be NULL): the last line, the caller's.
 */
int thaw_client_ask(struct thaw_client *client, json_t *request,
		    int (*item)(void *ctx, json_t *item), void *ctx, json_t **ret_ok,
		    struct thaw_err *err);

/* errno of a name, as the daemon sends it; EIO for what is unknown here. */
int thaw_client_errno(const char *name);
/* Of an {"error": {...}} member: -errno, text copied to err; 0: there is none. */
int thaw_client_error(const json_t *holder, struct thaw_err *err);

#endif
