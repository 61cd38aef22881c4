/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store.h - the directory on flash that holds staged files.
 *
 *   DIR/thawfs.cache        what this is: format version, uuid, whose catalog
 *   DIR/incoming/ID         being transferred, or published and not yet in the catalog
 *   DIR/objects/XX/ID       published; XX = bits 8 to 15 of ID, ID in hex
 *   DIR/quarantine/ID.TIME  did not match its digest; never served
 *
 * ID is the catalog's object id.  A published file is never written, truncated
 * or punched again: it may be mapped by a reader we know nothing of.  It only
 * ever goes by unlink.
 *
 * Publishing: write incoming/ID; link it to objects/XX/ID; fsync file and
 * directory; [caller: catalog transaction]; unlink incoming/ID.  Evicting:
 * [caller: row LEAVING]; unlink objects/XX/ID; fsync directory; [caller: row
 * goes, space_release].  Whatever the
 * moment of a crash, incoming/ names all files whose row is in doubt, so that
 * recovery reads one small directory and not the cache.  docs/cache-format.md
 * has the argument for each gap.
 *
 * Thread-safe.  Functions return 0 or -errno, do I/O, and must not be called
 * with a lock held.
 */
#ifndef THAW_CACHE_STORE_H
#define THAW_CACHE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thaw_err;
struct thaw_space;
struct thaw_store;
struct thaw_part;

#define THAW_STORE_UUID_TEXT 37

/* Makes the directory if it is missing (0700), or opens it, and locks it.
 * Clear one-line errors: -EBUSY in use by another daemon, -ENOSPC the disk is
 * full, -EROFS/-EACCES, -EPROTO made by a newer version, -ENOTEMPTY a directory
 * with other things in it.  Sets the overhead of `space`, which is borrowed. */
int thaw_store_open(const char *path, struct thaw_space *space, struct thaw_store **ret,
		    struct thaw_err *err);
struct thaw_store *thaw_store_close(struct thaw_store *store);

/* Empty text while it belongs to no catalog yet. */
const char *thaw_store_uuid(const struct thaw_store *store);
const char *thaw_store_catalog(const struct thaw_store *store);
/* Gives the store a new uuid and notes whose it is; empties it of published,
 * incoming and quarantined files first. */
int thaw_store_claim(struct thaw_store *store, const char *catalog_file, struct thaw_err *err);

/* What must be reserved for a file of `size` bytes: its blocks and what the
 * filesystem may need beside them. */
uint64_t thaw_store_need(const struct thaw_store *store, uint64_t size);

/* Clears up incoming/: resident(ctx, object) says whether the catalog has the
 * object as published (RESIDENT or LEAVING).  Those (1) lose the incoming name
 * only; all others (0) go; a code below 0 ends it with nothing forgotten.  Before the first thaw_part_new().  ret_removed: how
 * many went. */
int thaw_store_recover(struct thaw_store *store, int (*resident)(void *ctx, uint64_t object),
		       void *ctx, uint64_t *ret_removed);

/* A published file, O_RDONLY.  -ENOENT, or -EUCLEAN when it is not a regular
 * file of exactly `size` bytes (the caller treats both as not resident). */
int thaw_store_open_object(struct thaw_store *store, uint64_t object, uint64_t size, int *ret_fd);
/* Blocks on disk; -ENOENT. */
int thaw_store_charge(struct thaw_store *store, uint64_t object, uint64_t *ret_bytes);
/*
 * Unlinks a published file, durably; 0 also when it was not there.  The charge
 * is the caller's to release, after this.  -EBUSY: somebody
 * has it open or mapped, even if only through a mapping whose file was closed.
 * (Asked with a write lease, fcntl(2) F_SETLEASE: granted only when nobody
 * else has the inode open.  A filesystem without leases: taken as not busy.)
 * The caller has closed its own descriptors and passthrough registrations.
 * The process must ignore SIGIO.
 */
int thaw_store_remove(struct thaw_store *store, uint64_t object);
/* The same for many, which costs one sync a directory and not one a file.
 * ret_codes[i]: what remove() would have said.  Returns 0, or the failure of a
 * sync: then the names are gone but may come back with a power cut, so that
 * their rows must stay; try again later. */
int thaw_store_remove_many(struct thaw_store *store, const uint64_t *objects, size_t n,
			   int *ret_codes);

/* Every published object, for `thaw check`; a full walk.  fn other than 0 stops
 * and is returned. */
int thaw_store_each(struct thaw_store *store, int (*fn)(void *ctx, uint64_t object, uint64_t bytes),
		    void *ctx);

/*
 * One file on its way in.  Chunks of `chunk` bytes are filled independently,
 * each from its beginning to its end; readers may read what is covered.
 */
/* Reserves thaw_store_need(size) has been done by the caller; it is passed to
 * be settled or given back.  Allocates the blocks: -ENOSPC when the disk, not
 * the budget, is full (the reservation then still belongs to the caller). */
int thaw_part_new(struct thaw_store *store, uint64_t object, uint64_t size, uint64_t chunk,
		  uint64_t reserved, struct thaw_part **ret);
/* Appends to the chunk that holds `off`; off must be where its filling stands
 * (-EINVAL), and may run on into the next chunk, if that is empty.  One writer
 * a chunk; chunks in parallel.  -ENOSPC. */
int thaw_part_write(struct thaw_part *part, uint64_t off, const void *data, size_t len);
/* Forgets what a chunk holds: its transfer failed and starts again. */
void thaw_part_reset_chunk(struct thaw_part *part, uint64_t chunk_index);
/* True when all of [off, off+len), cut at the end of the file, can be read. */
bool thaw_part_covered(const struct thaw_part *part, uint64_t off, uint64_t len);
uint64_t thaw_part_filled(const struct thaw_part *part); /* bytes, all chunks */
int thaw_part_fd(const struct thaw_part *part); /* borrowed; O_RDWR */
/*
 * Publishing in two steps, so that readers need not wait for the disk: link()
 * gives it its final name (thaw_store_open_object finds it), sync() makes file
 * and name durable and settles the reservation to ret_bytes, its blocks.  When
 * sync() fails the name is gone again.
 */
int thaw_part_link(struct thaw_part *part);
int thaw_part_sync(struct thaw_part *part, uint64_t *ret_bytes);
/* The same for many of one store at the price of few.  codes[i]: how it ended. */
void thaw_part_sync_many(struct thaw_part *const *parts, size_t n, uint64_t *ret_bytes, int *codes);
/* Both. */
int thaw_part_publish(struct thaw_part *part, uint64_t *ret_bytes);
/* After the catalog transaction. */
struct thaw_part *thaw_part_done(struct thaw_part *part);
/* Takes it all away, also after publish(), and gives the space back. */
struct thaw_part *thaw_part_abort(struct thaw_part *part);
/* Instead of publish(): keeps the bytes aside for the department.  They count
 * as overhead of the store from now on (it looks at quarantine/ itself at each
 * start), so the catalog has nothing to charge; ret_bytes is for the log: 0
 * when it was not kept because quarantine holds a quarter of the cache. */
struct thaw_part *thaw_part_quarantine(struct thaw_part *part, uint64_t *ret_bytes);

#endif
