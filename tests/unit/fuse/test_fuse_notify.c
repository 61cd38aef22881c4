/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mutex.h"
#include "fuse/notify.h"
#include "fuse/room.h"
#include "fuse/told.h"
#include "stage/names.h"
#include "stage/stage.h"
#include "../suite.h"

#define ROOT 1

/* --- the kernel writes down what it is told --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct thaw_buf heard; /* lock */
static atomic_int epoch_error, epochs;
static atomic_bool hold; /* notifications wait, as for a directory's lock */

static void hear(const char *what, fuse_ino_t ino, const char *name, size_t len)
{
	thaw_mutex_assert_none_held();
	while (atomic_load(&hold))
		sched_yield();
	pthread_mutex_lock(&lock);
	(void)thaw_buf_addf(&heard, "%s %lu %.*s;", what, (unsigned long)ino, (int)len, name);
	pthread_mutex_unlock(&lock);
}

int fuse_lowlevel_notify_inval_inode(struct fuse_session *se, fuse_ino_t ino, off_t off, off_t len)
{
	(void)se, (void)off, (void)len;
	hear("node", ino, "", 0);
	return -ENOENT;
}

int fuse_lowlevel_notify_inval_entry(struct fuse_session *se, fuse_ino_t parent, const char *name,
				     size_t namelen)
{
	(void)se;
	hear("entry", parent, name, namelen);
	return 0;
}

int fuse_lowlevel_notify_increment_epoch(struct fuse_session *se)
{
	(void)se;
	atomic_fetch_add(&epochs, 1);
	return -atomic_load(&epoch_error);
}

/* --- the engine --- */

uint64_t thaw_stage_root(const struct thaw_stage *stage)
{
	(void)stage;
	return ROOT;
}

int thaw_stage_node(struct thaw_stage *stage, uint64_t id, struct thaw_node *ret)
{
	(void)stage;
	*ret = (struct thaw_node){.id = id, .parent = id == 20 ? 10 : ROOT};
	return id == 30 ? -ENOENT : 0;
}

int thaw_stage_path(struct thaw_stage *stage, uint64_t id, struct thaw_buf *buf)
{
	(void)stage;
	return thaw_buf_adds(buf, id == 20 ? "/ten/twenty" : "/ten");
}

static struct thaw_told *told;
static struct thaw_notifier *notifier;

static void set_up(void)
{
	thaw_buf_init(&heard, 1u << 26);
	atomic_store(&epochs, 0);
	atomic_store(&epoch_error, 0);
	told = thaw_told_new();
	thaw_told_mark(told, ROOT);
	thaw_told_mark(told, 10);
	thaw_told_mark(told, 20);
	notifier = thaw_notifier_new(NULL, told);
	ck_assert_int_eq(thaw_notifier_start(notifier, NULL), 0);
}

static void tear_down(void)
{
	thaw_notifier_stop(notifier);
	notifier = thaw_notifier_free(notifier);
	told = thaw_told_free(told);
	thaw_buf_release(&heard);
}

static void entry(uint64_t dir, const char *name)
{
	thaw_notifier_entry(notifier, dir, name, strlen(name));
}

static void await_text(const char *text)
{
	bool there = false;

	while (!there) {
		sched_yield();
		pthread_mutex_lock(&lock);
		there = heard.data && strstr(heard.data, text);
		pthread_mutex_unlock(&lock);
	}
}

START_TEST(names_then_their_directory_once)
{
	atomic_store(&hold, true);
	entry(10, "first"); /* taken by itself; the rest is queued meanwhile */
	entry(10, "a");
	entry(10, "b");
	entry(ROOT, "c");
	thaw_notifier_node(notifier, 20);
	atomic_store(&hold, false);
	await_text("node 21 ;");
	thaw_notifier_stop(notifier);
	/* Whatever was taken together, the order stands and each run of names
	 * ends with its directory. */
	ck_assert_ptr_nonnull(strstr(heard.data, "entry 11 a;"));
	ck_assert_ptr_nonnull(
		strstr(heard.data, "entry 11 b;node 11 ;entry 1 c;node 1 ;node 21 ;"));
}
END_TEST

START_TEST(what_the_kernel_does_not_know_is_passed_over)
{
	entry(11, "a");
	thaw_notifier_node(notifier, 21);
	thaw_notifier_node(notifier, 10);
	await_text("node 11 ;");
	thaw_notifier_stop(notifier);
	ck_assert_str_eq(heard.data, "node 11 ;");
}
END_TEST

static void overflow(void)
{
	char name[200];

	atomic_store(&hold, true);
	memset(name, 'n', sizeof(name));
	for (unsigned i = 0; i < THAW_NOTIFY_BYTES / 100; i++)
		thaw_notifier_entry(notifier, 10, name, sizeof(name));
	atomic_store(&hold, false);
}

START_TEST(too_many_names_become_one_epoch)
{
	overflow();
	await_text("node 21 ;");
	thaw_notifier_stop(notifier);
	ck_assert_int_ge(epochs, 1);
	ck_assert_ptr_nonnull(strstr(heard.data, "node 1 ;node 11 ;node 21 ;"));
	ck_assert_ptr_null(strstr(heard.data, "twenty"));
}
END_TEST

START_TEST(without_epochs_every_directory_is_dropped_by_name)
{
	atomic_store(&epoch_error, ENOSYS);
	thaw_told_mark(told, 30); /* not in the catalog any more */
	overflow();
	await_text("node 31 ;");
	thaw_notifier_stop(notifier);
	ck_assert_ptr_nonnull(strstr(heard.data, "node 1 ;entry 1 ten;node 11 ;"
						 "entry 11 twenty;node 21 ;node 31 ;"));
}
END_TEST

START_TEST(stops_with_a_full_queue)
{
	for (int i = 0; i < 1000; i++)
		entry(10, "x");
	thaw_notifier_stop(notifier);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, names_then_their_directory_once);
	tcase_add_test(tcase, what_the_kernel_does_not_know_is_passed_over);
	tcase_add_test(tcase, too_many_names_become_one_epoch);
	tcase_add_test(tcase, without_epochs_every_directory_is_dropped_by_name);
	tcase_add_test(tcase, stops_with_a_full_queue);
}

int main(void)
{
	return run_suite("fuse_notify", add);
}
