/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * After a crash: incoming/ names every file whose row is in doubt.
 *
 * Two passes: final names go first, durably; only then the names in incoming/
 * by which another crash would have us look at them again.
 */
#include "cache/store_int.h"

#include <errno.h>
#include <unistd.h>

#include "base/fault.h"

struct recovery {
	struct thaw_store *store;
	int (*resident)(void *ctx, uint64_t object);
	void *ctx;
	bool touched[THAW_STORE_SHARDS];
	uint64_t removed;
};

static int drop_final(void *ctx, int dirfd, const char *name)
{
	struct recovery *recovery = ctx;
	char final[THAW_STORE_NAME];
	uint64_t object;
	int resident;

	(void)dirfd;
	if (thaw_store_parse_name(name, '\0', &object)) { /* not ours, but in our way */
		recovery->removed++;
		return 0;
	}
	resident = recovery->resident(recovery->ctx, object);
	if (resident)
		return resident < 0 ? resident : 0;
	recovery->removed++;
	thaw_store_object_name(final, object);
	recovery->touched[thaw_store_shard_of(object)] = true;
	return unlinkat(recovery->store->objects, final, 0) && errno != ENOENT ? -errno : 0;
}

static int drop_incoming(void *ctx, int dirfd, const char *name)
{
	(void)ctx;
	return unlinkat(dirfd, name, 0) && errno != ENOENT && errno != EISDIR ? -errno : 0;
}

int thaw_store_recover(struct thaw_store *store, int (*resident)(void *ctx, uint64_t object),
		       void *ctx, uint64_t *ret_removed)
{
	struct recovery recovery = {.store = store, .resident = resident, .ctx = ctx};
	int r = thaw_store_each_name(store->incoming, ".", drop_final, &recovery);

	for (unsigned shard = 0; !r && shard < THAW_STORE_SHARDS; shard++) {
		if (recovery.touched[shard])
			r = thaw_store_shard_sync(store, shard);
	}
	thaw_crash_point("recover.finals");
	if (!r)
		r = thaw_store_each_name(store->incoming, ".", drop_incoming, NULL);
	if (r)
		return r;
	*ret_removed = recovery.removed;
	return 0;
}
