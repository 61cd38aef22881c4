/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table against a kernel that checks its own rules (fs/fuse/iomode.c): a
 * passthrough open beside a cached one, a second backing file beside the
 * first, or a closed id would be EIO for a reader.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mutex.h"
#include "fuse/backing.h"
#include "fuse/inode.h"
#include "stage/open.h"
#include "../suite.h"

#define FUSE_FD 77
#define NODES   40

struct thaw_obj {
	uint64_t node;
	atomic_int refs, uses;
	atomic_bool whole, leaving;
};

static struct thaw_obj objs[NODES];
static atomic_int backings; /* open registrations */
static atomic_int backing_calls;
static _Atomic(uint64_t) id_nodes[1 << 20]; /* node of an open id + 1 */
static atomic_int backing_error;
static atomic_int broken; /* rules broken, for threads that must not assert */
static struct thaw_inodes *inodes;

/* --- the engine --- */

bool thaw_obj_try_use(struct thaw_obj *obj)
{
	if (!atomic_load(&obj->whole) || atomic_load(&obj->leaving))
		return false;
	atomic_fetch_add(&obj->uses, 1);
	if (atomic_load(&obj->leaving)) {
		atomic_fetch_sub(&obj->uses, 1);
		return false;
	}
	return true;
}

struct thaw_obj *thaw_obj_get(struct thaw_obj *obj)
{
	atomic_fetch_add(&obj->refs, 1);
	return obj;
}

struct thaw_obj *thaw_obj_put(struct thaw_stage *stage, struct thaw_obj *obj)
{
	(void)stage;
	atomic_fetch_sub(&obj->refs, 1);
	return NULL;
}

void thaw_stage_close(struct thaw_stage *stage, struct thaw_obj *obj)
{
	(void)stage;
	if (atomic_fetch_sub(&obj->uses, 1) <= 0)
		atomic_fetch_add(&broken, 1);
}

bool thaw_obj_is_whole(const struct thaw_obj *obj)
{
	return atomic_load(&obj->whole);
}

int thaw_obj_fd(struct thaw_obj *obj)
{
	return (int)obj->node;
}

/* --- registrations --- */

int thaw_backing_open(int fuse_fd, int fd)
{
	int id;

	ck_assert_int_eq(fuse_fd, FUSE_FD);
	thaw_mutex_assert_none_held();
	id = atomic_fetch_add(&backing_calls, 1) + 1;
	if (atomic_load(&backing_error))
		return -atomic_load(&backing_error);
	atomic_fetch_add(&backings, 1);
	atomic_store(&id_nodes[id], (uint64_t)fd + 1);
	return id;
}

void thaw_backing_close(int fuse_fd, int id)
{
	(void)fuse_fd;
	thaw_mutex_assert_none_held();
	atomic_fetch_sub(&backings, 1);
	if (atomic_exchange(&id_nodes[id], 0) == 0)
		atomic_fetch_add(&broken, 1);
}

/* --- the kernel --- */

static struct {
	pthread_mutex_t lock;
	int pass, cached, id;
} kernel[NODES];

static void kernel_open(uint64_t node, struct thaw_opened opened)
{
	bool ok;

	pthread_mutex_lock(&kernel[node].lock);
	if (opened.passthrough) {
		ok = kernel[node].cached == 0 && opened.backing_id > 0 &&
		     (kernel[node].pass == 0 || kernel[node].id == opened.backing_id) &&
		     atomic_load(&id_nodes[opened.backing_id]) == node + 1;
		kernel[node].pass++;
		kernel[node].id = opened.backing_id;
	} else {
		ok = kernel[node].pass == 0;
		kernel[node].cached++;
	}
	pthread_mutex_unlock(&kernel[node].lock);
	if (!ok)
		atomic_fetch_add(&broken, 1);
}

/* The kernel leaves its mode before we hear of it. */
static void kernel_close(uint64_t node, struct thaw_opened opened)
{
	pthread_mutex_lock(&kernel[node].lock);
	if (opened.passthrough)
		kernel[node].pass--;
	else
		kernel[node].cached--;
	pthread_mutex_unlock(&kernel[node].lock);
	thaw_inodes_close(inodes, opened);
}

