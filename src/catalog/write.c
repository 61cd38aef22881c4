/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Group commit.  Callers queue an operation; whoever finds no leader becomes
 * one, takes the whole queue, runs it in one transaction and wakes the others
 * with their results.  Who came meanwhile makes the next batch, led by the
 * first of them.  With several operations each runs under a savepoint, so that
 * one that fails does not spoil the others.  A failing commit fails them all.
 *
 * The lock guards the queue only.  The rw connection needs none: it is the
 * leader's, and there is one leader.
 */
#include <errno.h>
#include <stddef.h>

#include "catalog/catalog_impl.h"

uint64_t thaw_catalog_new_node(struct thaw_conn *rw)
{
	return rw->cat->next.node++;
}

uint64_t thaw_catalog_new_object(struct thaw_conn *rw)
{
	return rw->cat->next.object++;
}

/* Ids given out are noted in the transaction that uses them. */
static int save_ids(struct thaw_catalog *cat)
{
	int rc = 0;

	if (cat->next.node != cat->next.saved_node)
		rc = thaw_sql_run(cat->rw, THAW_STMT_COUNTER_SET, "tu", "next_node",
				  cat->next.node);
	if (!rc && cat->next.object != cat->next.saved_object)
		rc = thaw_sql_run(cat->rw, THAW_STMT_COUNTER_SET, "tu", "next_object",
				  cat->next.object);
	return rc;
}

static int run_in_savepoint(struct thaw_conn *rw, struct thaw_write_op *op)
{
	int rc = thaw_sql_run(rw, THAW_STMT_SAVEPOINT, "");

	if (rc)
		return rc;
	op->rc = op->fn(rw, op->arg);
	/* Out of space or memory, SQLite may have rolled back everything by itself. */
	if (sqlite3_get_autocommit(rw->db))
		return op->rc ? op->rc : -EIO;
	if (op->rc)
		rc = thaw_sql_run(rw, THAW_STMT_SAVEPOINT_UNDO, "");
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_SAVEPOINT_END, "");
	return rc;
}

/* Returns what fails the whole batch; a failure of one operation stays in its rc. */
static int run_ops(struct thaw_conn *rw, struct thaw_write_op *ops)
{
	int rc = 0;

	if (!ops->next) {
		ops->rc = ops->fn(rw, ops->arg);
		return ops->rc;
	}
	for (struct thaw_write_op *op = ops; op && !rc; op = op->next)
		rc = run_in_savepoint(rw, op);
	return rc;
}

/* Nothing to do when SQLite has done it by itself. */
static int roll_back(struct thaw_conn *rw)
{
	return sqlite3_get_autocommit(rw->db) ? 0 : thaw_sql_run(rw, THAW_STMT_ROLLBACK, "");
}

static int run_transaction(struct thaw_catalog *cat, struct thaw_write_op *ops)
{
	struct thaw_conn *rw = cat->rw;
	int rc = roll_back(rw); /* of a batch before, if it could not be then */

	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_BEGIN, "");
	if (!rc)
		rc = run_ops(rw, ops);
	if (!rc)
		rc = save_ids(cat);
	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_COMMIT, "");
	if (rc) {
		(void)roll_back(rw);
		return rc;
	}
	cat->next.saved_node = cat->next.node;
	cat->next.saved_object = cat->next.object;
	return 0;
}

static void run_batch(struct thaw_catalog *cat, struct thaw_write_op *ops)
{
	int rc;

	thaw_mutex_assert_none_held();
	rc = run_transaction(cat, ops);
	for (struct thaw_write_op *op = ops; op; op = op->next) {
		if (rc)
			op->rc = rc;
		else if (!op->rc && op->committed)
			op->committed(cat, op->arg);
	}
}

static struct thaw_write_op *take_queue(struct thaw_catalog *cat)
{
	struct thaw_write_op *ops = cat->queue;

	thaw_mutex_assert_held(&cat->queue_lock);
	cat->queue = NULL;
	cat->tail = &cat->queue;
	return ops;
}

static void wake_batch(struct thaw_write_op *ops)
{
	struct thaw_write_op *next;

	for (struct thaw_write_op *op = ops; op; op = next) {
		next = op->next; /* the op is on its thread's stack: gone once it is done */
		op->done = true;
		thaw_cond_signal(&op->woken);
	}
}

static void hand_over(struct thaw_catalog *cat)
{
	thaw_mutex_assert_held(&cat->queue_lock);
	if (cat->queue) {
		cat->queue->lead = true;
		thaw_cond_signal(&cat->queue->woken);
	} else {
		cat->leading = false;
	}
}

int thaw_catalog_write_then(struct thaw_catalog *cat, thaw_write_fn *fn,
			    void (*committed)(struct thaw_catalog *cat, void *arg), void *arg)
{
	struct thaw_write_op op = { .fn = fn, .committed = committed, .arg = arg };
	struct thaw_write_op *batch;

	thaw_mutex_assert_none_held();
	thaw_cond_init(&op.woken);
	thaw_mutex_lock(&cat->queue_lock);
	*cat->tail = &op;
	cat->tail = &op.next;
	op.lead = !cat->leading;
	cat->leading = true;
	while (!op.done && !op.lead)
		thaw_cond_wait(&op.woken, &cat->queue_lock);
	if (!op.done) {
		batch = take_queue(cat);
		thaw_mutex_unlock(&cat->queue_lock);
		run_batch(cat, batch);
		thaw_mutex_lock(&cat->queue_lock);
		wake_batch(batch);
		hand_over(cat);
	}
	thaw_mutex_unlock(&cat->queue_lock);
	thaw_cond_destroy(&op.woken);
	return op.rc;
}

int thaw_catalog_write(struct thaw_catalog *cat, thaw_write_fn *fn, void *arg)
{
	return thaw_catalog_write_then(cat, fn, NULL, arg);
}
