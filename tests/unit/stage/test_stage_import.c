/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listing an archive: first, again, after changes, interrupted, and while somebody waits. */
#include <errno.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

static struct rig rig;

struct seen {
	atomic_uint entries, nodes, begins, ends;
};
static struct seen seen;

static void on_entry(void *ctx, uint64_t dir, const char *name, size_t len)
{
	(void)ctx;
	(void)dir;
	(void)name;
	(void)len;
	atomic_fetch_add(&seen.entries, 1);
}

static void on_node(void *ctx, uint64_t node)
{
	(void)ctx;
	(void)node;
	atomic_fetch_add(&seen.nodes, 1);
}

static void on_begin(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&seen.begins, 1);
}

static void on_end(void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&seen.ends, 1);
}

static void begin(void)
{
	rig_init(&rig, false);
	memset(&seen, 0, sizeof(seen));
	rig.events = (struct thaw_stage_events){
		.entry_changed = on_entry,
		.node_changed = on_node,
		.import_begin = on_begin,
		.import_end = on_end,
	};
	rig_put(&rig, "a/x", 100, 1);
	rig_put(&rig, "a/y", 200, 2);
	rig_put(&rig, "a/deep/er/z", 300, 3);
	rig_put(&rig, "top", 400, 4);
}

START_TEST(first_and_again)
{
	struct thaw_import_progress p;
	uint64_t files, bytes;
	struct thaw_node node;

	begin();
	rig_start(&rig);
	ck_assert_uint_eq(atomic_load(&rig.hook->lists), 4);
	ck_assert_int_eq(thaw_stage_totals(rig.stage, &files, &bytes), 0);
	ck_assert_uint_eq(files, 4);
	ck_assert_uint_eq(bytes, 1000);
	ck_assert_int_eq(rig_look(&rig, "a/deep/er/z", &node), 0);
	ck_assert_uint_eq(node.size, 300);
	ck_assert_uint_gt(atomic_load(&seen.entries), 0);
	ck_assert_uint_eq(atomic_load(&seen.begins), atomic_load(&seen.ends));

	memset(&seen, 0, sizeof(seen));
	p = rig_import(&rig, "/", false); /* nothing is new */
	ck_assert_uint_eq(p.dirs, 4);
	ck_assert_uint_eq(p.entries, 7);
	ck_assert_uint_eq(p.added + p.changed + p.lost + p.found + p.errors, 0);
	ck_assert(!p.running);
	ck_assert_int_ge(p.finished, p.started);
	ck_assert_uint_eq(atomic_load(&seen.entries) + atomic_load(&seen.nodes), 0);

	rig_restart(&rig); /* no rescan */
	ck_assert_uint_eq(atomic_load(&rig.hook->lists), 8);
	rig_end(&rig);
}
END_TEST

START_TEST(refresh)
{
	struct thaw_import_progress p;
	struct thaw_node node;
	uint64_t x;

	begin();
	rig_start(&rig);
	x = rig_node(&rig, "a/x");
	memset(&seen, 0, sizeof(seen));
	rig_put(&rig, "a/x", 111, 11);
	rig_put(&rig, "a/new", 5, 5);
	rig_remove(&rig, "a/deep");
	p = rig_import(&rig, "/", false);
	ck_assert_uint_eq(p.added, 1);
	ck_assert_uint_eq(p.changed, 1);
	ck_assert_uint_eq(p.lost, 1);
	ck_assert_uint_ne(rig_node(&rig, "a/x"), x);
	ck_assert_int_eq(rig_state(&rig, "a/deep"), THAW_STATE_LOST);
	ck_assert_int_eq(rig_look(&rig, "a/deep/er/z", &node), 0);
	ck_assert(node.lost);
	ck_assert_uint_ge(atomic_load(&seen.entries), 2);
	ck_assert_uint_ge(atomic_load(&seen.nodes), 1);

	rig_put(&rig, "a/deep/er/z", 300, 3); /* back */
	p = rig_import(&rig, "a", false);
	ck_assert_uint_ge(p.found, 1);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "a/deep/er/z"), 0, 300, 3), 0);
	rig_end(&rig);
}
END_TEST

/* Neither a new version nor its loss takes a file from those who have it open. */
START_TEST(what_is_open_goes_on)
{
	struct thaw_obj *x, *z;

	begin();
	rig_start(&rig);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "a/x"), 0, &x), 0);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "a/deep/er/z"), 0, &z), 0);
	rig_put(&rig, "a/x", 111, 11);
	rig_remove(&rig, "a/deep");
	(void)rig_import(&rig, "/", false);
	ck_assert(!thaw_obj_try_use(x));
	ck_assert(!thaw_obj_try_use(z));
	ck_assert_int_eq(read_wait(rig.stage, x, 0, thaw_obj_size(x)), 0);
	ck_assert_int_eq(compare_range(rig.stage, z, 3, 0, 300), 0);
	thaw_stage_close(rig.stage, x);
	thaw_stage_close(rig.stage, z);
	rig_end(&rig);
}
END_TEST

