/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What becomes of a transfer whose file changes, goes, or is replaced meanwhile. */
#include <errno.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

static struct rig rig;
static uint64_t node;

/* Names that front doors were told of. */
static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
static char told[64];
static unsigned told_count;

static void on_entry(void *ctx, uint64_t dir, const char *name, size_t len)
{
	(void)ctx;
	(void)dir;
	pthread_mutex_lock(&told_lock);
	(void)snprintf(told, sizeof(told), "%.*s", (int)len, name);
	told_count++;
	pthread_mutex_unlock(&told_lock);
}

static bool was_told(const char *name)
{
	bool yes;

	pthread_mutex_lock(&told_lock);
	yes = strcmp(told, name) == 0;
	pthread_mutex_unlock(&told_lock);
	return yes;
}

static void begin(struct waiter *w)
{
	struct thaw_obj *obj;

	rig_init(&rig, false);
	rig.events.entry_changed = on_entry;
	rig.conf.workers = 1; /* no other chunk meets what a test changes */
	rig_put(&rig, "d/f", 200000, 1);
	rig_put(&rig, "d/other", 1000, 2);
	rig_start(&rig);
	told[0] = '\0';
	node = rig_node(&rig, "d/f");
	thaw_archive_mem_hold(rig.mem, 5000);
	waiter_init(w);
	ck_assert_int_eq(thaw_stage_open(rig.stage, node, 0, &w->wait, &obj), -EINPROGRESS);
	ck_assert(thaw_archive_mem_wait_held(rig.mem, 1));
}

static void end(struct waiter *w)
{
	waiter_release(w);
	rig_end(&rig);
}

START_TEST(changed_while_copied)
{
	struct thaw_obj *obj;
	struct waiter w;

	begin(&w);
	rig_put(&rig, "d/f", 150000, 33);
	thaw_archive_mem_release(rig.mem);
	ck_assert_int_eq(waiter_status(&w), -ESTALE);
	ck_assert(was_told("f"));
	ck_assert_uint_ne(rig_node(&rig, "d/f"), node);
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), -ESTALE);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/f"), 0, 150000, 33), 0);
	ck_assert_uint_eq(rig_object(&rig, "d/f").version, 2);
	end(&w);
}
END_TEST

/* A tag that differs for a moment only: nothing has changed, and it can be had. */
START_TEST(not_changed_after_all)
{
	struct thaw_obj *obj;
	struct waiter w;
	int r;

	begin(&w);
	ck_assert_int_eq(thaw_archive_mem_fail(rig.mem, thaw_key_of("d/f"), -ESTALE, 8), 0);
	thaw_archive_mem_release(rig.mem);
	r = waiter_status(&w);
	ck_assert(r == 0 || r == -ESTALE);
	if (r == 0)
		thaw_stage_close(rig.stage, w.wait.obj);
	ck_assert_int_eq(thaw_archive_mem_fail(rig.mem, thaw_key_of("d/f"), 0, 0), 0);
	ck_assert_uint_eq(rig_node(&rig, "d/f"), node);
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), 0);
	thaw_stage_close(rig.stage, obj);
	end(&w);
}
END_TEST

/* An import finds the change first; the transfer then ends with a version that nobody
 * knows any more.  It is not lost. */
START_TEST(superseded_by_an_import)
{
	struct thaw_import_progress p;
	struct thaw_node now;
	struct waiter w;

	begin(&w);
	rig_put(&rig, "d/f", 150000, 33);
	p = rig_import(&rig, "/", false);
	ck_assert_uint_eq(p.changed, 1);
	ck_assert_uint_ne(rig_node(&rig, "d/f"), node);
	thaw_archive_mem_release(rig.mem);
	ck_assert_int_eq(waiter_status(&w), -ESTALE);
	ck_assert_int_eq(rig_look(&rig, "d/f", &now), 0);
	ck_assert(!now.lost);
	ck_assert_int_eq(thaw_stage_node(rig.stage, node, &now), 0);
	ck_assert(!now.lost);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/f"), 0, 150000, 33), 0);
	end(&w);
}
END_TEST

/* Likewise, but the catalog alone knows of it: the archive delivers all of the old one. */
static struct gate last_get;

static int hold_last(struct hook *hook, struct thaw_key key, uint64_t off, int r)
{
	static const struct thaw_call never = {NULL, NULL};

	(void)hook;
	if (key_is(key, "d/f") && off)
		(void)gate_pass(&last_get, &never);
	return r;
}

START_TEST(superseded_at_the_last_moment)
{
	struct thaw_obj *obj;
	struct thaw_node now;
	struct waiter w;

	rig_init(&rig, false);
	rig.conf.chunk = 128 * KIB;
	rig_put(&rig, "d/f", 200000, 1);
	gate_init(&last_get, true);
	rig.hook->after_get = hold_last;
	rig_start(&rig);
	node = rig_node(&rig, "d/f");
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_open(rig.stage, node, 0, &w.wait, &obj), -EINPROGRESS);
	ck_assert(gate_wait_held(&last_get, 1));
	rig_put(&rig, "d/f", 1000, 5);
	ck_assert_uint_eq(rig_import(&rig, "/", false).changed, 1);
	gate_open(&last_get);
	/* Its readers may have it, complete as it was; the cache must not keep it. */
	if (waiter_status(&w) == 0) {
		ck_assert_int_eq(compare_range(rig.stage, w.wait.obj, 1, 0, 200000), 0);
		thaw_stage_close(rig.stage, w.wait.obj);
	} else {
		ck_assert_int_eq(waiter_status(&w), -ESTALE);
	}
	rig_await_idle(&rig);
	ck_assert_uint_eq(rig_space(&rig).resident, 0);
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), -ESTALE);
	ck_assert_int_eq(thaw_stage_node(rig.stage, node, &now), 0);
	ck_assert(!now.lost);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/f"), 0, 1000, 5), 0);
	rig.hook->after_get = NULL;
	waiter_release(&w);
	rig_end(&rig);
	gate_release(&last_get);
}
END_TEST

