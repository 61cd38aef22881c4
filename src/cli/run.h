/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run.h - what every command has while it runs: its daemon, and a count of
 * what went well and what did not, from which its exit status follows.
 */
#ifndef THAW_CLI_RUN_H
#define THAW_CLI_RUN_H

#include <jansson.h>
#include <stdint.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/place.h"

struct thaw_run {
	const struct thaw_args *args;
	struct thaw_place place;
	struct thaw_client *client;
	int64_t used_ns; /* when the client was used last */
	json_t *errors;  /* [{"path", "code", "error"}] for --json */
	uint64_t done, failed;
};

/* Finds the daemon and connects; says on stderr why not. */
int thaw_run_open(struct thaw_run *run, const struct thaw_args *args, const char *first);
void thaw_run_close(struct thaw_run *run);

/* Tells of a failure and counts it.  path may be NULL. */
void thaw_run_failed(struct thaw_run *run, const char *path, size_t len, int rc, const char *text);
/* 0, 1 or 3. */
int thaw_run_exit(const struct thaw_run *run);

/* thaw_client_ask() that tells of a failure.  ret_ok may be NULL. */
int thaw_run_ask(struct thaw_run *run, json_t *request, int (*item)(void *ctx, json_t *item),
		 void *ctx, json_t **ret_ok);

/* Paths of the command line and what the daemon calls them. */
struct thaw_path_list {
	const char **words; /* borrowed */
	char **inside;
	size_t count;
};
/* Those that cannot be, are told and counted.  Done for all of them before
 * anything is asked: looking may take longer than the daemon's patience. */
int thaw_run_resolve(struct thaw_run *run, char *const *words, size_t count,
		     struct thaw_path_list *ret);
void thaw_path_list_release(struct thaw_path_list *targets);

/*
 * Sends them as the "paths" of as many requests as are needed, each a copy of
 * `request` (borrowed).  Paths that fail are told and counted; item is called
 * for the others that have one.  -errno: a whole request failed, which was
 * told too.
 */
int thaw_run_paths(struct thaw_run *run, json_t *request, const struct thaw_path_list *targets,
		   void (*item)(void *ctx, const char *word, json_t *item), void *ctx);
/* Both, for a request without more to it; takes it. */
int thaw_run_words(struct thaw_run *run, json_t *request, char *const *words, size_t count,
		   void (*item)(void *ctx, const char *word, json_t *item), void *ctx);

/* {"path": ..., or "path_b64"} as seen from here. */
int thaw_run_set_path(const struct thaw_run *run, json_t *object, const char *inside, size_t len);
/* The path of an item, as seen from here; caller frees; NULL: none or OOM. */
char *thaw_run_item_path(const struct thaw_run *run, const json_t *item, size_t *ret_len);

#endif
