/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parked requests against an engine and a libfuse made of a few flags: every
 * request is answered once, whoever comes first.
 */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fuse/park.h"
#include "fuse/sigwait.h"
#include "../suite.h"

/* --- libfuse --- */

struct fuse_req {
	pthread_mutex_t lock;
	fuse_interrupt_func_t func;
	void *data;
	struct fuse_ctx ctx;
	bool interrupted, uring;
	atomic_int answers;
	atomic_int answer;
};

void fuse_req_interrupt_func(fuse_req_t req, fuse_interrupt_func_t func, void *data)
{
	pthread_mutex_lock(&req->lock);
	req->func = func;
	req->data = data;
	if (func && req->interrupted)
		func(req, data);
	pthread_mutex_unlock(&req->lock);
}

const struct fuse_ctx *fuse_req_ctx(fuse_req_t req)
{
	return &req->ctx;
}

bool fuse_req_is_uring(fuse_req_t req)
{
	return req->uring;
}

/* INTERRUPT arrives. */
static void interrupt(fuse_req_t req)
{
	pthread_mutex_lock(&req->lock);
	req->interrupted = true;
	if (req->func)
		req->func(req, req->data);
	pthread_mutex_unlock(&req->lock);
}

/* --- the engine: one wait, in its queue until taken out --- */

static pthread_mutex_t engine_lock = PTHREAD_MUTEX_INITIALIZER;
static struct thaw_wait *queued; /* engine_lock */

static void engine_park(struct thaw_wait *wait)
{
	pthread_mutex_lock(&engine_lock);
	queued = wait;
	pthread_mutex_unlock(&engine_lock);
}

bool thaw_stage_cancel(struct thaw_stage *stage, struct thaw_wait *wait)
{
	bool there;

	(void)stage;
	pthread_mutex_lock(&engine_lock);
	there = queued == wait;
	if (there)
		queued = NULL;
	pthread_mutex_unlock(&engine_lock);
	return there;
}

static void engine_done(int status)
{
	struct thaw_wait *wait;

	pthread_mutex_lock(&engine_lock);
	wait = queued;
	queued = NULL;
	pthread_mutex_unlock(&engine_lock);
	if (wait)
		wait->done(wait, status);
}

/* --- /proc --- */

static atomic_int signals; /* enum thaw_sigwait of every thread */

enum thaw_sigwait thaw_sigwait_of(pid_t tid)
{
	(void)tid;
	return (enum thaw_sigwait)atomic_load(&signals);
}

/* --- tests --- */

static struct thaw_park *park;
static struct fuse_req req;

static pthread_t answerer;

static void answer(struct thaw_parked *p, int status)
{
	answerer = pthread_self();
	atomic_fetch_add(&p->req->answers, 1);
	atomic_store(&p->req->answer, status);
}

static void reset(struct fuse_req *r)
{
	*r = (struct fuse_req){.ctx = {.uid = 5, .pid = 6}, .answer = 1};
	pthread_mutex_init(&r->lock, NULL);
}

static void set_up(void)
{
	reset(&req);
	atomic_store(&signals, THAW_SIGWAIT_NONE);
	park = thaw_park_create(NULL, NULL, 2 * THAW_PARK_SPARE);
	ck_assert_ptr_nonnull(park);
}

static void tear_down(void)
{
	thaw_park_stop(park);
	park = thaw_park_free(park);
}

static struct thaw_parked *begin(fuse_req_t r, bool background)
{
	struct thaw_parked *p;

	ck_assert_int_eq(
		thaw_park_new(park, r, answer, "a name", background ? THAW_PARK_BACKGROUND : 0, &p),
		0);
	return p;
}

static void expect_answer(int status)
{
	ck_assert_int_eq(atomic_load(&req.answers), 1);
	ck_assert_int_eq(atomic_load(&req.answer), status);
}

static void await_answer(int status)
{
	while (atomic_load(&req.answers) == 0)
		sched_yield();
	expect_answer(status);
}

START_TEST(dropped_requests_are_the_handlers_own)
{
	struct thaw_parked *p = begin(&req, false);

	ck_assert_str_eq(p->name, "a name");
	ck_assert_uint_eq(p->wait.uid, 5);
	ck_assert_int_eq(p->wait.pid, 6);
	thaw_park_drop(p);
	ck_assert_int_eq(req.answers, 0);
	ck_assert(!req.func);
}
END_TEST

START_TEST(the_engine_answers)
{
	struct thaw_parked *p = begin(&req, false);

	engine_park(&p->wait);
	thaw_park_commit(p);
	ck_assert_int_eq(req.answers, 0);
	engine_done(-EIO);
	expect_answer(-EIO);
	ck_assert(!req.func);
	interrupt(&req);
	expect_answer(-EIO);
}
END_TEST

START_TEST(the_engine_may_be_faster_than_the_handler)
{
	struct thaw_parked *p = begin(&req, false);

	engine_park(&p->wait);
	engine_done(0);
	thaw_park_commit(p);
	expect_answer(0);
}
END_TEST

START_TEST(an_interrupt_answers_at_once)
{
	struct thaw_parked *p = begin(&req, false);

	engine_park(&p->wait);
	thaw_park_commit(p);
	interrupt(&req);
	expect_answer(-EINTR);
}
END_TEST

START_TEST(an_interrupt_before_parking_is_kept)
{
	struct thaw_parked *p;

	req.interrupted = true; /* libfuse calls back from within thaw_park_new */
	p = begin(&req, false);
	ck_assert_int_eq(req.answers, 0);
	engine_park(&p->wait);
	thaw_park_commit(p);
	expect_answer(-EINTR);
}
END_TEST