/* Of one directory, or of the directory of one file, and no more. */
START_TEST(part_of_it)
{
	begin();
	rig_start(&rig);
	rig_put(&rig, "a/new", 5, 5);
	rig_put(&rig, "top2", 6, 6);
	ck_assert_uint_eq(rig_import(&rig, "a/deep", false).dirs, 2);
	ck_assert_uint_eq(rig_import(&rig, "a/x", false).dirs, 1);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "a/new"), 0, 5, 5), 0);
	ck_assert_int_eq(rig_look(&rig, "top2", &(struct thaw_node){0}), -ENOENT);
	rig_end(&rig);
}
END_TEST

/* An archive that is not mounted looks empty. */
START_TEST(empty_root_is_not_believed)
{
	struct thaw_import_progress p;

	begin();
	rig_start(&rig);
	rig_remove(&rig, "a");
	rig_remove(&rig, "top");
	p = rig_import(&rig, "/", false);
	ck_assert_uint_eq(p.errors, 1);
	ck_assert_int_eq(p.error, -ENODATA);
	ck_assert_ptr_nonnull(strstr(p.message, "--allow-empty"));
	ck_assert_uint_eq(p.lost, 0);
	ck_assert_int_eq(rig_state(&rig, "top"), THAW_STATE_OFFLINE);
	p = rig_import(&rig, "/", true);
	ck_assert_uint_eq(p.errors, 0);
	ck_assert_int_eq(rig_state(&rig, "top"), THAW_STATE_LOST);
	rig_end(&rig);
}
END_TEST

/* What cannot be listed is an error and not empty; the rest comes in. */
static int refuse_deep(struct hook *hook, struct thaw_key dir, const struct thaw_call *call)
{
	(void)hook;
	(void)call;
	return key_is(dir, "a/deep") ? -EACCES : 0;
}

START_TEST(one_directory_fails)
{
	struct thaw_import_progress p;
	struct thaw_node node;

	begin();
	rig.hook->on_list = refuse_deep;
	rig_start(&rig);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "a/x"), 0, 100, 1), 0);
	ck_assert_int_eq(thaw_stage_lookup(rig.stage, rig_node(&rig, "a/deep"), "er", 2, &node),
			 -EIO);
	ck_assert_int_eq(want_dir_wait(rig.stage, rig_node(&rig, "a/deep")), -EIO);
	p = rig_import(&rig, "/", false);
	ck_assert_uint_eq(p.errors, 1);
	ck_assert_ptr_nonnull(strstr(p.message, "/a/deep"));
	rig.hook->on_list = NULL;
	ck_assert_uint_eq(rig_import(&rig, "/", false).errors, 0);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "a/deep/er/z"), 0, 300, 3), 0);
	/* Known names stay when a later listing fails. */
	rig.hook->on_list = refuse_deep;
	ck_assert_uint_eq(rig_import(&rig, "/", false).errors, 1);
	ck_assert_int_eq(thaw_stage_lookup(rig.stage, rig_node(&rig, "a/deep"), "er", 2, &node), 0);
	rig.hook->on_list = NULL;
	rig_end(&rig);
}
END_TEST

/* ---- waiting ---- */

static struct gate gate;

static int hold_deep(struct hook *hook, struct thaw_key dir, const struct thaw_call *call)
{
	(void)hook;
	return key_is(dir, "a/deep") ? gate_pass(&gate, call) : 0;
}

static void begin_held(void)
{
	struct thaw_err err = {""};

	begin();
	gate_init(&gate, true);
	rig.hook->on_list = hold_deep;
	ck_assert_int_eq(rig_open(&rig, &err), 0);
	rig_run(&rig);
	ck_assert(gate_wait_held(&gate, 1));
}

/* Who looks into a directory that is not listed yet waits, and a name is not absent. */
START_TEST(unlisted_is_a_wait)
{
	struct waiter w, cancelled;
	struct thaw_node node;
	uint64_t deep;

	begin_held();
	deep = rig_node(&rig, "a/deep");
	ck_assert_int_eq(thaw_stage_lookup(rig.stage, deep, "er", 2, &node), -EINPROGRESS);
	ck_assert_int_eq(thaw_stage_lookup(rig.stage, rig_node(&rig, "a"), "nope", 4, &node),
			 -ENOENT);
	waiter_init(&w);
	waiter_init(&cancelled);
	ck_assert_int_eq(thaw_stage_want_dir(rig.stage, deep, &w.wait), -EINPROGRESS);
	ck_assert_int_eq(thaw_stage_want_dir(rig.stage, deep, &cancelled.wait), -EINPROGRESS);
	ck_assert(thaw_stage_cancel(rig.stage, &cancelled.wait));
	ck_assert(!thaw_stage_cancel(rig.stage, &cancelled.wait));
	ck_assert_int_eq(thaw_stage_want_dir(rig.stage, rig_node(&rig, "a/x"), &cancelled.wait),
			 -ENOTDIR);
	ck_assert_int_eq(waiter_calls(&w), 0);
	gate_open(&gate);
	ck_assert_int_eq(waiter_status(&w), 0);
	ck_assert_int_eq(thaw_stage_lookup(rig.stage, deep, "er", 2, &node), 0);
	ck_assert_int_eq(want_dir_wait(rig.stage, deep), 0);
	rig_await_import(&rig);
	ck_assert_int_eq(waiter_calls(&cancelled), 0);
	waiter_release(&w);
	waiter_release(&cancelled);
	rig.hook->on_list = NULL;
	rig_end(&rig);
	gate_release(&gate);
}
END_TEST

