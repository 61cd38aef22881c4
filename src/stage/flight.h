/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flight.h - one object on its way to flash.
 *
 * At most one flight per object (single flight).  It goes on when its waiters
 * leave.  Its states, each owned by the place it waits in:
 *
 *   state    where                      next
 *   SPACE    queue.space, in order      PREPARE when its bytes are reserved
 *   PREPARE  queue.ready                a worker makes the part file: RECALL or RUN
 *   RECALL   queue.delayed              a worker asks the archive again: RUN
 *   RUN      queue.ready while a chunk is TODO, else nowhere; delayed after an error;
 *            RECALL when the archive says that it is not online after all
 *   FINISH   a worker                   verifies and links; durable.h has it from there; or it fails
 *
 * Chunks are transferred in parallel, each from its beginning to its end; a
 * chunk whose transfer broke goes on from where it broke.  The digest runs
 * over the chunks in order, by whichever worker holds `hashing`.
 */
#ifndef THAW_STAGE_FLIGHT_H
#define THAW_STAGE_FLIGHT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/digest.h"
#include "catalog/object.h"
#include <thaw/archive.h>

struct thaw_stage;
struct thaw_obj;
struct wait_list;
struct stage_archive;
struct stage_collection;

enum flight_state { FLIGHT_SPACE, FLIGHT_PREPARE, FLIGHT_RECALL, FLIGHT_RUN, FLIGHT_FINISH };
enum flight_place { AT_NONE, AT_SPACE, AT_READY, AT_DELAYED };
enum chunk_state { CHUNK_TODO = 0, CHUNK_RUNNING, CHUNK_DONE };

struct flight {
	struct thaw_obj *obj; /* a reference */
	struct stage_collection *collection;
	size_t copy;                   /* which of the collection's archives */
	enum flight_state state;       /* engine */
	enum flight_place place;       /* engine */
	struct flight *prev, *next;    /* engine: the list of `place` */
	bool bulk;                     /* engine: nobody waits for it but a request */
	int64_t created_ns;
	int64_t space_deadline_ns;     /* engine: 0 none */
	int64_t due_ns;                /* engine: when AT_DELAYED ends */
	uint64_t reserved;             /* bytes of the budget it holds; the part's once there is one */
	atomic_int cancel;             /* ends its archive calls */

	/* from PREPARE on */
	struct thaw_object on_record;  /* what the catalog knew at PREPARE */
	struct thaw_buf key;
	struct thaw_part *part;        /* set and taken under engine */
	bool superseded;               /* the catalog has another version by now */
	bool offline;                  /* engine: no more chunks until it was recalled */
	bool recall_asked;
	unsigned polls;
	uint64_t chunk;
	size_t chunk_count;
	uint8_t *chunks;               /* engine: enum chunk_state */
	uint64_t *at;                  /* who runs the chunk: where its filling stands */
	size_t todo, running;          /* engine: how many chunks are so */
	size_t next_chunk;             /* engine: where to look for the next TODO */
	size_t wanted;                 /* engine: a reader asked for this chunk; SIZE_MAX none */
	unsigned failures;             /* engine: in a row, without progress */
	int64_t failing_since_ns;      /* engine: when the first of them was */
	int error;                     /* engine: the first that ended it */

	struct thaw_digest *digest;    /* holder of hashing */
	size_t hash_next;              /* engine: first chunk not hashed whole */
	uint64_t hash_at;              /* holder of hashing: bytes before it are in the digest */
	bool hashing;                  /* engine: a worker is at it */

	/* once it is whole */
	struct thaw_published published; /* what the catalog is to be told */
	struct flight *settle_next;      /* engine: the line of durable.h */
};

struct flight_list {
	struct flight *head;
};

struct flight_queue {
	struct flight_list space, ready, ready_bulk, delayed; /* engine */
	size_t count;                                        /* engine: all flights */
	size_t running;                                      /* engine: workers busy */
};

/* engine held.  Gives an ABSENT object a flight and puts it in line. -ENOMEM. */
int stage_flight_launch(struct thaw_stage *stage, struct thaw_obj *obj, bool bulk);
/* engine held.  A reader joined: it is not bulk any more. */
void stage_flight_promote(struct thaw_stage *stage, struct flight *flight);
/* engine held.  Flights that wait for room and for which there is room now move on. */
void stage_flight_admit(struct thaw_stage *stage);
/* engine held.  Puts a flight that waits nowhere to where its state says. */
void stage_flight_line_up(struct thaw_stage *stage, struct flight *flight);
void stage_flight_unline(struct thaw_stage *stage, struct flight *flight);
/* engine held.  Answers readers and openers (bulk: requests too), who go to `out`. */
void stage_flight_tell(struct thaw_stage *stage, struct thaw_obj *obj, int status, bool bulk,
		       struct wait_list *out);
void stage_flight_free(struct thaw_stage *stage, struct flight *flight);
/* No lock held.  The flight is over: tells everybody and frees it. */
void stage_flight_end(struct thaw_stage *stage, struct flight *flight, int status);
/* engine held.  Can these bytes be read from the part? */
bool stage_flight_covers(const struct flight *flight, uint64_t off, uint64_t len);
/* No lock held.  Nobody else sees the part any more: it can end.  NULL: there is none. */
struct thaw_part *stage_flight_take_part(struct thaw_stage *stage, struct flight *flight);
/* engine held.  Bytes the next flight in line needs, 0: nobody waits. */
uint64_t stage_flight_space_wanted(struct thaw_stage *stage);

/* workers.c */
int stage_workers_start(struct thaw_stage *stage, unsigned n);
void stage_workers_stop(struct thaw_stage *stage);

struct stage_archive *stage_flight_archive(const struct flight *flight);
struct thaw_key stage_flight_key(const struct flight *flight);
uint64_t stage_flight_chunk_end(const struct flight *flight, size_t index);
/* engine held.  Counts a failure: true when it is not worth another try. */
bool stage_flight_gives_up(struct flight *flight, int r);
/* engine held.  Sets due_ns by the number of failures: 0.1 s to 13 s. */
void stage_flight_delay(struct flight *flight);

/* Steps a worker takes, no lock held; each passes the flight on or ends it. */
void stage_flight_prepare(struct thaw_stage *stage, struct flight *flight);
void stage_flight_recall(struct thaw_stage *stage, struct flight *flight);
void stage_flight_chunk(struct thaw_stage *stage, struct flight *flight, size_t index);
void stage_flight_publish(struct thaw_stage *stage, struct flight *flight);
/* Ends it: r is what the archive said ... */
void stage_flight_fail(struct thaw_stage *stage, struct flight *flight, int r);
/* ... or what went wrong on our side, which says nothing of the archive. */
void stage_flight_fail_here(struct thaw_stage *stage, struct flight *flight, int r);

#endif
