/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "rig.h"

#define AUDIT_MAX 8192

struct row {
	uint64_t object, bytes;
	bool on_disk;
};

struct books {
	struct rig *rig;
	struct row rows[AUDIT_MAX];
	size_t count;
	uint64_t sum, disk;
	size_t files;
};

static int add_row(void *ctx, uint64_t object, uint64_t bytes, enum thaw_residency state)
{
	struct books *b = ctx;

	ck_assert_msg(state == THAW_RES_RESIDENT, "object %ju is in state %d", (uintmax_t)object,
		      state);
	ck_assert_uint_lt(b->count, AUDIT_MAX);
	b->rows[b->count++] = (struct row){object, bytes, false};
	b->sum += bytes;
	return 0;
}

static int add_file(void *ctx, uint64_t object, uint64_t bytes)
{
	struct books *b = ctx;

	b->disk += bytes;
	b->files++;
	for (size_t i = 0; i < b->count; i++) {
		if (b->rows[i].object != object)
			continue;
		ck_assert_uint_eq(b->rows[i].bytes, bytes);
		b->rows[i].on_disk = true;
		return 0;
	}
	ck_abort_msg("object %ju is on disk without a row", (uintmax_t)object);
	return 0;
}

static void digest_of(int fd, uint8_t out[THAW_DIGEST_ALGS][THAW_DIGEST_MAX])
{
	struct thaw_digest *digest;
	char buf[65536];
	uint64_t off = 0;
	ssize_t n;

	ck_assert_int_eq(thaw_digest_new(1u << THAW_SHA256, &digest), 0);
	while ((n = pread(fd, buf, sizeof(buf), (off_t)off)) > 0) {
		ck_assert_int_eq(thaw_digest_update(digest, buf, (size_t)n), 0);
		off += (uint64_t)n;
	}
	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(thaw_digest_final(digest, out), 0);
	thaw_digest_free(digest);
}

static void digest_of_pattern(const struct truth *t, uint8_t out[THAW_DIGEST_ALGS][THAW_DIGEST_MAX])
{
	struct thaw_digest *digest;
	char buf[65536];

	ck_assert_int_eq(thaw_digest_new(1u << THAW_SHA256, &digest), 0);
	for (uint64_t off = 0; off < t->size; off += sizeof(buf)) {
		size_t n = t->size - off < sizeof(buf) ? t->size - off : sizeof(buf);

		thaw_archive_mem_pattern(t->seed, off, buf, n);
		ck_assert_int_eq(thaw_digest_update(digest, buf, n), 0);
	}
	ck_assert_int_eq(thaw_digest_final(digest, out), 0);
	thaw_digest_free(digest);
}

/* When the catalog knows the archive's present version, it is that one.  A change
 * that was not imported yet leaves the old one there, by right. */
static void check_truth(struct rig *rig, const struct thaw_object *o, const uint8_t *sha256)
{
	uint8_t want[THAW_DIGEST_ALGS][THAW_DIGEST_MAX];
	struct thaw_entry entry;
	struct thaw_buf key;
	struct truth *t;

	thaw_buf_init(&key, 4096);
	ck_assert_int_eq(thaw_catalog_key(rig->stage->catalog, o->node, &key), 0);
	t = rig_truth(rig, key.data);
	if (t && !t->gone && rig->mem &&
	    thaw_archive_stat(rig->mem, thaw_key_of(t->key), &entry, NULL) == 0 &&
	    thaw_tag_equal(&entry.tag, &o->tag)) {
		digest_of_pattern(t, want);
		ck_assert_msg(memcmp(want[THAW_SHA256], sha256, THAW_SHA256_SIZE) == 0,
			      "%s is not what the archive holds", t->key);
	}
	thaw_buf_release(&key);
}

static void check_content(struct rig *rig, uint64_t object)
{
	uint8_t sha256[THAW_DIGEST_ALGS][THAW_DIGEST_MAX];
	struct thaw_object o;
	int fd = -1;

	ck_assert_int_eq(thaw_catalog_object(rig->stage->catalog, object, &o), 0);
	ck_assert_int_eq(thaw_store_open_object(rig->stage->store, object, o.size, &fd), 0);
	digest_of(fd, sha256);
	close(fd);
	ck_assert(o.digests & 1u << THAW_SHA256);
	ck_assert_msg(memcmp(o.digest[THAW_SHA256], sha256[THAW_SHA256], THAW_SHA256_SIZE) == 0,
		      "object %ju is not what its record says", (uintmax_t)object);
	if (o.current)
		check_truth(rig, &o, sha256[THAW_SHA256]);
}

static void check_objects(struct thaw_stage *stage)
{
	thaw_mutex_lock(&stage->lock);
	for (struct thaw_obj *o = stage->objects; o; o = o->hh.next) {
		ck_assert(o->hashed);
		ck_assert_int_gt(atomic_load(&o->refs), 0);
		ck_assert(!o->flight && !o->waiting.head && !o->reading.head);
		ck_assert_int_ne(atomic_load(&o->state), OBJ_DEAD);
		stage_obj_check(o);
	}
	thaw_mutex_unlock(&stage->lock);
}

static void check_budget(struct rig *rig, const struct books *b)
{
	struct thaw_space_use use = rig_space(rig);
	uint64_t files, bytes;

	ck_assert_int_eq(thaw_catalog_resident_totals(rig->stage->catalog, &files, &bytes), 0);
	ck_assert_uint_eq(files, b->count);
	ck_assert_uint_eq(bytes, b->sum);
	ck_assert_uint_eq(b->disk, b->sum);
	ck_assert_uint_eq(use.resident, b->sum);
	ck_assert_uint_eq(use.reserved, 0);
	ck_assert_uint_le(rig_used(rig), use.size);
}

void audit(struct rig *rig)
{
	struct books *b = calloc(1, sizeof(*b));
	struct thaw_err err = {""};

	ck_assert_ptr_nonnull(b);
	rig_await_idle(rig);
	b->rig = rig;
	ck_assert_int_eq(thaw_catalog_each_resident(rig->stage->catalog, THAW_RES_NONE, add_row, b),
			 0);
	ck_assert_int_eq(thaw_store_each(rig->stage->store, add_file, b), 0);
	for (size_t i = 0; i < b->count; i++) {
		ck_assert_msg(b->rows[i].on_disk, "object %ju has a row and no file",
			      (uintmax_t)b->rows[i].object);
		check_content(rig, b->rows[i].object);
	}
	check_budget(rig, b);
	ck_assert_uint_eq(rig_count(rig, "incoming"), 0);
	check_objects(rig->stage);
	ck_assert_msg(thaw_catalog_check(rig->stage->catalog, &err) == 0, "%s", err.text);
	free(b);
}

static void *look(void *arg)
{
	struct watch *watch = arg;

	do { /* once at least */
		uint64_t used = rig_used(watch->rig);

		if (used > atomic_load(&watch->most))
			atomic_store(&watch->most, used);
		rig_pause();
	} while (!atomic_load(&watch->stop));
	return NULL;
}

void watch_begin(struct watch *watch, struct rig *rig)
{
	watch->rig = rig;
	atomic_init(&watch->stop, false);
	atomic_init(&watch->most, 0);
	ck_assert_int_eq(pthread_create(&watch->thread, NULL, look, watch), 0);
}

void watch_end(struct watch *watch)
{
	atomic_store(&watch->stop, true);
	pthread_join(watch->thread, NULL);
	ck_assert_uint_gt(atomic_load(&watch->most), 0);
	ck_assert_uint_le(atomic_load(&watch->most), watch->rig->conf.cache_size);
}