static void set_up(void)
{
	atomic_store(&backings, 0);
	atomic_store(&backing_calls, 0);
	atomic_store(&backing_error, 0);
	atomic_store(&broken, 0);
	memset(kernel, 0, sizeof(kernel));
	memset(objs, 0, sizeof(objs));
	for (unsigned i = 0; i < NODES; i++) {
		objs[i].node = i;
		objs[i].refs = 1;
		objs[i].whole = true;
		pthread_mutex_init(&kernel[i].lock, NULL);
	}
	inodes = thaw_inodes_new(NULL, THAW_INODES_KEPT);
	ck_assert_ptr_nonnull(inodes);
	thaw_inodes_use_passthrough(inodes, FUSE_FD);
}

static void tear_down(void)
{
	inodes = thaw_inodes_free(inodes);
	ck_assert_int_eq(atomic_load(&backings), 0);
	ck_assert_int_eq(atomic_load(&broken), 0);
	for (unsigned i = 0; i < NODES; i++) {
		ck_assert_int_eq(objs[i].refs, 1);
		ck_assert_int_eq(objs[i].uses, 0);
	}
}

/* As a cold open does: with a use from thaw_stage_open. */
static struct thaw_opened open_with(uint64_t node)
{
	struct thaw_opened opened;

	atomic_fetch_add(&objs[node].uses, 1);
	ck_assert_int_eq(thaw_inodes_open(inodes, node, &objs[node], &opened), 0);
	kernel_open(node, opened);
	return opened;
}

START_TEST(second_open_is_warm_and_makes_no_registration)
{
	struct thaw_opened first, second;

	ck_assert(!thaw_inodes_try_open(inodes, 3, &first));
	first = open_with(3);
	ck_assert(first.passthrough);
	ck_assert(thaw_inodes_try_open(inodes, 3, &second));
	kernel_open(3, second);
	ck_assert_int_eq(first.backing_id, second.backing_id);
	ck_assert_ptr_eq(thaw_inode_obj(first.inode), &objs[3]);
	kernel_close(3, first);
	kernel_close(3, second);
	ck_assert(thaw_inodes_try_open(inodes, 3, &second)); /* kept over the last close */
	kernel_open(3, second);
	ck_assert_int_eq(first.backing_id, second.backing_id);
	kernel_close(3, second);
	ck_assert_int_eq(backing_calls, 1);
}
END_TEST

START_TEST(cached_until_the_last_handle_closes)
{
	struct thaw_opened stream, late, after;

	objs[5].whole = false;
	stream = open_with(5);
	ck_assert(!stream.passthrough);
	objs[5].whole = true;
	late = open_with(5);
	ck_assert(!late.passthrough);
	kernel_close(5, stream);
	ck_assert(thaw_inodes_try_open(inodes, 5, &stream)); /* joins the mode */
	kernel_open(5, stream);
	ck_assert(!stream.passthrough);
	kernel_close(5, late);
	kernel_close(5, stream);
	after = open_with(5);
	ck_assert(after.passthrough);
	kernel_close(5, after);
}
END_TEST

START_TEST(what_cannot_be_registered_is_cached)
{
	struct thaw_opened opened;

	backing_error = ELOOP;
	opened = open_with(1);
	ck_assert(!opened.passthrough);
	kernel_close(1, opened);
	thaw_inodes_use_passthrough(inodes, -1);
	ck_assert(thaw_inodes_try_open(inodes, 1, &opened));
	ck_assert(!opened.passthrough);
	kernel_close(1, opened);
}
END_TEST

START_TEST(leaving_lets_go_at_once)
{
	struct thaw_opened opened = open_with(2);

	kernel_close(2, opened);
	ck_assert_int_eq(objs[2].refs, 2);
	ck_assert_int_eq(backings, 1);
	thaw_inodes_leaving(inodes, 2);
	ck_assert_int_eq(objs[2].refs, 1);
	ck_assert_int_eq(backings, 0);
	ck_assert(!thaw_inodes_try_open(inodes, 2, &opened));
	thaw_inodes_leaving(inodes, 2);
	thaw_inodes_leaving(inodes, 39); /* never seen */
	opened = open_with(2);           /* came again: another backing file */
	ck_assert_int_eq(opened.backing_id, 2);
	kernel_close(2, opened);
}
END_TEST

