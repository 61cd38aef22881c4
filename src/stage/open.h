/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * open.h - readers: opening a file's content and waiting for it.
 *
 * A call that cannot be answered now returns -EINPROGRESS and keeps the
 * caller's thaw_wait; wait->done() is then called exactly once, by some thread
 * that holds no lock, unless thaw_stage_cancel() returned true.  As a rule that
 * is an engine thread; it may also be another caller's, inside its
 * thaw_stage_open(), so done() must not wait for that caller.  No thread waits
 * meanwhile.  The wait is embedded in the caller's own struct and
 * must live until done was called or cancel returned true.
 *
 * Residency of an object in memory (enum in obj.h, checked in debug builds):
 *
 *   state      bytes on flash  flight  may open          may leave
 *   ABSENT     none            no      joins a flight    -
 *   COMING     part            yes     waits; or at once when streaming
 *   RESIDENT   all             no      at once           when nobody uses it
 *   LEAVING    all, going      no      waits, then comes again
 *
 * A node stands for one content for ever (see catalog/ingest.h): a file that
 * changed in the archive has another node under the same name.  Opening the
 * old one gives -ESTALE, upon which the kernel looks the name up again.
 */
#ifndef THAW_STAGE_OPEN_H
#define THAW_STAGE_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct thaw_stage;
struct thaw_obj; /* a version of a file's content, in memory */

struct thaw_wait {
	/* set by the caller */
	void (*done)(struct thaw_wait *wait, int status);
	uint32_t uid;
	int32_t pid;
	/* result of thaw_stage_open when done(wait, 0) is called: a use */
	struct thaw_obj *obj;
	/* the engine's own */
	struct thaw_wait *prev, *next;
	void *owner;
	uint64_t off, len;
	int64_t since_ns;
	int kind, status;
	unsigned flags;
};

enum {
	THAW_OPEN_NONBLOCK = 1 << 0, /* start the recall, return -EAGAIN */
	THAW_OPEN_WHOLE = 1 << 1,    /* wait for all of it, however large */
};

/*
 * 0: *ret is in use by the caller (one thaw_stage_close() each): either whole,
 * or, for files of stream_min and more, still coming (thaw_obj_is_whole).
 * -EINPROGRESS: parked.  -EAGAIN: NONBLOCK, or on_offline = eagain|queue, or
 * no room in the cache within space_wait.  -EACCES: on_offline = eacces.
 * -EIO: lost or failed for good.  -ESTALE: not the current version any more.
 * -ENOSPC: larger than the cache.
 */
int thaw_stage_open(struct thaw_stage *stage, uint64_t node, unsigned flags, struct thaw_wait *wait,
		    struct thaw_obj **ret);
void thaw_stage_close(struct thaw_stage *stage, struct thaw_obj *obj);

/* Another use of an object the caller keeps a reference to, without any
 * look-up: the path of warm opens.  False: it is leaving or no longer whole;
 * go through thaw_stage_open.  Lock-free. */
bool thaw_obj_try_use(struct thaw_obj *obj);
/* References keep the struct alive, not the bytes. */
struct thaw_obj *thaw_obj_get(struct thaw_obj *obj);
struct thaw_obj *thaw_obj_put(struct thaw_stage *stage, struct thaw_obj *obj);

/* While in use: */
bool thaw_obj_is_whole(const struct thaw_obj *obj);
int thaw_obj_fd(struct thaw_obj *obj); /* borrowed, readable; never -1 while in use */
uint64_t thaw_obj_size(const struct thaw_obj *obj);
uint64_t thaw_obj_node(const struct thaw_obj *obj);

/* Are bytes [off, off+len) (cut at the end) there to be read from thaw_obj_fd?
 * 0 yes; -EINPROGRESS: parked, and the range moves to the front of the
 * transfer; else the error that ended the flight. */
int thaw_stage_read(struct thaw_stage *stage, struct thaw_obj *obj, uint64_t off, uint64_t len,
		    struct thaw_wait *wait);

/* A directory whose names are not known yet: 0 known; -EINPROGRESS; -EIO: they
 * could not be had (the archive cannot be listed there). */
int thaw_stage_want_dir(struct thaw_stage *stage, uint64_t dir, struct thaw_wait *wait);

/* True: taken out, done() will not be called.  False: it was or will be. */
bool thaw_stage_cancel(struct thaw_stage *stage, struct thaw_wait *wait);

#endif
