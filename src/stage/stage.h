/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stage.h - the engine: brings archived bytes to flash for whoever waits.
 *
 * The only room that sees archive, catalog, cache and policy together.  It
 * knows nothing of FUSE or of the control protocol: both talk to it through
 * the headers here (open.h for readers, names.h for the tree, view.h for
 * states, admin.h for people's commands).
 */
#ifndef THAW_STAGE_STAGE_H
#define THAW_STAGE_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thaw_conf;
struct thaw_err;
struct thaw_stage;

/*
 * What a front door wants to be told.  Called by engine threads with no lock
 * held, so they may call back into the engine, but must not wait for it.  All
 * members may be NULL.
 */
struct thaw_stage_events {
	void *ctx;
	/* The staged copy of `node` is leaving the cache and nobody has it open:
	 * let go of what you keep for quick opens (descriptors, kernel
	 * registrations, thaw_obj_put). */
	void (*leaving)(void *ctx, uint64_t node);
	/* A name under `dir` appeared, went, or leads to another node. */
	void (*entry_changed)(void *ctx, uint64_t dir, const char *name, size_t len);
	/* Attributes of a node, or the set of names in a directory, changed. */
	void (*node_changed)(void *ctx, uint64_t node);
	/* An import is about to change names: from the return of begin to end,
	 * answers must not be cached for long.  begin may block until look-ups
	 * that started before it are through. */
	void (*import_begin)(void *ctx);
	void (*import_end)(void *ctx);
};

/* Opens archives, store and catalog, checks that they belong together, and
 * recovers: nothing half-staged is left, bytes on disk = bytes in the catalog.
 * Makes no thread: may be called before or after a fork, but see start. */
int thaw_stage_open_all(const struct thaw_conf *conf, struct thaw_stage **ret, struct thaw_err *err);
void thaw_stage_set_events(struct thaw_stage *stage, const struct thaw_stage_events *events);
/* Threads from here on.  Imports collections that are empty, takes up unfinished requests. */
int thaw_stage_start(struct thaw_stage *stage, struct thaw_err *err);
/* Ends transfers (what is half-way is given up), fails every waiter with -ESHUTDOWN, joins threads. */
void thaw_stage_stop(struct thaw_stage *stage);
struct thaw_stage *thaw_stage_free(struct thaw_stage *stage);

/* The node that is the mount's root. */
uint64_t thaw_stage_root(const struct thaw_stage *stage);
const struct thaw_conf *thaw_stage_conf(const struct thaw_stage *stage);

#endif
