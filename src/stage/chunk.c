/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * chunk.c - moving one chunk of a flight, and carrying the digest along.
 *
 * The digest runs over the bytes in order.  The worker whose chunk is next in
 * that order hashes while it writes; chunks that came earlier than their turn
 * are read back from the part file (the page cache, as a rule).  `hashing` is
 * held by one worker at a time; hash_at belongs to it.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/path.h"
#include "stage/impl.h"

#define HASH_PIECE (1u << 20)

struct chunk_sink {
	struct thaw_stage *stage;
	struct flight *flight;
	size_t index;
	bool hash; /* these bytes continue the digest */
	int error; /* why we, and not the archive, ended it */
};

/* Readers of ranges that have arrived. */
static void wake_readers(struct thaw_stage *stage, struct flight *flight)
{
	struct wait_list done = { NULL };
	struct thaw_wait *w, *next;

	if (atomic_load(&flight->obj->part_fd) < 0)
		return;
	thaw_mutex_lock(&stage->lock);
	for (w = flight->obj->reading.head; w; w = next) {
		next = w->next;
		if (stage_flight_covers(flight, w->off, w->len)) {
			stage_wait_take(w, 0, &done);
			stage->waiters--;
		}
	}
	thaw_mutex_unlock(&stage->lock);
	stage_wait_finish(&done);
}

static int sink(void *ctx, uint64_t off, const void *data, size_t len)
{
	struct chunk_sink *to = ctx;
	struct flight *flight = to->flight;
	int r = thaw_part_write(flight->part, off, data, len);

	if (r == 0 && to->hash)
		r = thaw_digest_update(flight->digest, data, len);
	if (r < 0)
		return to->error = r;
	flight->at[to->index] = off + len;
	if (to->hash)
		flight->hash_at = off + len;
	wake_readers(to->stage, flight);
	return 0;
}

static bool take_hash_at(struct thaw_stage *stage, struct flight *flight, size_t index)
{
	bool mine;

	thaw_mutex_lock(&stage->lock);
	mine = !flight->hashing && flight->hash_next == index &&
	       flight->hash_at == flight->at[index];
	if (mine)
		flight->hashing = true;
	thaw_mutex_unlock(&stage->lock);
	return mine;
}

/* engine held.  The next chunk in order has arrived and nobody is at it. */
static bool take_hash_next(struct flight *flight)
{
	if (flight->hashing || flight->error || flight->hash_next >= flight->chunk_count ||
	    flight->chunks[flight->hash_next] != CHUNK_DONE)
		return false;
	flight->hashing = true;
	return true;
}

static int hash_up_to(struct flight *flight, uint64_t end)
{
	_cleanup_free_ char *buf = malloc(HASH_PIECE);
	int r = buf ? 0 : -ENOMEM;

	while (r == 0 && flight->hash_at < end) {
		uint64_t left = end - flight->hash_at;
		size_t want = left < HASH_PIECE ? (size_t)left : HASH_PIECE;
		ssize_t n = pread(thaw_part_fd(flight->part), buf, want, (off_t)flight->hash_at);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		r = thaw_digest_update(flight->digest, buf, (size_t)n);
		flight->hash_at += (uint64_t)n;
	}
	return r;
}

static int hash_what_waits(struct thaw_stage *stage, struct flight *flight)
{
	int r = 0;

	thaw_mutex_lock(&stage->lock);
	while (r == 0 && take_hash_next(flight)) {
		uint64_t end = stage_flight_chunk_end(flight, flight->hash_next);

		thaw_mutex_unlock(&stage->lock);
		r = hash_up_to(flight, end);
		thaw_mutex_lock(&stage->lock);
		flight->hashing = false;
		if (r == 0)
			flight->hash_next++;
	}
	thaw_mutex_unlock(&stage->lock);
	return r;
}

static void log_failure(struct flight *flight, int r, const char *text)
{
	static struct thaw_log_limit limit;
	char name[256];

	thaw_path_quote(name, sizeof(name), flight->key.data, flight->key.len);
	thaw_log_limited(&limit, LOG_WARNING, "archive %s: %s: %s",
			 stage_flight_archive(flight)->conf->name, name,
			 *text ? text : strerror(-r));
}

