/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Group commit: many operations in one transaction, each with its own fate.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/thread.h"
#include "catalog/catalog_impl.h"
#include "fixture.h"

#define OPS 12

struct op {
	pthread_t thread;
	int n, rc;
	int wish; /* what it returns after it has written */
};

static atomic_bool go;
static atomic_uint commits, committed;

static int count_commit(void *arg)
{
	(void)arg;
	atomic_fetch_add(&commits, 1);
	return 0;
}

static int refuse_commit(void *arg)
{
	(void)arg;
	return 1;
}

static int write_meta(struct thaw_conn *rw, int n)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "op%d", n);
	return thaw_sql_run(rw, THAW_STMT_META_SET, "tt", name, "done");
}

static int run_op(struct thaw_conn *rw, void *arg)
{
	const struct op *op = arg;
	int rc = write_meta(rw, op->n);

	return rc ? rc : op->wish;
}

static void note_committed(struct thaw_catalog *c, void *arg)
{
	(void)c, (void)arg;
	atomic_fetch_add(&committed, 1);
}

static void *run_thread(void *arg)
{
	struct op *op = arg;

	op->rc = thaw_catalog_write_then(cat, run_op, note_committed, op);
	return NULL;
}

/* Keeps the first transaction open until the others have queued. */
static int hold(struct thaw_conn *rw, void *arg)
{
	(void)arg;
	while (!atomic_load(&go))
		sched_yield();
	return write_meta(rw, 1000);
}

static void *run_holder(void *arg)
{
	*(int *)arg = thaw_catalog_write(cat, hold, NULL);
	return NULL;
}

static int queued(void)
{
	int n = 0;

	thaw_mutex_lock(&cat->queue_lock);
	for (const struct thaw_write_op *op = cat->queue; op; op = op->next)
		n++;
	thaw_mutex_unlock(&cat->queue_lock);
	return n;
}

static bool somebody_leads(void)
{
	bool leads;

	thaw_mutex_lock(&cat->queue_lock);
	leads = cat->leading && !cat->queue;
	thaw_mutex_unlock(&cat->queue_lock);
	return leads;
}

static void setup(void)
{
	atomic_store(&go, false);
	atomic_store(&commits, 0);
	atomic_store(&committed, 0);
	fixture_setup();
}

/* All of ops in one batch, behind one that goes alone. */
static void run_together(struct op *ops)
{
	pthread_t holder;
	int rc = -1;

	ck_assert_int_eq(thaw_thread_start(&holder, "holder", run_holder, &rc), 0);
	while (!somebody_leads())
		sched_yield();
	for (int i = 0; i < OPS; i++) {
		ops[i].n = i;
		ops[i].rc = -1;
		ck_assert_int_eq(thaw_thread_start(&ops[i].thread, "op", run_thread, &ops[i]), 0);
		while (queued() != i + 1)
			sched_yield();
	}
	atomic_store(&go, true);
	pthread_join(holder, NULL);
	for (int i = 0; i < OPS; i++)
		pthread_join(ops[i].thread, NULL);
	ck_assert_int_eq(rc, 0);
}

static bool is_there(int n)
{
	char name[16], *value;
	int rc;

	(void)snprintf(name, sizeof(name), "op%d", n);
	rc = thaw_catalog_meta_get(cat, name, &value);
	if (!rc)
		free(value);
	return !rc;
}

START_TEST(one_commit_for_many)
{
	struct op ops[OPS] = { 0 };

	sqlite3_commit_hook(cat->rw->db, count_commit, NULL);
	run_together(ops);
	ck_assert_uint_eq(atomic_load(&commits), 2);
	ck_assert_uint_eq(atomic_load(&committed), OPS);
	for (int i = 0; i < OPS; i++) {
		ck_assert_int_eq(ops[i].rc, 0);
		ck_assert(is_there(i));
	}
	ck_assert(!cat->leading);
}
END_TEST