/* Killed or stopped half way, the next start goes on with what was never listed. */
START_TEST(goes_on_after_a_stop)
{
	struct waiter w;
	unsigned lists;

	begin_held();
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_want_dir(rig.stage, rig_node(&rig, "a/deep"), &w.wait),
			 -EINPROGRESS);
	rig_stop(&rig);
	ck_assert_int_eq(waiter_status(&w), -ESHUTDOWN);
	ck_assert_int_eq(waiter_calls(&w), 1);
	waiter_release(&w);
	rig.hook->on_list = NULL;
	lists = atomic_load(&rig.hook->lists);
	rig_start(&rig);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "a/deep/er/z"), 0, 300, 3), 0);
	ck_assert_uint_eq(atomic_load(&rig.hook->lists), lists + 2); /* deep and er */
	rig_end(&rig);
	gate_release(&gate);
}
END_TEST

/* Many directories and many who look into them at once. */
#define DIRS 200

struct looker {
	pthread_t thread;
	unsigned seed;
	int r;
};

static void *look_around(void *arg)
{
	struct looker *l = arg;

	for (int i = 0; i < 100 && l->r == 0; i++) {
		struct thaw_node dir, file;
		char name[32];
		unsigned k = (unsigned)rand_r(&l->seed) % DIRS;
		uint64_t root = thaw_stage_root(rig.stage);
		int len = snprintf(name, sizeof(name), "dir%u", k);

		while ((l->r = thaw_stage_lookup(rig.stage, root, name, (size_t)len, &dir)) ==
		       -EINPROGRESS)
			if ((l->r = want_dir_wait(rig.stage, root)) < 0)
				return NULL;
		while (l->r == 0 &&
		       (l->r = thaw_stage_lookup(rig.stage, dir.id, "f", 1, &file)) == -EINPROGRESS)
			l->r = want_dir_wait(rig.stage, dir.id);
	}
	return NULL;
}

START_TEST(lookers_during_the_first_import)
{
	struct looker l[8];
	struct thaw_err err = {""};
	char key[32];

	rig_init(&rig, false);
	for (unsigned i = 0; i < DIRS; i++) {
		(void)snprintf(key, sizeof(key), "dir%u/f", i);
		rig_put(&rig, key, 10, i);
	}
	ck_assert_int_eq(rig_open(&rig, &err), 0);
	rig_run(&rig);
	for (unsigned i = 0; i < 8; i++) {
		l[i] = (struct looker){.seed = i};
		ck_assert_int_eq(pthread_create(&l[i].thread, NULL, look_around, &l[i]), 0);
	}
	for (unsigned i = 0; i < 8; i++) {
		pthread_join(l[i].thread, NULL);
		ck_assert_int_eq(l[i].r, 0);
	}
	rig_end(&rig);
}
END_TEST

/* What is open, staged or coming survives imports that run all the time. */
static void *read_x(void *arg)
{
	struct looker *l = arg;

	for (int i = 0; i < 200 && l->r == 0; i++) {
		struct thaw_node node;
		struct thaw_obj *obj;

		l->r = thaw_stage_resolve(rig.stage, "a/x", 3, NULL, NULL, &node);
		if (l->r == 0)
			l->r = open_wait(rig.stage, node.id, 0, &obj);
		if (l->r == 0) {
			/* Either version, whole; its size says which. */
			l->r = compare_range(rig.stage, obj, thaw_obj_size(obj), 0,
					     thaw_obj_size(obj));
			thaw_stage_close(rig.stage, obj);
		} else if (l->r == -ESTALE) {
			l->r = 0; /* the kernel looks the name up again */
		}
	}
	return NULL;
}

START_TEST(readers_of_a_file_that_changes)
{
	struct looker l[4];

	begin();
	rig_put(&rig, "a/x", 5000, 5000);
	rig_start(&rig);
	for (unsigned i = 0; i < 4; i++) {
		l[i] = (struct looker){.seed = i};
		ck_assert_int_eq(pthread_create(&l[i].thread, NULL, read_x, &l[i]), 0);
	}
	for (uint64_t round = 0; round < 30; round++) {
		rig_put(&rig, "a/x", 4000 + round, 4000 + round);
		(void)rig_import(&rig, round % 2 ? "a" : "/", false);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(l[i].thread, NULL);
		ck_assert_int_eq(l[i].r, 0);
	}
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "a/x"), 0, 4029, 4029), 0);
	rig_end(&rig);
}
END_TEST

RUN_TESTS("stage/import", first_and_again, what_is_open_goes_on, refresh, part_of_it,
	  empty_root_is_not_believed, one_directory_fails, unlisted_is_a_wait, goes_on_after_a_stop,
	  lookers_during_the_first_import, readers_of_a_file_that_changes)
