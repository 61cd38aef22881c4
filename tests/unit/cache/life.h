/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * life.h - a daemon in small: start, recover, stage, evict; to be killed.
 *
 * Its catalog is a directory with one file a row, written by rename: durable
 * and atomic as far as a killed process goes.  A life runs in a process of its
 * own, as the crash points read their plan when a program starts.
 */
#ifndef THAW_TEST_CACHE_LIFE_H
#define THAW_TEST_CACHE_LIFE_H

#include <stdbool.h>

/* main() of the test calls this first: does not return in a life's process. */
void life_child(int argc, char **argv);

enum life_end { LIFE_WHOLE, LIFE_KILLED, LIFE_BROKEN };
/* crash_at: what THAW_CRASH_AT is to be; NULL: run to the end. */
enum life_end life_run(const char *crash_at, const char *cache, const char *rows);

/* Starts on what a life left, and fails the test unless files, rows and budget
 * agree to the byte and every row's file holds what it should. */
void life_check(const char *cache, const char *rows);

extern const bool life_has_points;      /* false: built without crash points */
extern const char *const life_points[]; /* every crash point of the room; ends in NULL */

#endif
