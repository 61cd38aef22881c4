/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * timer.c - what happens by the clock: pins end, accesses are written down,
 * old requests are forgotten.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "catalog/pin.h"
#include "catalog/request.h"
#include "stage/impl.h"

#define TICK_NS THAW_NS_PER_S
#define FLUSH_EVERY 30 /* ticks */
#define PRUNE_EVERY 3600
#define KEEP_REQUESTS_S (30 * 24 * 3600)

/* engine held.  Moves what is to be written out of the objects. */
static size_t collect(struct thaw_stage *stage, struct thaw_touch *touches, size_t room)
{
	size_t n = 0;

	while (stage->touch_count && n < room)
		touches[n++] = stage->touches[--stage->touch_count];
	for (struct thaw_obj *obj = stage->objects; obj && n < room; obj = obj->hh.next) {
		uint64_t hits = obj->id ? atomic_exchange(&obj->new_hits, 0) : 0;

		if (hits)
			touches[n++] = (struct thaw_touch){
				.object = obj->id,
				.last_used = atomic_load(&obj->last_used),
				.hits = hits,
			};
	}
	return n;
}

void stage_touch_flush(struct thaw_stage *stage)
{
	_cleanup_free_ struct thaw_touch *touches = NULL;
	size_t room, n;
	int r;

	thaw_mutex_lock(&stage->lock);
	room = HASH_COUNT(stage->objects) + stage->touch_count;
	thaw_mutex_unlock(&stage->lock);
	touches = calloc(room ? room : 1, sizeof(*touches));
	if (!touches)
		return; /* next time */
	thaw_mutex_lock(&stage->lock);
	n = collect(stage, touches, room);
	thaw_mutex_unlock(&stage->lock);
	r = n ? thaw_catalog_touch(stage->catalog, touches, n) : 0;
	if (r < 0)
		thaw_warn("catalog: noting accesses: %s", strerror(-r));
}

static void expire_pins(struct thaw_stage *stage)
{
	uint64_t n = 0;

	if (!thaw_catalog_has_pins(stage->catalog))
		return;
	if (thaw_catalog_pins_expire(stage->catalog, thaw_clock_real_s(), &n) < 0 || !n)
		return;
	thaw_info("%llu pins expired", (unsigned long long)n);
	thaw_mutex_lock(&stage->lock);
	stage_evict_may_free(stage);
	thaw_mutex_unlock(&stage->lock);
}

static void *timer(void *arg)
{
	struct thaw_stage *stage = arg;
	unsigned tick = 0;

	thaw_mutex_lock(&stage->lock);
	while (!stage->stopping) {
		thaw_cond_wait_until(&stage->tick, &stage->lock, thaw_clock_mono_ns() + TICK_NS);
		if (stage->stopping)
			break;
		thaw_mutex_unlock(&stage->lock);
		tick++;
		expire_pins(stage);
		if (tick % FLUSH_EVERY == 0)
			stage_touch_flush(stage);
		if (tick % PRUNE_EVERY == 0)
			(void)thaw_catalog_requests_prune(stage->catalog,
							  thaw_clock_real_s() - KEEP_REQUESTS_S);
		thaw_mutex_lock(&stage->lock);
	}
	thaw_mutex_unlock(&stage->lock);
	return NULL;
}

int stage_timer_start(struct thaw_stage *stage)
{
	int r = thaw_thread_start(&stage->timer, "thaw-timer", timer, stage);

	stage->timer_runs = r == 0;
	return r;
}

void stage_timer_stop(struct thaw_stage *stage)
{
	if (!stage->timer_runs)
		return;
	thaw_mutex_lock(&stage->lock);
	stage->stopping = true;
	thaw_cond_broadcast(&stage->tick);
	thaw_mutex_unlock(&stage->lock);
	pthread_join(stage->timer, NULL);
	stage->timer_runs = false;
}
