/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fixture.h - a catalog in a directory of its own, and short ways to fill it.
 *
 * fixture_setup and fixture_teardown are a checked fixture.  Everything fails
 * the test by itself when a step goes wrong.
 */
#ifndef TEST_CATALOG_FIXTURE_H
#define TEST_CATALOG_FIXTURE_H

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "catalog/catalog.h"
#include "catalog/ingest.h"
#include "catalog/object.h"
#include "catalog/tree.h"

extern char fixture_dir[64];
extern char fixture_path[96];
extern struct thaw_catalog *cat;
extern struct thaw_collection_spec spec; /* one collection, at "/" */
extern uint64_t root;

void fixture_setup(void);    /* opens and attaches */
void fixture_teardown(void); /* checks the catalog, closes, removes */
void fixture_dir_setup(void); /* only the directory */
void fixture_dir_teardown(void);
void fixture_reopen(void);
void check_catalog(void);

/* Entries; tag is any text. */
struct thaw_entry file_entry(const char *name, const char *tag, uint64_t size);
struct thaw_entry link_entry(const char *name, const char *tag, uint64_t size, uint64_t link_id);
struct thaw_entry dir_entry(const char *name);
struct thaw_entry symlink_entry(const char *name, const char *target);

/* A listing of `dir` from n entries; the caller frees. */
struct thaw_listing *make_listing(uint64_t dir, const struct thaw_entry *entries, size_t n);
/* Merges it. */
struct thaw_listing *ingest_list(uint64_t dir, const struct thaw_entry *entries, size_t n);
#define INGEST(dir, ...)                                                                           \
	ingest_list(dir, (struct thaw_entry[]){ __VA_ARGS__ },                                     \
		    sizeof((struct thaw_entry[]){ __VA_ARGS__ }) / sizeof(struct thaw_entry))
/* The same when nobody looks at what changed. */
#define FILL(dir, ...) thaw_listing_free(INGEST(dir, __VA_ARGS__))

struct thaw_node lookup(uint64_t dir, const char *name);
uint64_t lookup_id(uint64_t dir, const char *name);
bool is_absent(uint64_t dir, const char *name);
struct thaw_node get_node(uint64_t id);
struct thaw_object get_object(uint64_t id);
bool tag_is(const struct thaw_object *object, const char *tag);
void publish(uint64_t object, uint64_t bytes, int64_t now);
/* The one change of that name; fails when there is none. */
const struct thaw_change *change_of(const struct thaw_listing *listing, const char *name,
				    enum thaw_change_kind kind);

int run_tests(Suite *suite);

#endif
