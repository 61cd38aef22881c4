/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * transfer.c - the steps of a flight around its bytes: preparing the part
 * file, asking for a recall, trying again, failing.  The bytes: chunk.c; the
 * end: publish.c.
 *
 * Every step ends by putting the flight in line again, handing it to the next
 * step, or ending it; a flight is in one worker's hands, but for its chunks.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/path.h"
#include "catalog/ingest.h"
#include "catalog/tree.h"
#include "stage/impl.h"

/* An archive that cannot be reached is asked again for this long. */
#define RETRY_FOR_S INT64_C(1800)

struct stage_archive *stage_flight_archive(const struct flight *flight)
{
	return flight->collection->copies[flight->copy];
}

struct thaw_key stage_flight_key(const struct flight *flight)
{
	return (struct thaw_key){ flight->key.data, flight->key.len };
}

/* ---- ending ---- */

/* The kernel may still lead the name to the old node. */
static void tell_name_moved(struct thaw_stage *stage, const struct flight *flight, uint64_t node)
{
	struct thaw_node now;
	const char *name = memrchr(flight->key.data, '/', flight->key.len);

	name = name ? name + 1 : flight->key.data;
	if (!stage->events.entry_changed || thaw_catalog_node(stage->catalog, node, &now) < 0)
		return;
	stage->events.entry_changed(stage->events.ctx, now.parent, name,
				    flight->key.len - (size_t)(name - flight->key.data));
}

/* Looks again at what the archive has under this key; the flight's version is gone. */
static int examine_again(struct thaw_stage *stage, struct flight *flight)
{
	struct thaw_err err = { "" };
	struct thaw_call call = { .cancel = &flight->cancel, .err = &err };
	struct thaw_entry entry;
	struct stage_archive *archive = stage_flight_archive(flight);
	uint64_t node = 0;
	int r = thaw_archive_stat(archive->ar, stage_flight_key(flight), &entry, &call);

	stage_archive_result(stage, archive, r, err.text);
	if (r == -ENOENT)
		return -ENOENT;
	if (r == 0)
		r = thaw_catalog_reexamined(stage->catalog, flight->obj->node, &entry, &node);
	if (r < 0)
		return r;
	tell_name_moved(stage, flight, node);
	return -ESTALE;
}

static void mark_lost(struct thaw_stage *stage, struct flight *flight)
{
	char name[256];
	int r = thaw_catalog_mark_lost(stage->catalog, flight->obj->node);

	thaw_path_quote(name, sizeof(name), flight->key.data, flight->key.len);
	thaw_warn("archive %s no longer has %s: it is lost", stage_flight_archive(flight)->conf->name, name);
	if (r < 0)
		thaw_error("catalog: marking %s lost: %s", name, strerror(-r));
}

/* The code the flight's waiters get; what is worth remembering is written down. */
static int settle_failure(struct thaw_stage *stage, struct flight *flight, int r)
{
	if (flight->superseded)
		return -ESTALE;
	if (r == -ESTALE)
		r = examine_again(stage, flight);
	if (r == -ENOENT) {
		mark_lost(stage, flight);
		return -EIO;
	}
	if (r == -ESTALE || r == -ESHUTDOWN || r == -ECANCELED)
		return r == -ECANCELED ? -ESHUTDOWN : r;
	/* Another failure does not clear a digest that did not match. */
	(void)thaw_catalog_object_error(stage->catalog, flight->obj->id, r,
					r == -EBADMSG || flight->on_record.verify_failed);
	switch (r) {
	case -EACCES:
	case -ENOSPC:
		return r;
	default:
		return -EIO;
	}
}

void stage_flight_fail(struct thaw_stage *stage, struct flight *flight, int r)
{
	stage_flight_end(stage, flight, settle_failure(stage, flight, r));
}

void stage_flight_fail_here(struct thaw_stage *stage, struct flight *flight, int r)
{
	stage_flight_fail(stage, flight, r == -ENOENT || r == -ESTALE ? -EIO : r);
}

/* ---- preparing ---- */

uint64_t stage_flight_chunk_end(const struct flight *flight, size_t index)
{
	uint64_t end = (index + 1) * flight->chunk;

	return end < flight->obj->size ? end : flight->obj->size;
}

static int make_chunks(struct flight *flight, uint64_t size)
{
	size_t n = size ? (size_t)((size + flight->chunk - 1) / flight->chunk) : 1;

	flight->chunks = calloc(n, sizeof(*flight->chunks));
	flight->at = calloc(n, sizeof(*flight->at));
	if (!flight->chunks || !flight->at)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		flight->at[i] = i * flight->chunk;
	flight->chunk_count = flight->todo = n;
	return 0;
}

/* SHA-256 always; the others where the catalog knows what they should be. */
static int prepare_digest(struct flight *flight)
{
	return thaw_digest_new(flight->on_record.digests | 1u << THAW_SHA256, &flight->digest);
}

