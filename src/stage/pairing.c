/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pairing.c - the store and the catalog belong together, and agree.
 *
 * Both know the store's uuid.  A store that is new, or whose catalog is gone
 * from the disk, is claimed (and emptied); one that belongs to a catalog that
 * still exists is refused: emptying it would throw away what somebody staged.
 * A catalog that meets a new store forgets what was staged in the old one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "stage/impl.h"

#define UUID_KEY "cache.uuid"
#define BOOT_KEY "boot"
#define DIGEST_XATTR "user.thawfs.sha256"
#define HASH_PIECE (1u << 20)

static int get_uuid(struct thaw_stage *stage, char **ret, struct thaw_err *err)
{
	int r = thaw_catalog_meta_get(stage->catalog, UUID_KEY, ret);

	if (r == -ENOENT) {
		*ret = strdup("");
		return *ret ? 0 : -ENOMEM;
	}
	if (r < 0)
		thaw_err_set(err, r, "catalog %s: %s", stage->conf->catalog, strerror(-r));
	return r;
}

static bool same_file(const char *a, const char *b)
{
	_cleanup_free_ char *real_a = realpath(a, NULL);
	_cleanup_free_ char *real_b = realpath(b, NULL);

	return real_a && real_b && strcmp(real_a, real_b) == 0;
}

static int claim(struct thaw_stage *stage, struct thaw_err *err)
{
	uint64_t forgotten = 0;
	int r = thaw_catalog_forget_cache(stage->catalog, &forgotten);

	if (r == 0 && forgotten)
		thaw_warn("the cache %s is not the one the catalog knew: %llu staged files are "
			  "no longer there",
			  stage->conf->cache_path, (unsigned long long)forgotten);
	if (r < 0)
		return thaw_err_set(err, r, "catalog %s: %s", stage->conf->catalog, strerror(-r));
	r = thaw_store_claim(stage->store, thaw_catalog_file(stage->catalog), err);
	if (r < 0)
		return r;
	r = thaw_catalog_meta_set(stage->catalog, UUID_KEY, thaw_store_uuid(stage->store));
	if (r < 0)
		thaw_err_set(err, r, "catalog %s: %s", stage->conf->catalog, strerror(-r));
	return r;
}

int stage_pair(struct thaw_stage *stage, struct thaw_err *err)
{
	_cleanup_free_ char *known = NULL;
	const char *uuid = thaw_store_uuid(stage->store);
	const char *owner = thaw_store_catalog(stage->store);
	int r = get_uuid(stage, &known, err);

	if (r < 0)
		return r;
	if (*uuid && strcmp(uuid, known) == 0)
		return 0;
	if (*uuid && *owner && access(owner, F_OK) == 0 &&
	    !same_file(owner, thaw_catalog_file(stage->catalog)))
		return thaw_err_set(err, -EBUSY,
				    "cache %s belongs to catalog %s: give this mount a cache "
				    "directory of its own, or that catalog",
				    stage->conf->cache_path, owner);
	return claim(stage, err);
}

/* ---- recovery ---- */

struct recovery {
	struct thaw_stage *stage;
	bool same_boot; /* the machine has not been down since the last start */
	uint64_t adopted;
	uint64_t *leaving;
	size_t count, room;
};

/* Computes what is recorded of a published file: every digest known of it, and SHA-256. */
static int hash_file(int fd, unsigned algs, uint8_t out[THAW_DIGEST_ALGS][THAW_DIGEST_MAX])
{
	_cleanup_free_ char *buf = malloc(HASH_PIECE);
	struct thaw_digest *digest = NULL;
	ssize_t n = 1;
	int r = buf ? thaw_digest_new(algs, &digest) : -ENOMEM;

	while (r == 0 && n > 0) {
		n = read(fd, buf, HASH_PIECE);
		r = n < 0 ? -errno : thaw_digest_update(digest, buf, (size_t)n);
	}
	if (r == 0)
		r = thaw_digest_final(digest, out);
	thaw_digest_free(digest);
	return r;
}

/* What was verified goes with the file, for a life that ends before its row is written. */
int stage_note_digest(int fd, const uint8_t sha256[THAW_SHA256_SIZE])
{
	return fsetxattr(fd, DIGEST_XATTR, sha256, THAW_SHA256_SIZE, 0) < 0 ? -errno : 0;
}

static bool digest_agrees(int fd, const uint8_t sha256[THAW_SHA256_SIZE])
{
	uint8_t noted[THAW_SHA256_SIZE];

	return fgetxattr(fd, DIGEST_XATTR, noted, sizeof(noted)) == sizeof(noted) &&
	       memcmp(noted, sha256, sizeof(noted)) == 0;
}

