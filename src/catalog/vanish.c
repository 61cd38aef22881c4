/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What went from the archive.  A node becomes lost with its last name.  A
 * directory takes its tree with it; files of it that have a name elsewhere go
 * on under that.  Further names go first, so that whatever name a file still
 * has then is outside of what vanished.
 */
#include <errno.h>
#include <string.h>

#include "catalog/catalog_impl.h"
#include "catalog/idset.h"
#include "catalog/ingest_impl.h"

struct vanish {
	struct thaw_merge *m;
	bool replaced;            /* not only lost: out of the tree */
	struct thaw_idlist dirs;  /* to be gone through */
	struct thaw_idlist names; /* alias rows that went */
	struct thaw_idlist files; /* nodes with several names one of which went */
};

static void release(struct vanish *v)
{
	thaw_idlist_release(&v->dirs);
	thaw_idlist_release(&v->names);
	thaw_idlist_release(&v->files);
}

/* Out of reach for every open: off the totals, first to be evicted, pinned by nobody. */
static int bury(struct thaw_merge *m, const struct thaw_node *node)
{
	int rc = thaw_sql_run(m->rw, THAW_STMT_PIN_DELETE, "u", node->id);

	if (rc || node->type != THAW_TYPE_FILE)
		return rc;
	m->files--;
	m->bytes -= (int64_t)node->size;
	return node->object ? thaw_sql_run(m->rw, THAW_STMT_RESIDENCY_DEAD, "du", 1, node->object) :
			      0;
}

static int lose(struct vanish *v, const struct thaw_node *node)
{
	int rc = 0;

	if (!node->lost)
		rc = thaw_sql_run(v->m->rw, THAW_STMT_NODE_LOST, "du", 1, node->id);
	if (!rc && v->replaced)
		rc = bury(v->m, node);
	return rc;
}

static int note_row(struct vanish *v, sqlite3_stmt *st)
{
	struct thaw_node node;
	uint64_t alias;

	thaw_node_read(st, &node, &alias);
	if (alias)
		return thaw_idlist_push(&v->names, node.id);
	if (node.type == THAW_TYPE_DIR)
		return thaw_idlist_push(&v->dirs, node.id);
	return thaw_idlist_push(&v->files, node.id);
}

/* Only those that need more than the mark are looked at one by one. */
static int note_children(struct vanish *v, uint64_t dir)
{
	sqlite3_stmt *st = NULL;
	int rc = thaw_sql_first(v->m->rw,
				v->replaced ? THAW_STMT_VANISH_ALL : THAW_STMT_VANISH_SPECIAL, &st,
				"u", dir);

	while (rc == 1) {
		rc = note_row(v, st);
		if (!rc)
			rc = thaw_sql_next(v->m->rw, st);
	}
	thaw_sql_endp(&st);
	return rc;
}

static int vanish_dir(struct vanish *v, uint64_t dir)
{
	struct thaw_known known;
	int rc = thaw_known_id(v->m->rw, dir, &known);

	if (!rc)
		rc = lose(v, &known.node);
	if (!rc && !v->replaced)
		rc = thaw_sql_run(v->m->rw, THAW_STMT_VANISH_PLAIN, "u", dir);
	return rc ? rc : note_children(v, dir);
}

static int vanish_name(struct vanish *v, uint64_t row)
{
	struct thaw_known known;
	int rc = thaw_known_id(v->m->rw, row, &known);

	return rc ? rc : thaw_link_drop(v->m, &known);
}

static int vanish_file(struct vanish *v, uint64_t node)
{
	struct thaw_known known;
	int rc = thaw_known_id(v->m->rw, node, &known);

	if (rc)
		return rc;
	return known.node.nlink > 1 ? thaw_link_promote(v->m, node) : lose(v, &known.node);
}

static int run(struct vanish *v)
{
	int rc = 0;

	while (v->dirs.count && !rc)
		rc = vanish_dir(v, v->dirs.ids[--v->dirs.count]);
	for (size_t i = 0; i < v->names.count && !rc; i++)
		rc = vanish_name(v, v->names.ids[i]);
	for (size_t i = 0; i < v->files.count && !rc; i++)
		rc = vanish_file(v, v->files.ids[i]);
	return rc == -ENOENT ? -EUCLEAN : rc;
}

static int note_known(struct vanish *v, const struct thaw_known *known)
{
	if (known->alias)
		return thaw_idlist_push(&v->names, known->node.id);
	if (known->node.type == THAW_TYPE_DIR)
		return thaw_idlist_push(&v->dirs, known->node.id);
	return thaw_idlist_push(&v->files, known->node.id);
}

static int find_gone(struct thaw_merge *m, const struct thaw_gone *gone, struct thaw_known *ret)
{
	return thaw_known_name(m->rw, m->listing->dir, m->listing->names + gone->off, gone->len,
			       ret);
}

/* What was lost before is no news. */
static int note_gone(struct vanish *v, const struct thaw_gone *gone, size_t i,
		     struct thaw_idlist *news)
{
	struct thaw_known known;
	int rc = find_gone(v->m, &gone[i], &known);

	if (rc == -ENOENT || (!rc && known.node.lost))
		return 0;
	if (!rc)
		rc = note_known(v, &known);
	return rc ? rc : thaw_idlist_push(news, i);
}

/* A name that is not there any more was one of several: its file is not lost. */
static int tell_gone(struct vanish *v, const struct thaw_gone *gone)
{
	struct thaw_change change = { .kind = THAW_CHANGE_LOST, .name_off = gone->off,
				      .name_len = gone->len };
	struct thaw_known known;
	int rc = find_gone(v->m, gone, &known);

	if (rc && rc != -ENOENT)
		return rc;
	if (rc)
		change.kind = THAW_CHANGE_REPLACED;
	else
		change.node = known.node.id;
	return thaw_listing_change(v->m->listing, &change);
}

int thaw_vanish_names(struct thaw_merge *m, const struct thaw_gone *gone, size_t n)
{
	struct vanish v = { .m = m };
	struct thaw_idlist news = { 0 };
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = note_gone(&v, gone, i, &news);
	if (!rc)
		rc = run(&v);
	for (size_t i = 0; i < news.count && !rc; i++)
		rc = tell_gone(&v, &gone[news.ids[i]]);
	thaw_idlist_release(&news);
	release(&v);
	return rc;
}

int thaw_vanish_node(struct thaw_merge *m, const struct thaw_known *known)
{
	struct vanish v = { .m = m };
	int rc = note_known(&v, known);

	if (!rc)
		rc = run(&v);
	release(&v);
	return rc;
}

int thaw_vanish_replaced(struct thaw_merge *m, const struct thaw_known *known)
{
	struct vanish v = { .m = m, .replaced = true };
	int rc = note_known(&v, known);

	if (!rc)
		rc = run(&v);
	if (!rc && known->node.type == THAW_TYPE_FILE)
		rc = thaw_version_drop(m, known);
	if (!rc)
		rc = thaw_sql_run(m->rw, THAW_STMT_NODE_UNHANG, "u", known->node.id);
	release(&v);
	return rc;
}
