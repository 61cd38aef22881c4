/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The watcher: finds parked requests whose caller has a signal waiting, or
 * which the kernel would soon call overdue.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "fuse/park_impl.h"
#include "fuse/sigwait.h"

#define LOOK_EVERY_NS (200 * THAW_NS_PER_MS)

static long sysctl_seconds(const char *name)
{
	char path[80];
	FILE *file;
	long seconds = 0;

	(void)snprintf(path, sizeof(path), "/proc/sys/fs/fuse/%s", name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%ld", &seconds) != 1)
		seconds = 0;
	(void)fclose(file);
	return seconds;
}

/* An overdue request makes the kernel abort the whole connection: with a limit
 * set, nobody waits longer than half of it. */
static int64_t longest_wait_ns(void)
{
	long deflt = sysctl_seconds("default_request_timeout");
	long max = sysctl_seconds("max_request_timeout");
	long limit = max && (!deflt || deflt > max) ? max : deflt;

	if (limit == 0)
		return 0;
	thaw_notice("the kernel ends FUSE connections with requests older than %ld s: "
		    "nobody waits longer than %ld s for a file",
		    limit, (limit + 1) / 2);
	return (int64_t)(limit + 1) / 2 * THAW_NS_PER_S;
}

static bool is_due(const struct thaw_park *park, const struct thaw_parked *p)
{
	return park->longest_ns && thaw_clock_mono_ns() - p->since_ns > park->longest_ns;
}

static bool was_signalled(struct thaw_parked *p)
{
	if (!p->watched || p->wait.pid <= 0)
		return false;
	switch (thaw_sigwait_of(p->wait.pid)) {
	case THAW_SIGWAIT_OWN:
		return true;
	case THAW_SIGWAIT_SHARED:
		if (p->shared_signal)
			return true;
		p->shared_signal = true;
		return false;
	default:
		p->shared_signal = false;
		return false;
	}
}

/* Called with the lock: those to look at, with a reference each. */
static struct thaw_parked **pick(struct thaw_park *park, size_t *ret_n)
{
	struct thaw_parked **picked;
	size_t n = 0;

	for (struct thaw_parked *p = park->first; p; p = p->next)
		n++;
	picked = calloc(n ? n : 1, sizeof(struct thaw_parked *));
	*ret_n = 0;
	if (!picked)
		return NULL;
	for (struct thaw_parked *p = park->first; p; p = p->next) {
		if (p->state == THAW_PARK_WAITING && (p->watched || is_due(park, p))) {
			p->refs++;
			picked[(*ret_n)++] = p;
		}
	}
	return picked;
}

static void look(struct thaw_park *park, struct thaw_parked **picked, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct thaw_parked *p = picked[i];

		if (was_signalled(p))
			thaw_park_give_up(p, EINTR);
		else if (is_due(park, p))
			thaw_park_give_up(p, EAGAIN);
		thaw_park_unref(p, 1);
	}
}

/* The next three are called with the lock and let go of it meanwhile. */

static void give_answers(struct thaw_park *park)
{
	struct thaw_parked *p = park->answers;

	park->answers = NULL;
	thaw_mutex_unlock(&park->lock);
	while (p) {
		struct thaw_parked *next = p->next;

		p->resume(p, p->status);
		thaw_park_unref(p, 1);
		p = next;
	}
	thaw_mutex_lock(&park->lock);
}

static void look_around(struct thaw_park *park)
{
	struct thaw_parked **picked;
	size_t n;

	park->kicked = false;
	picked = pick(park, &n);
	thaw_mutex_unlock(&park->lock);
	look(park, picked, n);
	free((void *)picked);
	thaw_mutex_lock(&park->lock);
}

/* Until there is something to do; nobody parked: no clock runs. */
static void wait_for_work(struct thaw_park *park, int64_t next_look)
{
	while (!park->stopping && !park->answers && !park->kicked) {
		if (!park->first)
			thaw_cond_wait(&park->wake, &park->lock);
		else if (!thaw_cond_wait_until(&park->wake, &park->lock, next_look))
			break;
	}
}

static void *watch(void *arg)
{
	struct thaw_park *park = arg;
	int64_t next_look = 0;

	thaw_mutex_lock(&park->lock);
	while (!park->stopping || park->answers) {
		if (thaw_clock_mono_ns() >= next_look)
			next_look = thaw_clock_mono_ns() + LOOK_EVERY_NS;
		wait_for_work(park, next_look);
		if (park->answers)
			give_answers(park);
		if (park->kicked || thaw_clock_mono_ns() >= next_look)
			look_around(park);
	}
	thaw_mutex_unlock(&park->lock);
	return NULL;
}

int thaw_park_start(struct thaw_park *park)
{
	int r;

	park->longest_ns = longest_wait_ns();
	r = thaw_thread_start(&park->watcher, "thaw-watch", watch, park);
	park->started = r == 0;
	return r;
}

void thaw_park_stop(struct thaw_park *park)
{
	if (!park->started)
		return;
	thaw_mutex_lock(&park->lock);
	park->stopping = true;
	thaw_cond_broadcast(&park->wake);
	thaw_mutex_unlock(&park->lock);
	(void)pthread_join(park->watcher, NULL);
	park->started = false;
}

void thaw_park_kick(struct thaw_park *park)
{
	thaw_mutex_lock(&park->lock);
	park->kicked = true;
	thaw_cond_broadcast(&park->wake);
	thaw_mutex_unlock(&park->lock);
}