START_TEST(interrupted_but_answered_by_the_handler)
{
	struct thaw_parked *p = begin(&req, false);

	interrupt(&req);
	thaw_park_drop(p);
	ck_assert_int_eq(req.answers, 0);
}
END_TEST

START_TEST(the_watcher_sees_signals_of_io_uring_requests)
{
	struct thaw_parked *p;

	ck_assert_int_eq(thaw_park_start(park), 0);
	req.uring = true;
	p = begin(&req, false);
	ck_assert(!req.func);
	engine_park(&p->wait);
	thaw_park_commit(p);
	atomic_store(&signals, THAW_SIGWAIT_OWN);
	thaw_park_kick(park);
	await_answer(-EINTR);
}
END_TEST

START_TEST(a_shared_signal_counts_when_nobody_took_it)
{
	struct thaw_parked *p;

	ck_assert_int_eq(thaw_park_start(park), 0);
	p = begin(&req, true); /* read-ahead */
	engine_park(&p->wait);
	thaw_park_commit(p);
	atomic_store(&signals, THAW_SIGWAIT_SHARED);
	thaw_park_kick(park);
	await_answer(-EINTR); /* at the second look, which comes by itself */
}
END_TEST

START_TEST(a_full_queue_says_so_and_comes_back)
{
	struct fuse_req many[THAW_PARK_SPARE + 1];
	struct thaw_parked *parked[THAW_PARK_SPARE + 1], *one_more;

	for (int i = 0; i < THAW_PARK_SPARE; i++) {
		reset(&many[i]);
		many[i].uring = true;
		parked[i] = begin(&many[i], false);
	}
	reset(&many[THAW_PARK_SPARE]);
	many[THAW_PARK_SPARE].uring = true;
	ck_assert_int_eq(thaw_park_new(park, &many[THAW_PARK_SPARE], answer, "", 0, &one_more),
			 -EAGAIN);
	ck_assert_int_eq(
		thaw_park_new(park, &many[THAW_PARK_SPARE], answer, "", THAW_PARK_BRIEF, &one_more),
		0);
	thaw_park_drop(one_more);
	one_more = begin(&req, false); /* over /dev/fuse there is room */
	thaw_park_drop(one_more);
	thaw_park_drop(parked[0]);
	parked[0] = begin(&many[THAW_PARK_SPARE], false);
	for (int i = 0; i < THAW_PARK_SPARE; i++)
		thaw_park_drop(parked[i]);
}
END_TEST

START_TEST(a_ring_thread_answers_nobody_elses_request)
{
	struct thaw_parked *p;

	ck_assert_int_eq(thaw_park_start(park), 0);
	req.uring = true;
	p = begin(&req, false); /* this thread is a ring's from here on */
	engine_park(&p->wait);
	thaw_park_commit(p);
	engine_done(-EIO);
	thaw_park_stop(park); /* gives what is left to give */
	expect_answer(-EIO);
	ck_assert(!pthread_equal(answerer, pthread_self()));
	reset(&req);
	p = begin(&req, false); /* over /dev/fuse there is no such lock */
	engine_park(&p->wait);
	thaw_park_commit(p);
	engine_done(-EIO);
	expect_answer(-EIO);
	ck_assert(pthread_equal(answerer, pthread_self()));
}
END_TEST

/* --- everybody at once --- */

#define ROUNDS 4000

static pthread_barrier_t round_begins, round_ends;

static void *completer(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&round_begins);
		engine_done(0);
		pthread_barrier_wait(&round_ends);
	}
	return arg;
}

static void *interrupter(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&round_begins);
		if (!req.uring)
			interrupt(&req);
		thaw_park_kick(park);
		pthread_barrier_wait(&round_ends);
	}
	return arg;
}

START_TEST(answered_once_whoever_comes_first)
{
	pthread_t threads[2];
	int done = 0;

	ck_assert_int_eq(thaw_park_start(park), 0);
	atomic_store(&signals, THAW_SIGWAIT_OWN);
	pthread_barrier_init(&round_begins, NULL, 3);
	pthread_barrier_init(&round_ends, NULL, 3);
	ck_assert_int_eq(pthread_create(&threads[0], NULL, completer, NULL), 0);
	ck_assert_int_eq(pthread_create(&threads[1], NULL, interrupter, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		struct thaw_parked *p;

		reset(&req);
		req.uring = i & 1;
		p = begin(&req, true);
		engine_park(&p->wait);
		pthread_barrier_wait(&round_begins);
		thaw_park_commit(p);
		pthread_barrier_wait(&round_ends);
		/* The completer found it, or somebody has claimed it. */
		while (atomic_load(&req.answers) == 0)
			sched_yield();
		ck_assert_int_eq(atomic_load(&req.answers), 1);
		done += atomic_load(&req.answer) == 0;
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_gt(done, 0); /* else the race is none */
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, dropped_requests_are_the_handlers_own);
	tcase_add_test(tcase, the_engine_answers);
	tcase_add_test(tcase, the_engine_may_be_faster_than_the_handler);
	tcase_add_test(tcase, an_interrupt_answers_at_once);
	tcase_add_test(tcase, an_interrupt_before_parking_is_kept);
	tcase_add_test(tcase, interrupted_but_answered_by_the_handler);
	tcase_add_test(tcase, the_watcher_sees_signals_of_io_uring_requests);
	tcase_add_test(tcase, a_shared_signal_counts_when_nobody_took_it);
	tcase_add_test(tcase, a_full_queue_says_so_and_comes_back);
	tcase_add_test(tcase, a_ring_thread_answers_nobody_elses_request);
	tcase_add_test(tcase, answered_once_whoever_comes_first);
}

int main(void)
{
	return run_suite("fuse_park", add);
}