/* A big file is opened before it is whole: its readers need a descriptor. */
static int offer_stream(struct thaw_stage *stage, struct flight *flight)
{
	int fd;

	if (flight->obj->size < stage->conf->stream_min)
		return 0;
	fd = fcntl(thaw_part_fd(flight->part), F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -errno;
	atomic_store(&flight->obj->part_fd, fd);
	return 0;
}

/* What the catalog has of it.  A version that went meanwhile has no record or no name. */
static int look_up(struct thaw_stage *stage, struct flight *flight)
{
	int r = thaw_catalog_object(stage->catalog, flight->obj->id, &flight->on_record);

	if (r == 0 && !flight->on_record.current)
		r = -ENOENT;
	if (r == 0)
		r = stage_key(stage, flight->collection, flight->obj->node, &flight->key);
	flight->superseded = r == -ENOENT;
	return r;
}

static int make_part(struct thaw_stage *stage, struct flight *flight)
{
	struct thaw_part *part;
	int r = thaw_part_new(stage->store, flight->obj->id, flight->obj->size, flight->chunk,
			      flight->reserved, &part);

	if (r < 0)
		return r;
	thaw_mutex_lock(&stage->lock);
	flight->part = part;
	flight->reserved = 0;
	thaw_mutex_unlock(&stage->lock);
	return 0;
}

static int prepare(struct thaw_stage *stage, struct flight *flight)
{
	int r = look_up(stage, flight);

	if (r < 0)
		return r;
	flight->chunk = stage->conf->chunk;
	r = make_chunks(flight, flight->obj->size);
	if (r == 0)
		r = prepare_digest(flight);
	if (r == 0)
		r = make_part(stage, flight);
	return r == 0 ? offer_stream(stage, flight) : r;
}

/* Those who can read a stream need wait no longer. */
static void wake_streamers(struct thaw_stage *stage, struct flight *flight, struct wait_list *out)
{
	struct thaw_obj *obj = flight->obj;
	struct thaw_wait *w = obj->waiting.head, *next;

	if (atomic_load(&obj->part_fd) < 0)
		return;
	for (; w; w = next) {
		next = w->next;
		if (w->flags & THAW_OPEN_WHOLE)
			continue;
		stage_obj_use(obj);
		stage_obj_touch(obj);
		w->obj = obj;
		stage_wait_take(w, 0, out);
		stage->waiters--;
		atomic_fetch_add(&stage->count.streams, 1);
	}
}

void stage_flight_prepare(struct thaw_stage *stage, struct flight *flight)
{
	struct wait_list done = { NULL };
	int r = prepare(stage, flight);

	if (r < 0) {
		stage_flight_fail_here(stage, flight, r);
		return;
	}
	thaw_mutex_lock(&stage->lock);
	flight->state = flight->on_record.avail != THAW_AVAIL_ONLINE &&
					thaw_archive_recalls(stage_flight_archive(flight)->ar) ?
				FLIGHT_RECALL :
				FLIGHT_RUN;
	stage_flight_line_up(stage, flight);
	wake_streamers(stage, flight, &done);
	thaw_mutex_unlock(&stage->lock);
	stage_wait_finish(&done);
}

/* ---- trying again ---- */

bool stage_flight_gives_up(struct flight *flight, int r)
{
	int64_t now = thaw_clock_mono_ns();

	if (r != -EAGAIN)
		return true;
	if (!flight->failures++)
		flight->failing_since_ns = now;
	return now - flight->failing_since_ns > RETRY_FOR_S * THAW_NS_PER_S;
}

void stage_flight_delay(struct flight *flight)
{
	unsigned shift = flight->failures < 8 ? flight->failures : 8;
	int64_t pause = 50 * THAW_NS_PER_MS << shift;

	flight->due_ns = thaw_clock_mono_ns() + pause;
}

/* ---- recall ---- */

static int recall_step(struct thaw_stage *stage, struct flight *flight)
{
	struct stage_archive *archive = stage_flight_archive(flight);
	struct thaw_err err = { "" };
	struct thaw_call call = { .cancel = &flight->cancel, .err = &err };
	struct thaw_key key = stage_flight_key(flight);
	enum thaw_avail avail = THAW_AVAIL_OFFLINE;
	int r = 0;

	if (!flight->recall_asked)
		r = thaw_archive_recall(archive->ar, &key, 1, &call);
	if (r == 0 || r == -EINPROGRESS) {
		flight->recall_asked = true;
		r = thaw_archive_poll(archive->ar, &key, 1, &avail, &call);
	}
	stage_archive_result(stage, archive, r, err.text);
	if (r < 0)
		return r;
	if (avail == THAW_AVAIL_LOST)
		return -ENOENT;
	if (avail == THAW_AVAIL_OFFLINE)
		flight->recall_asked = false; /* it was forgotten, or has not begun */
	return avail == THAW_AVAIL_ONLINE ? 0 : -EINPROGRESS;
}

/* engine held.  From a tenth of a second to a minute. */
static void delay_poll(struct flight *flight)
{
	unsigned shift = flight->polls < 10 ? flight->polls : 10;
	int64_t pause = 100 * THAW_NS_PER_MS << shift;

	flight->polls++;
	if (pause > 60 * THAW_NS_PER_S)
		pause = 60 * THAW_NS_PER_S;
	flight->due_ns = thaw_clock_mono_ns() + pause;
}

void stage_flight_recall(struct thaw_stage *stage, struct flight *flight)
{
	int r = recall_step(stage, flight);

	thaw_mutex_lock(&stage->lock);
	if (r < 0 && r != -EINPROGRESS && stage_flight_gives_up(flight, r)) {
		thaw_mutex_unlock(&stage->lock);
		stage_flight_fail(stage, flight, r);
		return;
	}
	if (r == 0) {
		flight->state = FLIGHT_RUN; /* failures stay: only bytes are progress now */
	} else if (r == -EINPROGRESS) {
		flight->failures = 0;
		delay_poll(flight);
	} else {
		stage_flight_delay(flight);
	}
	stage_flight_line_up(stage, flight);
	thaw_mutex_unlock(&stage->lock);
}

