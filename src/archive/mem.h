/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mem.h - an archive in memory, for tests.
 *
 * A test makes one, fills it, and changes it while somebody reads.  Objects may
 * be offline; a recall moves only when the test calls tick(), and transfers can
 * be held at a byte until they are released, so that nothing depends on time.
 * Everything here may be called from any thread at any moment, except new.
 *
 * A fresh content has a fresh tag.  Directories on the way to a key are made
 * as needed.  Functions return -ENOMEM, -ENOENT (no such key), -ENOTDIR (a part
 * of the key is no directory), -EINVAL (nothing can have that key).
 */
#ifndef THAW_ARCHIVE_MEM_H
#define THAW_ARCHIVE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "archive/archive.h"

/* recalls: whether the archive has recall() and poll(), as tape has. */
int thaw_archive_mem_new(bool recalls, struct thaw_archive **ret);

static inline struct thaw_key thaw_key_of(const char *text)
{
	return (struct thaw_key){text, strlen(text)};
}

/* --- objects --------------------------------------------------------------------------- */

/* A new file, or a new version of one. */
int thaw_archive_mem_put(struct thaw_archive *ar, struct thaw_key key, const void *data,
			 size_t len);
/* Likewise, of bytes that are computed and take no memory; see pattern(). */
int thaw_archive_mem_put_pattern(struct thaw_archive *ar, struct thaw_key key, uint64_t size,
				 uint64_t seed);
int thaw_archive_mem_put_dir(struct thaw_archive *ar, struct thaw_key key);
int thaw_archive_mem_put_symlink(struct thaw_archive *ar, struct thaw_key key, const char *target);
/* Another name of the file `of`: both get one link_id. */
int thaw_archive_mem_link(struct thaw_archive *ar, struct thaw_key key, struct thaw_key of);
/* A file, or a directory with all below it. */
int thaw_archive_mem_remove(struct thaw_archive *ar, struct thaw_key key);

/* The same content under a new tag. */
int thaw_archive_mem_touch(struct thaw_archive *ar, struct thaw_key key);
/* mode, uid, gid, mtime_ns, ctime_ns of `attr`; the tag stays. */
int thaw_archive_mem_set_attr(struct thaw_archive *ar, struct thaw_key key,
			      const struct thaw_entry *attr);
/* text must outlive the archive; NULL: none. */
int thaw_archive_mem_set_class(struct thaw_archive *ar, struct thaw_key key, const char *text);

/* Bytes [off, off+len) of the pattern. */
void thaw_archive_mem_pattern(uint64_t seed, uint64_t off, void *buf, size_t len);

/* --- online and offline ---------------------------------------------------------------- */

int thaw_archive_mem_set_avail(struct thaw_archive *ar, struct thaw_key key, enum thaw_avail avail);
/* Recalls asked for from now on end at the n-th tick after; at first 1.
 * 0: at once. */
void thaw_archive_mem_recall_ticks(struct thaw_archive *ar, unsigned n);
/* One step of the robot.  Returns how many objects came online. */
size_t thaw_archive_mem_tick(struct thaw_archive *ar);

/* --- faults ---------------------------------------------------------------------------- */

/* The next `times` get() of the key fail with `code`, before the first byte. */
int thaw_archive_mem_fail(struct thaw_archive *ar, struct thaw_key key, int code, unsigned times);
/* Calls of list, stat, recall and poll, and get, fail with `code`; 0: no more. */
void thaw_archive_mem_down(struct thaw_archive *ar, int code);
/* Most bytes of one call of a sink; at first 64 KiB. */
void thaw_archive_mem_piece(struct thaw_archive *ar, size_t len);

/* From now on every get() waits once it has delivered `after` bytes, until it
 * is released or cancelled. */
void thaw_archive_mem_hold(struct thaw_archive *ar, uint64_t after);
void thaw_archive_mem_release(struct thaw_archive *ar);
/* Waits until `n` transfers are held; false when that takes over ten seconds. */
bool thaw_archive_mem_wait_held(struct thaw_archive *ar, unsigned n);

/* --- counts ---------------------------------------------------------------------------- */

struct thaw_mem_counts {
	uint64_t lists, stats, gets, recalls, polls; /* calls */
	uint64_t recalled;                           /* keys in calls of recall */
	uint64_t bytes;                              /* taken by sinks */
	unsigned running, most_running;              /* get() at once */
};
void thaw_archive_mem_counts(struct thaw_archive *ar, struct thaw_mem_counts *ret);
/* Of one key: get() calls, and keys in recalls.  0 for a key that is not there. */
uint64_t thaw_archive_mem_gets_of(struct thaw_archive *ar, struct thaw_key key);
uint64_t thaw_archive_mem_recalls_of(struct thaw_archive *ar, struct thaw_key key);

#endif
