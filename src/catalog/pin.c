/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/pin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_impl.h"
#include "catalog/sum_impl.h"
#include "catalog/tree_impl.h"

#define PIN_BATCH 64
#define DEPTH_MAX 100000

struct change {
	const struct thaw_pin *pin;
	uint64_t node;
	int64_t now;
	uint64_t removed;
	uint64_t any; /* pins there are afterwards: 0 or 1 */
};

static int count_pins(struct thaw_conn *rw, struct change *c)
{
	return thaw_sql_value(rw, THAW_STMT_PINS_ANY, &c->any, "");
}

/* In the order of commits, so that the last word is the true one. */
static void note_pins(struct thaw_catalog *cat, void *arg)
{
	const struct change *c = arg;

	atomic_store(&cat->has_pins, c->any != 0);
}

static int set(struct thaw_conn *rw, void *arg)
{
	struct change *c = arg;
	struct thaw_node node;
	int rc = thaw_node_get(rw, c->pin->node, &node);

	if (!rc)
		rc = thaw_sql_run(rw, THAW_STMT_PIN_SET, "udiib", c->pin->node, c->pin->owner,
				  c->pin->created, c->pin->expires, c->pin->label,
				  strnlen(c->pin->label, THAW_PIN_LABEL_MAX - 1));
	return rc ? rc : count_pins(rw, c);
}

int thaw_catalog_pin_set(struct thaw_catalog *cat, const struct thaw_pin *pin)
{
	struct change c = { .pin = pin };

	return thaw_catalog_write_then(cat, set, note_pins, &c);
}

static int clear(struct thaw_conn *rw, void *arg)
{
	struct change *c = arg;
	int rc = thaw_sql_run(rw, THAW_STMT_PIN_DELETE, "u", c->node);

	if (!rc && !sqlite3_changes(rw->db))
		rc = -ENOENT;
	return rc ? rc : count_pins(rw, c);
}

int thaw_catalog_pin_clear(struct thaw_catalog *cat, uint64_t node)
{
	struct change c = { .node = node };

	return thaw_catalog_write_then(cat, clear, note_pins, &c);
}

static int expire(struct thaw_conn *rw, void *arg)
{
	struct change *c = arg;
	int rc = thaw_sql_run(rw, THAW_STMT_PINS_EXPIRE, "i", c->now);

	c->removed = (uint64_t)sqlite3_changes64(rw->db);
	return rc ? rc : count_pins(rw, c);
}

/* Asked often, so it looks before it writes. */
int thaw_catalog_pins_expire(struct thaw_catalog *cat, int64_t now, uint64_t *ret_n)
{
	struct change c = { .now = now };
	struct thaw_conn *conn = NULL;
	uint64_t ended = 0;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (!rc)
		rc = thaw_sql_value(conn, THAW_STMT_PINS_ENDED, &ended, "i", now);
	thaw_catalog_reader_put(conn);
	if (!rc && ended)
		rc = thaw_catalog_write_then(cat, expire, note_pins, &c);
	if (!rc)
		*ret_n = c.removed;
	return rc;
}

bool thaw_catalog_has_pins(struct thaw_catalog *cat)
{
	return atomic_load(&cat->has_pins);
}

static void read_pin(sqlite3_stmt *st, int first, struct thaw_pin *ret)
{
	ret->node = thaw_sql_u64(st, first);
	ret->owner = (uint32_t)thaw_sql_u64(st, first + 1);
	ret->created = sqlite3_column_int64(st, first + 2);
	ret->expires = sqlite3_column_int64(st, first + 3);
	(void)thaw_sql_copy(st, first + 4, ret->label, sizeof(ret->label));
}

/* The node's own pin, and its parent.  `best` keeps the one that lasts longest. */
static int look_at(struct thaw_conn *conn, uint64_t id, int64_t now, struct thaw_pin *best,
		   uint64_t *ret_parent)
{
	_cleanup_row_ sqlite3_stmt *st = NULL;
	int rc = thaw_sql_first(conn, THAW_STMT_PIN_AND_PARENT, &st, "ui", id, now);

	if (rc <= 0)
		return rc ? rc : -ENOENT;
	if (sqlite3_column_type(st, 1) != SQLITE_NULL &&
	    (!best->node || sqlite3_column_int64(st, 4) > best->expires))
		read_pin(st, 1, best);
	*ret_parent = thaw_sql_u64(st, 0);
	return 0;
}