START_TEST(another_object_of_the_node_replaces_an_idle_one)
{
	static struct thaw_obj fresh = {.node = 4, .refs = 1, .whole = true};
	struct thaw_opened opened = open_with(4);

	kernel_close(4, opened);
	fresh.uses = 1;
	ck_assert_int_eq(thaw_inodes_open(inodes, 4, &fresh, &opened), 0);
	ck_assert_ptr_eq(thaw_inode_obj(opened.inode), &fresh);
	ck_assert_int_eq(opened.backing_id, 2);
	ck_assert_int_eq(backings, 1);
	ck_assert_int_eq(objs[4].refs, 1);
	kernel_close(4, opened);
	thaw_inodes_leaving(inodes, 4);
	ck_assert_int_eq(fresh.refs, 1);
	ck_assert_int_eq(fresh.uses, 0);
}
END_TEST

START_TEST(an_answer_that_was_not_taken_is_uncounted)
{
	struct thaw_opened opened;

	objs[6].uses = 1;
	ck_assert_int_eq(thaw_inodes_open(inodes, 6, &objs[6], &opened), 0);
	thaw_inodes_close(inodes, opened); /* fuse_reply_open failed */
	ck_assert_int_eq(objs[6].uses, 0);
}
END_TEST

START_TEST(handles_open_at_the_end_are_closed)
{
	(void)open_with(7);
	(void)open_with(7);
	objs[8].whole = false;
	(void)open_with(8);
}
END_TEST

START_TEST(kept_entries_are_bounded)
{
	static struct thaw_obj one = {.refs = 1, .whole = true};

	for (uint64_t node = NODES; node < NODES + 2 * THAW_INODES_KEPT; node++) {
		struct thaw_opened opened;

		one.node = node;
		atomic_fetch_add(&one.uses, 1);
		ck_assert_int_eq(thaw_inodes_open(inodes, node, &one, &opened), 0);
		thaw_inodes_close(inodes, opened);
	}
	/* A second chance may let a few more in. */
	ck_assert_int_le(backings, THAW_INODES_KEPT + THAW_INODES_KEPT / 32);
	ck_assert_int_ge(backings, THAW_INODES_KEPT / 4 * 3);
	ck_assert_int_eq(one.refs, backings + 1);
	inodes = thaw_inodes_free(inodes);
	ck_assert_int_eq(one.refs, 1);
}
END_TEST

/* --- many at once --- */

static void one_round(unsigned *seed)
{
	uint64_t node = (uint64_t)rand_r(seed) % 4;
	struct thaw_obj *obj = &objs[node];
	struct thaw_opened opened;

	if (!thaw_inodes_try_open(inodes, node, &opened)) {
		/* thaw_stage_open: waits while it leaves */
		while (!thaw_obj_try_use(obj))
			sched_yield();
		if (thaw_inodes_open(inodes, node, obj, &opened) < 0) {
			atomic_fetch_add(&broken, 1);
			return;
		}
	}
	kernel_open(node, opened);
	if (rand_r(seed) % 3 == 0)
		sched_yield();
	kernel_close(node, opened);
}

static void *readers(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < 30000; i++)
		one_round(&seed);
	return NULL;
}

static atomic_bool over;

/* The engine evicts what nobody uses. */
static void *evictor(void *arg)
{
	unsigned seed = 4711;

	while (!atomic_load(&over)) {
		struct thaw_obj *obj = &objs[rand_r(&seed) % 4];

		atomic_store(&obj->leaving, true);
		if (atomic_load(&obj->uses) == 0)
			thaw_inodes_leaving(inodes, obj->node);
		atomic_store(&obj->leaving, false);
		sched_yield();
	}
	return arg;
}

START_TEST(no_rule_is_broken_by_many_at_once)
{
	pthread_t threads[4], evicts;

	ck_assert_int_eq(pthread_create(&evicts, NULL, evictor, NULL), 0);
	for (uintptr_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, readers, (void *)(i + 1)), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&over, true);
	pthread_join(evicts, NULL);
	ck_assert_int_eq(atomic_load(&broken), 0);
	ck_assert_int_le(atomic_load(&backings), 4);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, second_open_is_warm_and_makes_no_registration);
	tcase_add_test(tcase, cached_until_the_last_handle_closes);
	tcase_add_test(tcase, what_cannot_be_registered_is_cached);
	tcase_add_test(tcase, leaving_lets_go_at_once);
	tcase_add_test(tcase, another_object_of_the_node_replaces_an_idle_one);
	tcase_add_test(tcase, an_answer_that_was_not_taken_is_uncounted);
	tcase_add_test(tcase, handles_open_at_the_end_are_closed);
	tcase_add_test(tcase, kept_entries_are_bounded);
	tcase_add_test(tcase, no_rule_is_broken_by_many_at_once);
}

int main(void)
{
	return run_suite("fuse_inode", add);
}