/*
 * A transfer that broke goes on where it stopped: what is there was of this
 * version, and what comes is checked against it again.  One more try at once
 * for what looks like a passing fault; the rest is for the flight to decide.
 */
static int fetch(struct thaw_stage *stage, struct flight *flight, size_t index, bool hash)
{
	struct stage_archive *archive = stage_flight_archive(flight);
	struct thaw_err err = { "" };
	struct thaw_call call = { .cancel = &flight->cancel, .err = &err };
	struct chunk_sink to = { stage, flight, index, hash, 0 };
	uint64_t end = stage_flight_chunk_end(flight, index);
	int r = -EIO;

	for (int tries = 0; tries < 2 && r == -EIO && !to.error; tries++) {
		uint64_t from = flight->at[index];

		r = thaw_archive_get(archive->ar, stage_flight_key(flight), &flight->obj->tag,
				     from, end - from, sink, &to, &call);
	}
	stage_archive_result(stage, archive, to.error ? 0 : r, err.text);
	if (r < 0 && r != -ESTALE && r != -EINPROGRESS && r != -ECANCELED)
		log_failure(flight, r, err.text);
	return r;
}

/* engine held. */
static void note_result(struct flight *flight, size_t index, bool hashed, int r)
{
	if (hashed) {
		flight->hashing = false;
		if (r == 0)
			flight->hash_next++;
	}
	flight->chunks[index] = r == 0 ? CHUNK_DONE : CHUNK_TODO;
	if (r == 0) {
		flight->failures = 0;
		return;
	}
	flight->todo++;
	if (r == -EINPROGRESS) { /* gone from the archive's disk since it was listed */
		flight->offline = thaw_archive_recalls(stage_flight_archive(flight)->ar);
		r = -EAGAIN;
	}
	if (!flight->error && stage_flight_gives_up(flight, r))
		flight->error = r;
}

/* engine held. */
static void recall_again(struct thaw_stage *stage, struct flight *flight)
{
	flight->offline = false;
	flight->recall_asked = false;
	flight->polls = 0;
	flight->state = FLIGHT_RECALL;
	stage_flight_delay(flight);
	stage_flight_line_up(stage, flight);
}

enum outcome { GOES_ON, IS_WHOLE, HAS_FAILED };

/* engine held.  The worker lets go; at most one is told to end the flight. */
static enum outcome let_go(struct thaw_stage *stage, struct flight *flight, bool chunk_failed)
{
	flight->running--;
	if (flight->error) {
		stage_flight_unline(stage, flight);
		atomic_store(&flight->cancel, flight->running || stage->stopping);
		if (flight->running) /* these end soon, by the cancel */
			return GOES_ON;
		flight->state = FLIGHT_FINISH;
		return HAS_FAILED;
	}
	if (flight->offline) {
		stage_flight_unline(stage, flight);
		if (!flight->running)
			recall_again(stage, flight);
		return GOES_ON;
	}
	if (!flight->running && flight->hash_next == flight->chunk_count) {
		flight->state = FLIGHT_FINISH;
		return IS_WHOLE;
	}
	if (chunk_failed) {
		stage_flight_unline(stage, flight);
		stage_flight_delay(flight);
		stage_flight_line_up(stage, flight);
	}
	return GOES_ON;
}

void stage_flight_chunk(struct thaw_stage *stage, struct flight *flight, size_t index)
{
	bool hash = take_hash_at(stage, flight, index);
	enum outcome outcome;
	int r = fetch(stage, flight, index, hash), hashed = 0, error;

	thaw_mutex_lock(&stage->lock);
	note_result(flight, index, hash, r);
	thaw_mutex_unlock(&stage->lock);
	if (r == 0)
		hashed = hash_what_waits(stage, flight);

	thaw_mutex_lock(&stage->lock);
	if (hashed < 0 && !flight->error)
		flight->error = hashed;
	outcome = let_go(stage, flight, r < 0);
	error = flight->error;
	thaw_mutex_unlock(&stage->lock);

	if (outcome == IS_WHOLE)
		stage_flight_publish(stage, flight);
	else if (outcome == HAS_FAILED)
		stage_flight_fail(stage, flight, error);
}