/*
 * A file that has its final name was whole and verified; only its row is
 * missing.  If the machine has not been down since and the bytes still give
 * the digest that was noted, it is taken up; else it is given up.
 */
static bool adopt(struct recovery *rec, const struct thaw_object *o)
{
	struct thaw_stage *stage = rec->stage;
	struct thaw_published row = {
		.object = o->id, .digests = o->digests | 1u << THAW_SHA256,
		.now = thaw_clock_real_s(),
	};
	_cleanup_close_ int fd = -1;

	if (!rec->same_boot || !o->current ||
	    thaw_store_open_object(stage->store, o->id, o->size, &fd) < 0 ||
	    hash_file(fd, row.digests, row.digest) < 0 ||
	    !digest_agrees(fd, row.digest[THAW_SHA256]) || fsync(fd) < 0 ||
	    thaw_store_charge(stage->store, o->id, &row.bytes) < 0 ||
	    thaw_catalog_publish(stage->catalog, &row) < 0)
		return false;
	rec->adopted++;
	return true;
}

static int is_resident(void *ctx, uint64_t object)
{
	struct recovery *rec = ctx;
	struct thaw_object o;
	int r = thaw_catalog_object(rec->stage->catalog, object, &o);

	/* When the catalog cannot answer nothing is taken away. */
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return o.residency == THAW_RES_RESIDENT || o.residency == THAW_RES_LEAVING ||
	       (o.residency == THAW_RES_NONE && adopt(rec, &o));
}

static int collect_leaving(void *ctx, uint64_t object, uint64_t bytes, enum thaw_residency state)
{
	struct recovery *rec = ctx;

	(void)bytes;
	(void)state;
	if (rec->count == rec->room) {
		size_t room = rec->room ? rec->room * 2 : 64;
		uint64_t *grown = realloc(rec->leaving, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		rec->leaving = grown;
		rec->room = room;
	}
	rec->leaving[rec->count++] = object;
	return 0;
}

/* Evictions that were under way are carried out. */
static int finish_evictions(struct recovery *rec)
{
	struct thaw_stage *stage = rec->stage;
	int r = thaw_catalog_each_resident(stage->catalog, THAW_RES_LEAVING, collect_leaving, rec);

	for (size_t i = 0; i < rec->count && r == 0; i++) {
		r = thaw_store_remove(stage->store, rec->leaving[i]);
		if (r == -EBUSY) { /* mapped by a reader that outlived us: it stays */
			r = thaw_catalog_stay(stage->catalog, &rec->leaving[i], 1);
			rec->leaving[i--] = rec->leaving[--rec->count];
		}
	}
	if (r == 0 && rec->count)
		r = thaw_catalog_left(stage->catalog, rec->leaving, rec->count);
	return r;
}

/* Compares the kernel's id of this boot with the one noted at the last start. */
static int check_boot(struct thaw_stage *stage, bool *ret_same)
{
	_cleanup_free_ char *noted = NULL;
	char now[64] = "";
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	int r = thaw_catalog_meta_get(stage->catalog, BOOT_KEY, &noted);

	if (f) {
		if (!fgets(now, sizeof(now), f))
			now[0] = '\0';
		(void)fclose(f);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_same = noted && *now && strcmp(noted, now) == 0;
	return *ret_same ? 0 : thaw_catalog_meta_set(stage->catalog, BOOT_KEY, now);
}

int stage_recover(struct thaw_stage *stage, struct thaw_err *err)
{
	struct recovery rec = { .stage = stage };
	uint64_t removed = 0, files = 0, bytes = 0;
	int r = check_boot(stage, &rec.same_boot);

	if (r == 0)
		r = thaw_store_recover(stage->store, is_resident, &rec, &removed);
	if (r == 0)
		r = finish_evictions(&rec);
	if (r == 0)
		r = thaw_catalog_resident_totals(stage->catalog, &files, &bytes);
	free(rec.leaving);
	if (r < 0)
		return thaw_err_set(err, r, "recovering cache %s: %s", stage->conf->cache_path,
				    strerror(-r));
	thaw_space_set_resident(&stage->space, bytes);
	if (removed || rec.count || rec.adopted)
		thaw_notice("recovered: %llu files taken up, %llu transfers given up, "
			    "%zu evictions finished",
			    (unsigned long long)rec.adopted, (unsigned long long)removed, rec.count);
	thaw_debug("cache %s: %llu files, %llu bytes", stage->conf->cache_path,
		  (unsigned long long)files, (unsigned long long)bytes);
	return 0;
}
