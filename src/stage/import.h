/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * import.h - listing archives into the catalog, for the files of this room.
 *
 * Walkers take directories from a stack and list them; one committer merges
 * finished listings into the catalog, many to a transaction, and pushes the
 * subdirectories it finds.  A directory is in `dirs` from the moment it is
 * wanted until its listing is merged:
 *
 *   QUEUED (on the stack) -> LISTING (a walker has it) -> MERGING (in `merge`, then with the committer)
 *
 * All dirs that are there at one time make one session; it ends when none is
 * left.  Somebody who looks into a directory not listed yet waits on its entry
 * and moves it to the top of the stack.
 */
#ifndef THAW_STAGE_IMPORT_H
#define THAW_STAGE_IMPORT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>
#include "base/mutex.h"
#include "catalog/ingest.h"
#include "stage/admin.h"
#include "stage/obj.h"

#define IMPORT_MAX_WALKERS 64

struct thaw_stage;

enum import_dir_state { IMPORT_QUEUED, IMPORT_LISTING, IMPORT_MERGING };

struct import_dir {
	uint64_t node;
	uint32_t collection;
	bool recursive, allow_empty;
	enum import_dir_state state;  /* import */
	struct import_dir *prev, *next; /* import: the stack, while QUEUED */
	struct wait_list waits;       /* import */
	struct thaw_entry self;       /* of a collection's top, which no listing names; as listing */
	bool has_self;
	struct thaw_listing *listing; /* who has it: LISTING the walker, MERGING the queue */
	struct import_dir *merge_next;/* import: the merge queue */
	UT_hash_handle hh;            /* import: by node */
};

struct stage_import {
	struct thaw_stage *stage;
	struct thaw_mutex lock;      /* rank IMPORT */
	struct thaw_cond work;       /* with lock: for walkers */
	struct thaw_cond listed;     /* with lock: for the committer */
	struct thaw_cond drained;    /* with lock: for walkers held back */
	struct import_dir *dirs;     /* lock: all of the session, hash by node */
	struct import_dir *stack;    /* lock: QUEUED ones, last in first out */
	struct import_dir *merge_first, *merge_last; /* lock */
	size_t merge_entries;        /* lock: names waiting to be merged */
	uint64_t ticket;             /* lock: of the running or the last session */
	struct thaw_import_progress progress; /* lock: its figures */
	bool running;                /* lock */
	bool stopping;               /* lock */
	atomic_int cancel;
	bool begun;                  /* committer: front doors were told */
	pthread_t walkers[IMPORT_MAX_WALKERS], committer;
	unsigned walker_count;
	bool committer_runs;
};

/* import held.  Adds, or finds and widens; NULL on OOM.  On top of the stack if urgent. */
struct import_dir *stage_import_add(struct stage_import *im, uint64_t node, uint32_t collection,
				    bool recursive, bool allow_empty);
void stage_import_to_top(struct stage_import *im, struct import_dir *dir);
/* import held. Out of the table; its waits go to `out`; frees it. */
void stage_import_remove(struct stage_import *im, struct import_dir *dir, int status,
			 struct wait_list *out);
/* import held.  The first failure is kept in words. */
void stage_import_note_error(struct stage_import *im, int error, const char *text);

void *stage_import_walker(void *arg);    /* import_walk.c */
void *stage_import_committer(void *arg); /* import_merge.c */

#endif
