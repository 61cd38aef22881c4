/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rig.h - an engine over a temporary directory and an archive in memory, and
 * the truth about what that archive holds.
 *
 * The archive outlives the engine: rig_stop() and rig_start() are a restart.
 * It is reached through a hook (hook.h), where a test can hold, cut, change or
 * fail single calls.  Functions fail the test themselves; call them from its
 * main thread only, except where it says otherwise.
 */
#ifndef THAW_TEST_STAGE_RIG_H
#define THAW_TEST_STAGE_RIG_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "archive/mem.h"
#include "base/clock.h"
#include "base/err.h"
#include "conf/conf.h"
#include "hook.h"
#include "stage/admin.h"
#include "stage/impl.h"
#include "stage/names.h"
#include "stage/open.h"
#include "stage/stage.h"
#include "stage/view.h"
#include "waiter.h"

#define KIB UINT64_C(1024)
#define MIB (UINT64_C(1024) * 1024)

/* What the archive holds under a key. */
struct truth {
	char key[64];
	uint64_t size, seed;
	bool gone;
};

struct rig {
	char dir[256]; /* all of it */
	char cache[300];
	char catalog[300];
	struct thaw_conf conf;
	struct thaw_conf_archive archive;
	struct thaw_conf_collection collection;
	struct thaw_archive *mem; /* ours; also below the hook */
	struct hook *hook;        /* ours */
	struct thaw_stage_events events;
	struct thaw_stage *stage;
	struct truth *truth;
	size_t truth_count, truth_room;
};

/* A new directory and archive; change rig->conf before rig_start().  The
 * defaults: 64 MiB of cache, chunks of 64 KiB, streams from 1 GiB, 4 workers,
 * space_wait of 1 s. */
void rig_init(struct rig *rig, bool recalls);
/* Likewise, in a directory that is there, with what another process left in it. */
void rig_init_in(struct rig *rig, bool recalls, const char *dir);
/* Opens and starts; the archive's names are imported when it returns. */
void rig_start(struct rig *rig);
/* Only opens: returns what thaw_stage_open_all() does. */
int rig_open(struct rig *rig, struct thaw_err *err);
void rig_run(struct rig *rig); /* after rig_open() */
void rig_stop(struct rig *rig);
void rig_restart(struct rig *rig);
/* Stops; audits; takes it all away. */
void rig_end(struct rig *rig);
/* Likewise, without the audit. */
void rig_drop(struct rig *rig);
/* Stops, and leaves the directory. */
void rig_leave(struct rig *rig);

/* The archive's file, and the truth about it. */
void rig_put(struct rig *rig, const char *key, uint64_t size, uint64_t seed);
void rig_remove(struct rig *rig, const char *key);
struct truth *rig_truth(struct rig *rig, const char *key);
/* dir/f000 ... of `size` bytes each. */
void rig_put_many(struct rig *rig, const char *dir, size_t n, uint64_t size);

/* Lists the tree at a path; returns how it went. */
struct thaw_import_progress rig_import(struct rig *rig, const char *path, bool allow_empty);
void rig_await_import(struct rig *rig);

/* The node at a path below the mount. */
uint64_t rig_node(struct rig *rig, const char *path);
int rig_look(struct rig *rig, const char *path, struct thaw_node *ret);
enum thaw_state rig_state(struct rig *rig, const char *path);
/* The record of a file's current version. */
struct thaw_object rig_object(struct rig *rig, const char *path);

/* Waits until the predicate holds; fails the test after twenty seconds.  Only for
 * what has no condition to wait on. */
#define rig_await(condition)                                                                   \
	do {                                                                                   \
		int64_t until_ = thaw_clock_mono_ns() + 20 * THAW_NS_PER_S;                    \
		while (!(condition)) {                                                         \
			ck_assert_msg(thaw_clock_mono_ns() < until_, "never: %s", #condition); \
			rig_pause();                                                           \
		}                                                                              \
	} while (0)
void rig_pause(void);
struct thaw_status rig_status(struct rig *rig);
void rig_await_idle(struct rig *rig);
/* How many the engine has in memory. */
size_t rig_objects(struct rig *rig);

struct thaw_space_use rig_space(struct rig *rig);
uint64_t rig_used(struct rig *rig);
/* Files in a directory of the cache: "incoming", "quarantine". */
size_t rig_count(struct rig *rig, const char *sub);

#endif
