/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How fast the catalog is: bench_ingest DIR [ENTRIES [FILES_PER_DIRECTORY]]
 *
 * Makes a catalog in DIR from listings held in memory and prints one line a
 * figure.  DIR should be on the disk the catalog is to live on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "catalog/ingest.h"
#include "catalog/object.h"
#include "catalog/tree.h"

#define BIG_DIR 100000
#define LISTINGS_AT_ONCE 16
#define LOOKUPS 200000
#define PUBLISHES 2000

static struct thaw_catalog *cat;
static struct thaw_collection_spec spec = { .name = "bench", .source = "mem:", .path = "/" };
static uint64_t root;
static char path[4096];

static void must(int rc, const char *what)
{
	if (!rc)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-rc));
	exit(1);
}

static void report(const char *what, uint64_t n, int64_t ns)
{
	double s = (double)ns / 1e9;

	printf("%-34s %9llu in %8.3f s  %10.0f /s\n", what, (unsigned long long)n, s,
	       s > 0 ? (double)n / s : 0.0);
}

static void open_catalog(void)
{
	struct thaw_err err;

	if (thaw_catalog_open(path, &cat, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	must(thaw_catalog_attach(cat, &spec, 1, &root), "attach");
}

static void add(struct thaw_listing *listing, enum thaw_entry_type type, const char *prefix,
		uint64_t i)
{
	char name[64];
	struct thaw_entry e = { .name = name, .type = type, .mode = 0644, .size = 20000 + i % 60000,
				.mtime_ns = 1700000000000000000 + (int64_t)i, .ctime_ns = 1,
				.storage_class = type == THAW_TYPE_FILE ? "GLACIER" : NULL };

	e.name_len = (size_t)snprintf(name, sizeof(name), "%s_%08llu.tif", prefix,
				      (unsigned long long)i);
	e.tag.len = 32;
	memset(e.tag.data, 'x', sizeof(e.tag.data));
	memcpy(e.tag.data, &i, sizeof(i));
	must(thaw_listing_add(listing, &e), "add");
}

static struct thaw_listing *dir_listing(uint64_t dir, uint64_t first, uint64_t n)
{
	struct thaw_listing *listing = thaw_listing_new(spec.id, dir);

	for (uint64_t i = 0; i < n; i++)
		add(listing, THAW_TYPE_FILE, "digibok_page", first + i);
	return listing;
}

static struct thaw_listing *top_listing(uint64_t dirs)
{
	struct thaw_listing *top = thaw_listing_new(spec.id, spec.root);

	for (uint64_t i = 0; i < dirs; i++)
		add(top, THAW_TYPE_DIR, "volume", i);
	add(top, THAW_TYPE_DIR, "wide", 0);
	must(thaw_catalog_ingest(cat, &top, 1), "ingest top");
	return top;
}

/* All directories of `top` but the last; listings are made before the clock starts. */
static int64_t ingest_all(const struct thaw_listing *top, uint64_t per_dir)
{
	struct thaw_listing *batch[LISTINGS_AT_ONCE];
	size_t n = top->subdir_count - 1;
	int64_t spent = 0, start;

	for (size_t at = 0, k; at < n; at += k) {
		k = n - at < LISTINGS_AT_ONCE ? n - at : LISTINGS_AT_ONCE;
		for (size_t i = 0; i < k; i++)
			batch[i] = dir_listing(top->subdirs[at + i].node, (at + i) * per_dir,
					       per_dir);
		start = thaw_clock_mono_ns();
		must(thaw_catalog_ingest(cat, batch, k), "ingest");
		spent += thaw_clock_mono_ns() - start;
		for (size_t i = 0; i < k; i++)
			thaw_listing_free(batch[i]);
	}
	return spent;
}

static void bench_lookups(const struct thaw_listing *top, uint64_t per_dir)
{
	uint64_t n = (top->subdir_count - 1) * per_dir, at = 1;
	int64_t start = thaw_clock_mono_ns();
	struct thaw_node node;
	char name[64];

	for (int i = 0; i < LOOKUPS; i++) {
		int len;

		at = (at * 6364136223846793005u + 1442695040888963407u);
		len = snprintf(name, sizeof(name), "digibok_page_%08llu.tif",
			       (unsigned long long)((at >> 20) % n));
		must(thaw_catalog_lookup(cat, top->subdirs[(at >> 20) % n / per_dir].node, name,
					 (size_t)len, &node),
		     "lookup");
	}
	report("look-ups, random", LOOKUPS, thaw_clock_mono_ns() - start);
}

static int count_child(void *ctx, const char *name, size_t len, const struct thaw_node *node)
{
	(void)name, (void)len, (void)node;
	++*(uint64_t *)ctx;
	return 0;
}

static void bench_readdir(uint64_t dir, const char *what)
{
	int64_t start = thaw_clock_mono_ns();
	uint64_t n = 0;

	must(thaw_catalog_children(cat, dir, NULL, 0, SIZE_MAX, count_child, &n), "children");
	report(what, n, thaw_clock_mono_ns() - start);
}

static void bench_publish(uint64_t first)
{
	struct thaw_published p = { .bytes = 4096, .now = 1700000000 };
	int64_t start = thaw_clock_mono_ns();

	for (p.object = first; p.object < first + PUBLISHES; p.object++)
		must(thaw_catalog_publish(cat, &p), "publish");
	report("publishes, one thread, synced", PUBLISHES, thaw_clock_mono_ns() - start);
}

static void bench_sum(void)
{
	int64_t start = thaw_clock_mono_ns();
	struct thaw_tree_sum sum;

	must(thaw_catalog_sum(cat, root, &sum), "sum");
	report("sum over the whole tree", sum.files + sum.dirs, thaw_clock_mono_ns() - start);
}

static void print_size(void)
{
	struct rusage usage;
	struct stat st;

	getrusage(RUSAGE_SELF, &usage);
	must(stat(path, &st), "stat");
	printf("%-34s %9.1f MiB file, %.1f MiB peak memory\n", "size", (double)st.st_size / 1048576,
	       (double)usage.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
	uint64_t entries = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	uint64_t per_dir = argc > 3 ? strtoull(argv[3], NULL, 10) : 1000;
	struct thaw_listing *top, *wide;
	int64_t start;

	if (argc < 2 || !per_dir) {
		fprintf(stderr, "usage: bench_ingest DIR [ENTRIES [FILES_PER_DIRECTORY]]\n");
		return 2;
	}
	(void)snprintf(path, sizeof(path), "%s/bench.db", argv[1]);
	open_catalog();
	top = top_listing(entries / per_dir);
	report("ingest, new", entries, ingest_all(top, per_dir));
	report("ingest, unchanged", entries, ingest_all(top, per_dir));
	wide = dir_listing(top->subdirs[top->subdir_count - 1].node, 0, BIG_DIR);
	start = thaw_clock_mono_ns();
	must(thaw_catalog_ingest(cat, &wide, 1), "ingest wide");
	report("ingest, one wide directory", BIG_DIR, thaw_clock_mono_ns() - start);
	bench_lookups(top, per_dir);
	bench_publish(1);
	cat = thaw_catalog_close(cat);
	start = thaw_clock_mono_ns();
	open_catalog();
	report("open", 1, thaw_clock_mono_ns() - start);
	bench_readdir(wide->dir, "readdir, first since open");
	bench_readdir(wide->dir, "readdir, again");
	bench_sum();
	cat = thaw_catalog_close(cat);
	print_size();
	thaw_listing_free(top);
	thaw_listing_free(wide);
	return 0;
}
