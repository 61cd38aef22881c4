/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

char fixture_dir[64];
char fixture_path[96];
struct thaw_catalog *cat;
struct thaw_collection_spec spec;
uint64_t root;

void fixture_dir_setup(void)
{
	strcpy(fixture_dir, "/tmp/thaw-catalog-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(fixture_dir));
	(void)snprintf(fixture_path, sizeof(fixture_path), "%s/catalog.db", fixture_dir);
}

void fixture_dir_teardown(void)
{
	DIR *dir = opendir(fixture_dir);
	struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	ck_assert_int_eq(rmdir(fixture_dir), 0);
}

static void open_and_attach(void)
{
	struct thaw_err err;
	int rc = thaw_catalog_open(fixture_path, &cat, &err);

	ck_assert_msg(!rc, "%s", err.text);
	spec = (struct thaw_collection_spec){ .name = "books", .source = "mem:a", .path = "/" };
	ck_assert_int_eq(thaw_catalog_attach(cat, &spec, 1, &root), 0);
}

void fixture_setup(void)
{
	fixture_dir_setup();
	open_and_attach();
}

void check_catalog(void)
{
	struct thaw_err err = { "" };
	int rc = thaw_catalog_check(cat, &err);

	ck_assert_msg(!rc, "%d: %s", rc, err.text);
}

void fixture_teardown(void)
{
	check_catalog();
	cat = thaw_catalog_close(cat);
	fixture_dir_teardown();
}

void fixture_reopen(void)
{
	cat = thaw_catalog_close(cat);
	open_and_attach();
}

struct thaw_entry file_entry(const char *name, const char *tag, uint64_t size)
{
	struct thaw_entry e = { .name = name, .name_len = strlen(name), .type = THAW_TYPE_FILE,
				.mode = 0644, .uid = 1000, .gid = 100, .size = size,
				.mtime_ns = 1000, .ctime_ns = 2000 };

	e.tag.len = (uint8_t)strlen(tag);
	memcpy(e.tag.data, tag, e.tag.len);
	return e;
}

struct thaw_entry link_entry(const char *name, const char *tag, uint64_t size, uint64_t link_id)
{
	struct thaw_entry e = file_entry(name, tag, size);

	e.link_id = link_id;
	return e;
}

struct thaw_entry dir_entry(const char *name)
{
	return (struct thaw_entry){ .name = name, .name_len = strlen(name), .type = THAW_TYPE_DIR,
				    .mode = 0755 };
}

struct thaw_entry symlink_entry(const char *name, const char *target)
{
	return (struct thaw_entry){ .name = name, .name_len = strlen(name),
				    .type = THAW_TYPE_SYMLINK, .mode = 0777, .target = target,
				    .target_len = strlen(target) };
}

struct thaw_listing *make_listing(uint64_t dir, const struct thaw_entry *entries, size_t n)
{
	struct thaw_listing *listing = thaw_listing_new(spec.id, dir);

	ck_assert_ptr_nonnull(listing);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(thaw_listing_add(listing, &entries[i]), 0);
	return listing;
}

struct thaw_listing *ingest_list(uint64_t dir, const struct thaw_entry *entries, size_t n)
{
	struct thaw_listing *listing = make_listing(dir, entries, n);

	ck_assert_int_eq(thaw_catalog_ingest(cat, &listing, 1), 0);
	return listing;
}

struct thaw_node lookup(uint64_t dir, const char *name)
{
	struct thaw_node node;
	int rc = thaw_catalog_lookup(cat, dir, name, strlen(name), &node);

	ck_assert_msg(!rc, "lookup of %s: %d", name, rc);
	return node;
}

uint64_t lookup_id(uint64_t dir, const char *name)
{
	return lookup(dir, name).id;
}

bool is_absent(uint64_t dir, const char *name)
{
	struct thaw_node node;

	return thaw_catalog_lookup(cat, dir, name, strlen(name), &node) == -ENOENT;
}

struct thaw_node get_node(uint64_t id)
{
	struct thaw_node node;

	ck_assert_int_eq(thaw_catalog_node(cat, id, &node), 0);
	return node;
}

struct thaw_object get_object(uint64_t id)
{
	struct thaw_object object;
	int rc = thaw_catalog_object(cat, id, &object);

	ck_assert_msg(!rc, "object %llu: %d", (unsigned long long)id, rc);
	return object;
}

bool tag_is(const struct thaw_object *object, const char *tag)
{
	return object->tag.len == strlen(tag) && memcmp(object->tag.data, tag, strlen(tag)) == 0;
}

void publish(uint64_t object, uint64_t bytes, int64_t now)
{
	struct thaw_published what = { .object = object, .bytes = bytes, .now = now };

	ck_assert_int_eq(thaw_catalog_publish(cat, &what), 0);
}

const struct thaw_change *change_of(const struct thaw_listing *listing, const char *name,
				    enum thaw_change_kind kind)
{
	for (size_t i = 0; i < listing->change_count; i++) {
		const struct thaw_change *c = &listing->changes[i];

		if (c->kind == kind && c->name_len == strlen(name) &&
		    memcmp(listing->names + c->name_off, name, c->name_len) == 0)
			return c;
	}
	ck_abort_msg("no change of kind %d for %s", (int)kind, name);
	return NULL;
}

int run_tests(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