static int climb(struct thaw_conn *conn, uint64_t id, int64_t now, struct thaw_pin *best)
{
	int rc = 0;

	for (int depth = 0; id && !rc && depth < DEPTH_MAX; depth++)
		rc = look_at(conn, id, now, best, &id);
	return rc;
}

int thaw_catalog_pin_of(struct thaw_catalog *cat, uint64_t node, int64_t now, struct thaw_pin *ret)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	struct thaw_pin best = { .node = 0 };
	uint64_t *parents = NULL, first;
	size_t n = 0;
	int rc;

	if (!thaw_catalog_has_pins(cat))
		return -ENOENT;
	rc = thaw_catalog_reader_get(cat, &conn);
	if (!rc)
		rc = thaw_node_parents(conn, node, &parents, &n);
	if (!rc)
		rc = look_at(conn, node, now, &best, &first);
	for (size_t i = 0; i < n && !rc; i++)
		rc = climb(conn, parents[i], now, &best);
	free(parents);
	if (!rc && !best.node)
		rc = -ENOENT;
	if (!rc)
		*ret = best;
	return rc;
}

static int read_pins(struct thaw_catalog *cat, uint64_t after, struct thaw_pin *batch,
		     size_t *ret_n)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	sqlite3_stmt *st = NULL;
	size_t n = 0;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (rc)
		return rc;
	rc = thaw_sql_first(conn, THAW_STMT_PIN_PAGE, &st, "uu", after, (uint64_t)PIN_BATCH);
	for (; rc == 1; rc = thaw_sql_next(conn, st))
		read_pin(st, 0, &batch[n++]);
	thaw_sql_endp(&st);
	*ret_n = n;
	return rc;
}

int thaw_catalog_pins(struct thaw_catalog *cat, int (*fn)(void *ctx, const struct thaw_pin *pin),
		      void *ctx)
{
	struct thaw_pin batch[PIN_BATCH];
	uint64_t after = 0;
	size_t n = PIN_BATCH;
	int rc = 0;

	while (!rc && n == PIN_BATCH) {
		n = 0;
		rc = read_pins(cat, after, batch, &n);
		for (size_t i = 0; i < n && !rc; i++) {
			after = batch[i].node;
			rc = fn(ctx, &batch[i]);
		}
	}
	return rc;
}

struct pinned {
	struct thaw_catalog *cat;
	int64_t now;
	struct thaw_sum sum;
};

/* True when a directory above is pinned too, and counts this tree. */
static int is_covered(struct thaw_catalog *cat, uint64_t node, int64_t now, bool *ret)
{
	_cleanup_reader_ struct thaw_conn *conn = NULL;
	struct thaw_pin own = { .node = 0 }, above = { .node = 0 };
	uint64_t parent = 0;
	int rc = thaw_catalog_reader_get(cat, &conn);

	if (!rc)
		rc = look_at(conn, node, now, &own, &parent);
	if (!rc)
		rc = climb(conn, parent, now, &above);
	*ret = above.node != 0;
	return rc;
}

static int add_pinned(void *ctx, const struct thaw_pin *pin)
{
	struct pinned *p = ctx;
	bool covered;
	int rc;

	if (pin->expires <= p->now)
		return 0;
	rc = is_covered(p->cat, pin->node, p->now, &covered);
	if (rc || covered)
		return rc == -ENOENT ? 0 : rc;
	return thaw_sum_add(p->cat, &p->sum, pin->node);
}

int thaw_catalog_pinned_bytes(struct thaw_catalog *cat, int64_t now, uint64_t *ret_bytes)
{
	struct pinned p = { .cat = cat, .now = now };
	int rc = thaw_catalog_pins(cat, add_pinned, &p);

	if (!rc)
		*ret_bytes = p.sum.total.bytes;
	thaw_sum_release(&p.sum);
	return rc;
}
