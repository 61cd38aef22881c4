/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * obj.h - the objects in memory: what is open, coming or just was.
 *
 * One struct per node (a node stands for one content), found through a hash
 * table.  The catalog is the truth about objects that are not here; for those
 * that are, `state` is, and only the holder of a state's right may change it:
 *
 *   state     uses     fd     part_fd  flight  who moves it on
 *   LOADING   0        -1     -1       no      the thread that put it there, after asking the catalog
 *   ABSENT    0        -1     -1       no      an opener, by giving it a flight
 *   COMING    any      -1     any      yes     the flight, when it ends
 *   RESIDENT  any      >= 0*  any      no      eviction, when uses is 0
 *   LEAVING   GONE     -1     -1       no      eviction, when the file is gone; LOADING if waited for
 *   DEAD      any      any    any      no      nobody: its transfer failed under open handles, or
 *                                              its node lost its name: what is open stays readable
 *   (* opened at once; -1 only in an object eviction itself brought in)
 *
 * fd is set a moment before COMING ends: from then on the object is whole.
 * refs keep the struct; uses keep the bytes, and each use holds a ref.
 * stage_obj_check() holds an object to this table in debug builds.
 */
#ifndef THAW_STAGE_OBJ_H
#define THAW_STAGE_OBJ_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>
#include "catalog/object.h"
#include "stage/open.h"

struct thaw_stage;
struct flight;

enum obj_state { OBJ_LOADING, OBJ_ABSENT, OBJ_COMING, OBJ_RESIDENT, OBJ_LEAVING, OBJ_DEAD };

#define OBJ_USES_GONE (-1) /* nobody may take a use any more */

struct wait_list {
	struct thaw_wait *head;
};

struct thaw_obj {
	uint64_t node;
	uint64_t id;         /* object in the catalog; const after LOADING */
	uint64_t size;       /* const after LOADING */
	uint32_t collection; /* const after LOADING */
	struct thaw_tag tag; /* const after LOADING */
	bool settling;             /* engine: RESIDENT, but not in the catalog yet (durable.h) */
	bool suspect;        /* const after LOADING: what came last did not match its digest */
	uint64_t bytes;      /* engine: charged to the cache while RESIDENT */
	atomic_int state;    /* written under engine */
	atomic_int refs;
	atomic_int uses;
	atomic_int fd;       /* the published file */
	atomic_int part_fd;  /* the file while it was coming */
	atomic_int error;    /* why it is DEAD, or will be once it is LOADED */
	struct flight *flight;     /* engine */
	struct wait_list waiting;  /* engine: opens */
	struct wait_list reading;  /* engine: reads of ranges that are not there */
	_Atomic int64_t last_used; /* seconds */
	_Atomic uint64_t new_hits; /* not yet in the catalog */
	bool hashed;               /* engine: found through the table */
	UT_hash_handle hh;         /* engine */
};

/* engine held.  A reference to the node's object, or NULL. */
struct thaw_obj *stage_obj_find(struct thaw_stage *stage, uint64_t node);
/* engine held.  A new one in the table, LOADING, one reference.  NULL on OOM. */
struct thaw_obj *stage_obj_add(struct thaw_stage *stage, uint64_t node);
/* engine held.  Out of the table: the next open starts afresh. */
void stage_obj_unhash(struct thaw_stage *stage, struct thaw_obj *obj);
/* engine held. */
void stage_obj_set_state(struct thaw_stage *stage, struct thaw_obj *obj, enum obj_state state);
void stage_obj_check(const struct thaw_obj *obj);
/* One more use, whatever the state: for those who own the state. */
void stage_obj_use(struct thaw_obj *obj);
void stage_obj_touch(struct thaw_obj *obj);

/* In wait->flags of a request's open: waits until the file is safe, not only there. */
#define OPEN_BULK (1u << 31)

enum wait_kind { WAIT_OPEN = 1, WAIT_READ, WAIT_DIR };

/* Lists of waits belong to a lock: engine, or import for WAIT_DIR; it is held.
 * Parks a wait on a list. */
void stage_wait_park(struct wait_list *list, struct thaw_wait *wait, enum wait_kind kind);
/* Takes all, or the one, off their list and puts them on `out` with `status`. */
void stage_wait_take_all(struct wait_list *list, int status, struct wait_list *out);
void stage_wait_take(struct thaw_wait *wait, int status, struct wait_list *out);
/* One that is on no list. */
void stage_wait_add(struct thaw_wait *wait, int status, struct wait_list *out);
/* No lock held: calls done() of each. */
void stage_wait_finish(struct wait_list *done);

#endif