START_TEST(one_failure_stays_alone)
{
	struct op ops[OPS] = { 0 };

	ops[0].wish = -EINVAL;
	ops[5].wish = -ENOENT;
	ops[OPS - 1].wish = -EBADMSG;
	run_together(ops);
	ck_assert_uint_eq(atomic_load(&committed), OPS - 3);
	for (int i = 0; i < OPS; i++) {
		ck_assert_int_eq(ops[i].rc, ops[i].wish);
		ck_assert_int_eq(is_there(i), !ops[i].wish);
	}
}
END_TEST

START_TEST(failing_commit_alone)
{
	struct op alone = { .n = 500 };
	struct thaw_err err;

	sqlite3_commit_hook(cat->rw->db, refuse_commit, NULL);
	ck_assert_int_ne(thaw_catalog_write(cat, run_op, &alone), 0);
	ck_assert(!is_there(500));
	thaw_catalog_strerror(cat, &err);
	ck_assert_msg(strstr(err.text, "SQLite code") != NULL, "%s", err.text);
	sqlite3_commit_hook(cat->rw->db, NULL, NULL);
	ck_assert_int_eq(thaw_catalog_write(cat, run_op, &alone), 0);
	ck_assert(is_there(500));
}
END_TEST

static atomic_uint left_to_allow;

static int refuse_later(void *arg)
{
	(void)arg;
	return atomic_load(&left_to_allow) ? (atomic_fetch_sub(&left_to_allow, 1), 0) : 1;
}

/* Each gets the commit's error, even one that had an error of its own. */
START_TEST(failing_commit_fails_the_batch)
{
	struct op ops[OPS] = { 0 };

	ops[3].wish = -EINVAL;
	atomic_store(&left_to_allow, 1); /* the one that goes alone */
	sqlite3_commit_hook(cat->rw->db, refuse_later, NULL);
	run_together(ops);
	sqlite3_commit_hook(cat->rw->db, NULL, NULL);
	ck_assert_uint_eq(atomic_load(&committed), 0);
	for (int i = 0; i < OPS; i++) {
		ck_assert_int_eq(ops[i].rc, -EEXIST);
		ck_assert(!is_there(i));
	}
	ck_assert(!cat->leading);
}
END_TEST

static void limit_pages(int64_t more)
{
	char text[64];
	int64_t pages;

	ck_assert_int_eq(thaw_sql_exec_value(cat->rw, "PRAGMA page_count", &pages), 0);
	pages += more;
	(void)snprintf(text, sizeof(text), "PRAGMA max_page_count = %lld", (long long)pages);
	ck_assert_int_eq(thaw_sql_exec(cat->rw, text), 0);
}

static struct thaw_listing *wide_listing(int n)
{
	struct thaw_listing *listing = thaw_listing_new(spec.id, root);

	for (int i = 0; i < n; i++) {
		struct thaw_entry e;
		char name[32];

		(void)snprintf(name, sizeof(name), "file-with-a-name-%d", i);
		e = file_entry(name, "tag", 10);
		ck_assert_int_eq(thaw_listing_add(listing, &e), 0);
	}
	return listing;
}

START_TEST(disk_full)
{
	struct thaw_listing *l = wide_listing(2000);
	struct thaw_err err;

	FILL(root, file_entry("before", "1", 1));
	limit_pages(3);
	ck_assert_int_eq(thaw_catalog_ingest(cat, &l, 1), -ENOSPC);
	ck_assert_uint_eq(l->change_count, 0);
	thaw_catalog_strerror(cat, &err);
	ck_assert_msg(strstr(err.text, "full") != NULL, "%s", err.text);
	ck_assert(!lookup(root, "before").lost);
	ck_assert(is_absent(root, "file-with-a-name-0"));
	check_catalog();
	/* small things still fit */
	ck_assert_int_eq(thaw_catalog_meta_set(cat, "a", "b"), 0);
	limit_pages(100000);
	ck_assert_int_eq(thaw_catalog_ingest(cat, &l, 1), 0);
	ck_assert(lookup(root, "before").lost);
	thaw_listing_free(l);
}
END_TEST

