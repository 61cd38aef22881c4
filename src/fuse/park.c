/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/park.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "fuse/park_impl.h"

struct thaw_park *thaw_park_create(struct thaw_fuse *fuse, struct thaw_stage *stage,
				   unsigned uring_depth)
{
	int cpus = get_nprocs_conf();
	struct thaw_park *park = calloc(1, sizeof(*park));

	if (!park)
		return NULL;
	park->fuse = fuse;
	park->stage = stage;
	park->queue_max = cpus > 0 ? (unsigned)cpus : 1;
	park->queue_limit = uring_depth > THAW_PARK_SPARE ? uring_depth - THAW_PARK_SPARE : 1;
	park->queues = calloc(park->queue_max, sizeof(*park->queues));
	if (!park->queues) {
		free(park);
		return NULL;
	}
	thaw_mutex_init(&park->lock, THAW_RANK_FUSE_REQUEST);
	thaw_cond_init(&park->wake);
	return park;
}

struct thaw_park *thaw_park_free(struct thaw_park *park)
{
	if (!park)
		return NULL;
	thaw_cond_destroy(&park->wake);
	thaw_mutex_destroy(&park->lock);
	free(park->queues);
	free(park);
	return NULL;
}

static void list_add(struct thaw_park *park, struct thaw_parked *p)
{
	p->next = park->first;
	if (p->next)
		p->next->prev = p;
	else
		thaw_cond_broadcast(&park->wake);
	park->first = p;
}

static void list_remove(struct thaw_park *park, struct thaw_parked *p)
{
	if (p->next)
		p->next->prev = p->prev;
	if (p->prev)
		p->prev->next = p->next;
	else
		park->first = p->next;
}

void thaw_park_unref(struct thaw_parked *p, unsigned n)
{
	unsigned left;

	thaw_mutex_lock(&p->park->lock);
	left = p->refs -= n;
	thaw_mutex_unlock(&p->park->lock);
	if (left == 0)
		free(p);
}

/* The claim: from here on the request is the caller's to answer. */
static void claim(struct thaw_parked *p)
{
	thaw_mutex_lock(&p->park->lock);
	p->state = THAW_PARK_OVER;
	list_remove(p->park, p);
	thaw_mutex_unlock(&p->park->lock);
	if (p->queue)
		atomic_fetch_sub(p->queue, 1);
}

/* Returns when no interrupt callback runs and none will. */
static void no_more_interrupts(struct thaw_parked *p)
{
	if (!p->queue)
		fuse_req_interrupt_func(p->req, NULL, NULL);
}

/* The engine may end one open's wait from within another's handler.  libfuse
 * holds a ring's lock while its handler runs and takes another's to answer
 * there: two rings could wait for each other. */
static void leave_to_watcher(struct thaw_parked *p, int status)
{
	struct thaw_park *park = p->park;

	thaw_mutex_lock(&park->lock);
	p->status = status;
	p->next = park->answers;
	park->answers = p;
	thaw_cond_broadcast(&park->wake);
	thaw_mutex_unlock(&park->lock);
}

/* Asks the engine for the request; true: it is ours. */
static bool take_back(struct thaw_parked *p)
{
	bool waiting;

	thaw_mutex_lock(&p->park->lock);
	waiting = p->state == THAW_PARK_WAITING;
	if (waiting)
		p->state = THAW_PARK_CANCELLING;
	thaw_mutex_unlock(&p->park->lock);
	if (!waiting || !thaw_stage_cancel(p->park->stage, &p->wait))
		return false;
	claim(p);
	return true;
}

void thaw_park_give_up(struct thaw_parked *p, int error)
{
	if (!take_back(p))
		return;
	no_more_interrupts(p);
	p->resume(p, -error);
	thaw_park_unref(p, 1);
}

/* Called by libfuse with the request's lock held: it may answer, but not
 * change the callback.  During thaw_park_new not even answer: STARTING. */
static void on_interrupt(fuse_req_t req, void *data)
{
	struct thaw_parked *p = data;
	bool starting;

	(void)req;
	thaw_mutex_lock(&p->park->lock);
	starting = p->state == THAW_PARK_STARTING;
	if (starting)
		p->interrupted = true;
	thaw_mutex_unlock(&p->park->lock);
	if (starting || !take_back(p))
		return;
	p->resume(p, -EINTR);
	thaw_park_unref(p, 1);
}

/* io_uring's handlers run on the one thread of their queue. 0: not such one,
 * or nothing was parked from it yet. */
static _Thread_local unsigned ring_number;

static atomic_uint *queue_of_this_thread(struct thaw_park *park)
{
	static atomic_uint threads;

	if (ring_number == 0)
		ring_number = atomic_fetch_add(&threads, 1) + 1;
	return &park->queues[ring_number % park->queue_max];
}

_Static_assert(offsetof(struct thaw_parked, wait) == 0, "on_done casts one to the other");

static void on_done(struct thaw_wait *wait, int status)
{
	struct thaw_parked *p = (struct thaw_parked *)(void *)wait;

	claim(p);
	no_more_interrupts(p);
	if (p->queue && ring_number != 0) {
		leave_to_watcher(p, status);
		return;
	}
	p->resume(p, status);
	thaw_park_unref(p, 1);
}

static bool is_uring(fuse_req_t req)
{
#ifdef HAVE_FUSE_IO_URING
	return fuse_req_is_uring(req);
#else
	(void)req;
	return false;
#endif
}

int thaw_park_new(struct thaw_park *park, fuse_req_t req, thaw_resume_fn *resume, const char *name,
		  unsigned flags, struct thaw_parked **ret)
{
	static struct thaw_log_limit limit;
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	atomic_uint *queue = is_uring(req) ? queue_of_this_thread(park) : NULL;
	struct thaw_parked *p;

	if (queue && !(flags & THAW_PARK_BRIEF) && atomic_load(queue) >= park->queue_limit) {
		thaw_log_limited(&limit, LOG_WARNING,
				 "%u requests of one CPU wait for bytes: more get EAGAIN; "
				 "mount with io_uring=off if this is usual",
				 park->queue_limit);
		return -EAGAIN;
	}
	p = calloc(1, sizeof(*p) + strlen(name) + 1);
	if (!p)
		return -ENOMEM;
	memcpy(p->name, name, strlen(name));
	p->wait.done = on_done;
	p->wait.uid = ctx->uid;
	p->wait.pid = ctx->pid;
	p->fuse = park->fuse;
	p->req = req;
	p->resume = resume;
	p->park = park;
	p->refs = 2; /* the handler's and the engine's */
	p->queue = queue;
	p->watched = queue || flags & THAW_PARK_BACKGROUND;
	p->since_ns = thaw_clock_mono_ns();
	if (queue)
		atomic_fetch_add(queue, 1);
	thaw_mutex_lock(&park->lock);
	list_add(park, p);
	thaw_mutex_unlock(&park->lock);
	if (!queue)
		fuse_req_interrupt_func(req, on_interrupt, p);
	*ret = p;
	return 0;
}

void thaw_park_commit(struct thaw_parked *p)
{
	bool interrupted;

	thaw_mutex_lock(&p->park->lock);
	if (p->state == THAW_PARK_STARTING)
		p->state = THAW_PARK_WAITING;
	interrupted = p->interrupted;
	thaw_mutex_unlock(&p->park->lock);
	if (interrupted)
		thaw_park_give_up(p, EINTR);
	thaw_park_unref(p, 1);
}

void thaw_park_drop(struct thaw_parked *p)
{
	claim(p);
	no_more_interrupts(p);
	thaw_park_unref(p, 2);
}
