/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One pass over two sorted sequences: what was listed and what is known.  The
 * known names are read page by page, so a page never holds a name that this
 * pass has changed before reaching it, except through hard links: names that
 * may share a node, and names that went, are put off until after the pass and
 * looked up afresh.
 */
#include "catalog/ingest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog_impl.h"
#include "catalog/ingest_impl.h"

#define PAGE 512

struct pass {
	struct thaw_merge m;
	struct thaw_known *page; /* known names, in order */
	size_t page_at, page_count;
	bool page_last;
	struct thaw_listed_entry *linked; /* put off */
	size_t linked_count, linked_room;
	struct thaw_gone *gone; /* put off */
	size_t gone_count, gone_room;
};

static int put_off_entry(struct pass *p, const struct thaw_listed_entry *e)
{
	size_t room = p->linked_room ? p->linked_room * 2 : 16;
	struct thaw_listed_entry *more;

	if (p->linked_count == p->linked_room) {
		more = reallocarray(p->linked, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		p->linked = more;
		p->linked_room = room;
	}
	p->linked[p->linked_count++] = *e;
	return 0;
}

static int put_off_gone(struct pass *p, const struct thaw_known *known)
{
	size_t room = p->gone_room ? p->gone_room * 2 : 16;
	struct thaw_gone *more, *gone;
	int rc;

	if (p->gone_count == p->gone_room) {
		more = reallocarray(p->gone, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		p->gone = more;
		p->gone_room = room;
	}
	gone = &p->gone[p->gone_count];
	gone->len = known->name_len;
	rc = thaw_listing_keep_name(p->m.listing, known->name, known->name_len, &gone->off);
	if (!rc)
		p->gone_count++;
	return rc;
}

static int read_page(struct pass *p)
{
	const struct thaw_known *last = p->page_count ? &p->page[p->page_count - 1] : NULL;
	sqlite3_stmt *st = NULL;
	char after[THAW_NAME_MAX + 1];
	size_t after_len = last ? last->name_len : 0;
	int rc;

	if (last)
		memcpy(after, last->name, after_len);
	rc = thaw_sql_first(p->m.rw, THAW_STMT_KNOWN_PAGE, &st, "ubu", p->m.listing->dir, after,
			    after_len, (uint64_t)PAGE);
	for (p->page_at = p->page_count = 0; rc == 1; rc = thaw_sql_next(p->m.rw, st))
		thaw_known_read(st, &p->page[p->page_count++]);
	thaw_sql_endp(&st);
	p->page_last = p->page_count < PAGE;
	return rc;
}

/* *ret is NULL behind the last name. */
static int peek_known(struct pass *p, const struct thaw_known **ret)
{
	int rc = 0;

	if (p->page_at == p->page_count && !p->page_last)
		rc = read_page(p);
	*ret = !rc && p->page_at < p->page_count ? &p->page[p->page_at] : NULL;
	return rc;
}

static int compare(const struct pass *p, const struct thaw_listed_entry *e,
		   const struct thaw_known *known)
{
	size_t len = e->name_len < known->name_len ? e->name_len : known->name_len;
	int order = memcmp(thaw_entry_bytes(p->m.listing, e->name_off), known->name, len);

	return order ? order : (int)e->name_len - (int)known->name_len;
}

static int merge_both(struct pass *p, const struct thaw_known *known,
		      const struct thaw_listed_entry *e)
{
	bool shared = known->alias || known->link || e->link_id || known->node.nlink > 1;

	return shared ? put_off_entry(p, e) : thaw_merge_plain(&p->m, known, e);
}

static int step(struct pass *p, const struct thaw_listed_entry *e, const struct thaw_known *known,
		size_t *at)
{
	int order = !known ? -1 : !e ? 1 : compare(p, e, known);

	if (order <= 0)
		(*at)++;
	if (order >= 0)
		p->page_at++;
	if (order > 0)
		return put_off_gone(p, known);
	if (order == 0)
		return merge_both(p, known, e);
	return e->link_id ? put_off_entry(p, e) :
			    thaw_merge_create(&p->m, e, THAW_CHANGE_NEW, NULL);
}

static int run_pass(struct pass *p)
{
	struct thaw_listing *listing = p->m.listing;
	const struct thaw_known *known;
	size_t at = 0;
	int rc = thaw_listing_sort(listing);

	while (!rc) {
		rc = peek_known(p, &known);
		if (rc || (!known && at == listing->count))
			break;
		rc = step(p, at < listing->count ? &listing->entries[at] : NULL, known, &at);
	}
	for (size_t i = 0; i < p->linked_count && !rc; i++)
		rc = thaw_merge_linked(&p->m, &p->linked[i]);
	if (!rc)
		rc = thaw_vanish_names(&p->m, p->gone, p->gone_count);
	return rc;
}

static int merge_names(struct thaw_conn *rw, struct thaw_listing *listing,
		       struct thaw_known *page)
{
	struct pass p = { .m = { .rw = rw, .listing = listing }, .page = page };
	int rc = run_pass(&p);

	if (!rc)
		rc = thaw_merge_settle(&p.m);
	free(p.linked);
	free(p.gone);
	return rc;
}

int thaw_merge_settle(struct thaw_merge *m)
{
	if (!m->files && !m->bytes)
		return 0;
	return thaw_sql_run(m->rw, THAW_STMT_COLLECTION_ADD, "iid", m->files, m->bytes,
			    m->listing->collection);
}

static int check_dir(struct thaw_conn *rw, const struct thaw_listing *listing,
		     struct thaw_known *ret)
{
	int rc = thaw_known_id(rw, listing->dir, ret);

	if (rc)
		return rc;
	if (ret->node.type != THAW_TYPE_DIR)
		return -ENOTDIR;
	return listing->collection && ret->node.collection == listing->collection ? 0 : -EINVAL;
}

static int refuse_empty(struct thaw_conn *rw, const struct thaw_listing *listing,
			const struct thaw_known *dir)
{
	uint64_t present;
	int rc;

	if (listing->count || listing->allow_empty || !dir->root)
		return 0;
	rc = thaw_sql_value(rw, THAW_STMT_HAS_PRESENT, &present, "u", listing->dir);
	return rc ? rc : present ? -ENODATA : 0;
}

static int set_listed(struct thaw_conn *rw, const struct thaw_known *dir, enum thaw_listed listed)
{
	if (dir->node.listed == listed)
		return 0;
	return thaw_sql_run(rw, THAW_STMT_NODE_LISTED, "du", listed, dir->node.id);
}

static int merge_listing(struct thaw_conn *rw, struct thaw_listing *listing,
			 struct thaw_known *page)
{
	struct thaw_known dir;
	int rc = check_dir(rw, listing, &dir);

	if (rc)
		return rc;
	if (listing->error)
		return dir.node.listed ? 0 : set_listed(rw, &dir, THAW_LIST_FAILED);
	rc = refuse_empty(rw, listing, &dir);
	if (!rc)
		rc = merge_names(rw, listing, page);
	if (!rc)
		rc = set_listed(rw, &dir, THAW_LISTED);
	return rc;
}

struct ingest {
	struct thaw_listing *const *listings;
	size_t n;
	struct thaw_known *page; /* room for PAGE */
};

static int ingest(struct thaw_conn *rw, void *arg)
{
	const struct ingest *in = arg;
	int rc = 0;

	for (size_t i = 0; i < in->n && !rc; i++)
		rc = merge_listing(rw, in->listings[i], in->page);
	return rc;
}

int thaw_catalog_ingest(struct thaw_catalog *cat, struct thaw_listing *const *listings, size_t n)
{
	struct ingest in = { .listings = listings, .n = n };
	int rc;

	in.page = calloc(PAGE, sizeof(*in.page));
	if (!in.page)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		thaw_listing_clear_out(listings[i]);
	rc = thaw_catalog_write(cat, ingest, &in);
	free(in.page);
	for (size_t i = 0; i < n && rc; i++)
		thaw_listing_clear_out(listings[i]);
	return rc;
}