struct filling {
	int rc;
	struct thaw_listing *listing;
	pthread_t thread;
};

static void *run_filling(void *arg)
{
	struct filling *f = arg;

	f->rc = thaw_catalog_ingest(cat, &f->listing, 1);
	return NULL;
}

/* In a batch with others: they are told the same, or are done; nothing between. */
START_TEST(disk_full_in_a_batch)
{
	struct filling f = { .listing = wide_listing(2000) };
	struct op ops[OPS] = { 0 };
	pthread_t holder;
	int rc = -1;

	limit_pages(8);
	ck_assert_int_eq(thaw_thread_start(&holder, "holder", run_holder, &rc), 0);
	while (!somebody_leads())
		sched_yield();
	for (int i = 0; i < OPS; i++) {
		ops[i].n = i;
		ck_assert_int_eq(thaw_thread_start(&ops[i].thread, "op", run_thread, &ops[i]), 0);
		if (i == OPS / 2)
			ck_assert_int_eq(thaw_thread_start(&f.thread, "fill", run_filling, &f), 0);
		while (queued() != i + 1 + (i >= OPS / 2))
			sched_yield();
	}
	atomic_store(&go, true);
	pthread_join(holder, NULL);
	pthread_join(f.thread, NULL);
	for (int i = 0; i < OPS; i++) {
		pthread_join(ops[i].thread, NULL);
		ck_assert(ops[i].rc == 0 || ops[i].rc == -ENOSPC);
		ck_assert_int_eq(is_there(i), ops[i].rc == 0);
	}
	ck_assert_int_eq(f.rc, -ENOSPC);
	ck_assert(is_absent(root, "file-with-a-name-0"));
	limit_pages(100000);
	thaw_listing_free(f.listing);
}
END_TEST

START_TEST(readers_never_checkpoint)
{
	struct thaw_conn *conn;
	int on = -1;

	ck_assert_int_eq(thaw_catalog_reader_get(cat, &conn), 0);
	ck_assert_int_eq(sqlite3_db_config(conn->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, -1, &on),
			 SQLITE_OK);
	ck_assert_int_eq(on, 1);
	ck_assert_int_ne(thaw_sql_exec(conn, "DELETE FROM nodes"), 0);
	thaw_catalog_reader_put(conn);
}
END_TEST

static bool in_transaction(struct thaw_conn *conn)
{
	return sqlite3_txn_state(conn->db, NULL) != SQLITE_TXN_NONE;
}

/* A statement left open would keep the log from ever being reused. */
START_TEST(no_read_stays_open)
{
	struct thaw_tree_sum sum;
	struct thaw_node node;
	uint64_t n, m;

	FILL(root, file_entry("a", "1", 1), dir_entry("d"));
	(void)thaw_catalog_lookup(cat, root, "a", 1, &node);
	(void)thaw_catalog_lookup(cat, root, "none", 4, &node);
	(void)thaw_catalog_sum_state(cat, root, &sum);
	(void)thaw_catalog_totals(cat, &n, &m);
	(void)thaw_catalog_resident_totals(cat, &n, &m);
	ck_assert_ptr_nonnull(cat->idle);
	for (struct thaw_conn *conn = cat->idle; conn; conn = conn->next)
		ck_assert(!in_transaction(conn));
	ck_assert(!in_transaction(cat->rw));
	ck_assert_uint_eq(cat->open_readers, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_write");
	TCase *tc = tcase_create("write");

	tcase_add_checked_fixture(tc, setup, fixture_teardown);
	tcase_add_test(tc, one_commit_for_many);
	tcase_add_test(tc, one_failure_stays_alone);
	tcase_add_test(tc, failing_commit_alone);
	tcase_add_test(tc, failing_commit_fails_the_batch);
	tcase_add_test(tc, disk_full);
	tcase_add_test(tc, disk_full_in_a_batch);
	tcase_add_test(tc, readers_never_checkpoint);
	tcase_add_test(tc, no_read_stays_open);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