/* Waits for room while the change is imported: nothing was asked of the archive yet. */
START_TEST(superseded_while_it_waits)
{
	struct thaw_obj *obj, *big;
	struct thaw_node now;
	struct waiter w;

	rig_init(&rig, false);
	rig.conf.cache_size = 4 * MIB;
	rig.conf.space_wait = 30;
	rig_put(&rig, "big", 3 * MIB, 3);
	rig_put(&rig, "f", 1 * MIB, 4);
	rig_start(&rig);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "big"), 0, &big), 0);
	node = rig_node(&rig, "f");
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_open(rig.stage, node, 0, &w.wait, &obj), -EINPROGRESS);
	rig_await(rig_status(&rig).flights_waiting_space == 1);
	rig_put(&rig, "f", 100, 5);
	ck_assert_uint_eq(rig_import(&rig, "/", false).changed, 1);
	thaw_stage_close(rig.stage, big);
	ck_assert_int_eq(waiter_status(&w), -ESTALE);
	ck_assert_int_eq(thaw_stage_node(rig.stage, node, &now), 0);
	ck_assert(!now.lost);
	ck_assert_int_eq(rig_look(&rig, "f", &now), 0);
	ck_assert_int_eq(now.type, THAW_TYPE_FILE);
	ck_assert_int_eq(open_compare(rig.stage, now.id, 0, 100, 5), 0);
	waiter_release(&w);
	rig_end(&rig);
}
END_TEST

START_TEST(gone_from_the_archive)
{
	struct thaw_obj *obj;
	struct waiter w;

	begin(&w);
	rig_remove(&rig, "d/f");
	thaw_archive_mem_release(rig.mem);
	ck_assert_int_eq(waiter_status(&w), -EIO);
	ck_assert_int_eq(rig_state(&rig, "d/f"), THAW_STATE_LOST);
	ck_assert_uint_eq(rig_node(&rig, "d/f"), node); /* still listed */
	ck_assert_int_eq(open_wait(rig.stage, node, 0, &obj), -EIO);
	/* And comes back. */
	rig_put(&rig, "d/f", 500, 9);
	ck_assert_uint_eq(rig_import(&rig, "d", false).found, 1);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/f"), 0, 500, 9), 0);
	end(&w);
}
END_TEST

START_TEST(replaced_by_a_directory)
{
	struct thaw_node now;
	struct waiter w;

	begin(&w);
	rig_remove(&rig, "d/f");
	rig_put(&rig, "d/f/inside", 77, 5);
	thaw_archive_mem_release(rig.mem);
	ck_assert_int_lt(waiter_status(&w), 0);
	ck_assert_uint_eq(rig_import(&rig, "/", false).errors, 0);
	ck_assert_int_eq(rig_look(&rig, "d/f", &now), 0);
	ck_assert_int_eq(now.type, THAW_TYPE_DIR);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/f/inside"), 0, 77, 5), 0);
	end(&w);
}
END_TEST

/* Open files keep what they opened, whatever the archive and the catalog say since. */
START_TEST(open_files_keep_theirs)
{
	struct thaw_obj *changed, *lost, *obj;
	uint64_t first;

	rig_init(&rig, false);
	rig_put(&rig, "changed", 100000, 1);
	rig_put(&rig, "lost", 100000, 2);
	rig_start(&rig);
	first = rig_node(&rig, "changed");
	ck_assert_int_eq(open_wait(rig.stage, first, 0, &changed), 0);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "lost"), 0, &lost), 0);
	rig_put(&rig, "changed", 50, 3);
	rig_remove(&rig, "lost");
	(void)rig_import(&rig, "/", false);
	ck_assert_int_eq(compare_range(rig.stage, changed, 1, 0, 100000), 0);
	ck_assert_int_eq(compare_range(rig.stage, lost, 2, 0, 100000), 0);
	ck_assert(thaw_obj_is_whole(changed));
	ck_assert_int_eq(open_wait(rig.stage, first, 0, &obj), -ESTALE);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "changed"), 0, 50, 3), 0);
	thaw_stage_close(rig.stage, changed);
	thaw_stage_close(rig.stage, lost);
	rig_end(&rig);
}
END_TEST

/* A store that is away is a wait, then an error, and never a loss. */
START_TEST(archive_away)
{
	struct thaw_obj *obj;
	struct waiter w;

	begin(&w);
	thaw_archive_mem_down(rig.mem, -EAGAIN);
	thaw_archive_mem_release(rig.mem);
	rig_await(rig_status(&rig).flights == 1);
	ck_assert_int_eq(waiter_calls(&w), 0);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "d/other"), THAW_OPEN_NONBLOCK, &obj),
			 -EAGAIN);
	thaw_archive_mem_down(rig.mem, 0);
	ck_assert_int_eq(waiter_status(&w), 0);
	thaw_stage_close(rig.stage, w.wait.obj);
	rig_await(rig_state(&rig, "d/other") == THAW_STATE_ONLINE);
	ck_assert_int_eq(open_compare(rig.stage, node, 0, 200000, 1), 0);
	end(&w);
}
END_TEST

RUN_TESTS("stage/change", changed_while_copied, not_changed_after_all, superseded_by_an_import,
	  superseded_at_the_last_moment, superseded_while_it_waits, gone_from_the_archive,
	  replaced_by_a_directory, open_files_keep_theirs, archive_away)
