/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct hook *hook_of(struct thaw_archive *ar)
{
	return (struct hook *)ar;
}

static int list(struct thaw_archive *ar, struct thaw_key dir, thaw_entry_fn *fn, void *ctx,
		const struct thaw_call *call)
{
	struct hook *hook = hook_of(ar);
	int (*on_list)(struct hook *, struct thaw_key, const struct thaw_call *) = hook->on_list;
	int r = on_list ? on_list(hook, dir, call) : 0;

	atomic_fetch_add(&hook->lists, 1);
	return r ? r : thaw_archive_list(hook->inner, dir, fn, ctx, call);
}

static int stat_one(struct thaw_archive *ar, struct thaw_key key, struct thaw_entry *ret,
		    const struct thaw_call *call)
{
	/* A backend may well look at this first. */
	if (call->cancel && atomic_load(call->cancel))
		return -ECANCELED;
	return thaw_archive_stat(hook_of(ar)->inner, key, ret, call);
}

static int recall(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
		  const struct thaw_call *call)
{
	return thaw_archive_recall(hook_of(ar)->inner, keys, n, call);
}

static int poll_all(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
		    enum thaw_avail *ret, const struct thaw_call *call)
{
	return thaw_archive_poll(hook_of(ar)->inner, keys, n, ret, call);
}

struct pipe {
	struct hook *hook;
	struct thaw_key key;
	thaw_sink_fn *sink;
	void *ctx;
};

static int pass_piece(void *ctx, uint64_t off, const void *data, size_t len)
{
	struct pipe *pipe = ctx;
	int (*on_piece)(struct hook *, struct thaw_key, uint64_t, void *, size_t) =
		pipe->hook->on_piece;
	char *copy;
	int r;

	if (!on_piece)
		return pipe->sink(pipe->ctx, off, data, len);
	copy = malloc(len + 1);
	if (!copy)
		return -EAGAIN;
	memcpy(copy, data, len);
	r = on_piece(pipe->hook, pipe->key, off, copy, len);
	if (r == 0)
		r = pipe->sink(pipe->ctx, off, copy, len);
	free(copy);
	return r;
}

static int get(struct thaw_archive *ar, struct thaw_key key, const struct thaw_tag *tag,
	       uint64_t off, uint64_t len, thaw_sink_fn *sink, void *ctx,
	       const struct thaw_call *call)
{
	struct hook *hook = hook_of(ar);
	int (*on_get)(struct hook *, struct thaw_key, uint64_t, uint64_t,
		      const struct thaw_call *) = hook->on_get;
	int (*after_get)(struct hook *, struct thaw_key, uint64_t, int);
	struct pipe pipe = {hook, key, sink, ctx};
	int r = on_get ? on_get(hook, key, off, len, call) : 0;

	atomic_fetch_add(&hook->gets, 1);
	if (r == 0)
		r = thaw_archive_get(hook->inner, key, tag, off, len, pass_piece, &pipe, call);
	after_get = hook->after_get;
	return after_get ? after_get(hook, key, off, r) : r;
}

/* The hook outlives the engines that close it. */
static void close_hook(struct thaw_archive *ar)
{
	(void)ar;
}

static const struct thaw_archive_ops online_ops = {
	.type = "hook",
	.version = THAW_ARCHIVE_VERSION,
	.list = list,
	.stat = stat_one,
	.get = get,
	.close = close_hook,
};

static const struct thaw_archive_ops recalling_ops = {
	.type = "hook",
	.version = THAW_ARCHIVE_VERSION,
	.list = list,
	.stat = stat_one,
	.recall = recall,
	.poll = poll_all,
	.get = get,
	.close = close_hook,
};

struct hook *hook_new(struct thaw_archive *inner)
{
	struct hook *hook = calloc(1, sizeof(*hook));

	if (!hook)
		abort();
	hook->base.ops = thaw_archive_recalls(inner) ? &recalling_ops : &online_ops;
	hook->inner = inner;
	return hook;
}

struct hook *hook_free(struct hook *hook)
{
	free(hook);
	return NULL;
}

void gate_init(struct gate *gate, bool shut)
{
	memset(gate, 0, sizeof(*gate));
	pthread_mutex_init(&gate->lock, NULL);
	pthread_cond_init(&gate->cond, NULL);
	gate->shut = shut;
}

static void set(struct gate *gate, bool shut)
{
	pthread_mutex_lock(&gate->lock);
	gate->shut = shut;
	pthread_cond_broadcast(&gate->cond);
	pthread_mutex_unlock(&gate->lock);
}

void gate_open(struct gate *gate)
{
	set(gate, false);
}

void gate_shut(struct gate *gate)
{
	set(gate, true);
}

static void in_ms(struct timespec *ts, long ms)
{
	clock_gettime(CLOCK_REALTIME, ts);
	ts->tv_sec += ms / 1000;
	ts->tv_nsec += ms % 1000 * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_nsec -= 1000000000;
		ts->tv_sec++;
	}
}

bool gate_wait_held(struct gate *gate, unsigned n)
{
	struct timespec until;
	int rc = 0;

	in_ms(&until, 20000);
	pthread_mutex_lock(&gate->lock);
	while (gate->held < n && rc == 0)
		rc = pthread_cond_timedwait(&gate->cond, &gate->lock, &until);
	rc = gate->held >= n;
	pthread_mutex_unlock(&gate->lock);
	return rc;
}

void gate_let(struct gate *gate, unsigned n)
{
	pthread_mutex_lock(&gate->lock);
	gate->let += n;
	pthread_cond_broadcast(&gate->cond);
	pthread_mutex_unlock(&gate->lock);
}

/* A cancel has no wake-up. */
int gate_pass(struct gate *gate, const struct thaw_call *call)
{
	bool cancelled = false;

	pthread_mutex_lock(&gate->lock);
	gate->held++;
	pthread_cond_broadcast(&gate->cond);
	while (gate->shut && !gate->let && !cancelled) {
		struct timespec until;

		in_ms(&until, 5);
		(void)pthread_cond_timedwait(&gate->cond, &gate->lock, &until);
		cancelled = call->cancel && atomic_load(call->cancel);
	}
	gate->held--;
	gate->let -= gate->let && gate->shut;
	pthread_mutex_unlock(&gate->lock);
	return cancelled ? -ECANCELED : 0;
}

void gate_release(struct gate *gate)
{
	pthread_cond_destroy(&gate->cond);
	pthread_mutex_destroy(&gate->lock);
}

bool key_is(struct thaw_key key, const char *text)
{
	return key.len == strlen(text) && memcmp(key.data, text, key.len) == 0;
}
