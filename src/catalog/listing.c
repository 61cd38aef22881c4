/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/ingest_impl.h"

struct thaw_listing *thaw_listing_new(uint32_t collection, uint64_t dir)
{
	struct thaw_listing *listing = calloc(1, sizeof(*listing));

	if (listing) {
		listing->collection = collection;
		listing->dir = dir;
	}
	return listing;
}

struct thaw_listing *thaw_listing_free(struct thaw_listing *listing)
{
	if (!listing)
		return NULL;
	free(listing->entries);
	free(listing->names);
	free(listing->changes);
	free(listing->subdirs);
	free(listing);
	return NULL;
}

/* Room for one more; arrays double. */
static int grow(void **array, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 16;
	void *bigger;

	if (count < *room)
		return 0;
	bigger = reallocarray(*array, more, size);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	*room = more;
	return 0;
}

static int grow_names(struct thaw_listing *listing, size_t len)
{
	size_t room = listing->names_room ? listing->names_room : 1024;
	char *bigger;

	while (room - listing->names_len < len)
		room *= 2;
	if (room == listing->names_room)
		return 0;
	bigger = realloc(listing->names, room);
	if (!bigger)
		return -ENOMEM;
	listing->names = bigger;
	listing->names_room = room;
	return 0;
}

int thaw_listing_keep_name(struct thaw_listing *listing, const char *name, size_t len,
			   size_t *ret_off)
{
	int rc = grow_names(listing, len + 1);

	if (rc)
		return rc;
	*ret_off = listing->names_len;
	if (len)
		memcpy(listing->names + listing->names_len, name, len);
	listing->names[listing->names_len + len] = '\0';
	listing->names_len += len + 1;
	return 0;
}

static bool is_name(const char *name, size_t len)
{
	if (!len || len > THAW_NAME_MAX)
		return false;
	if (memchr(name, '/', len) || memchr(name, '\0', len))
		return false;
	return !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

static int keep_bytes(struct thaw_listing *listing, const struct thaw_entry *entry,
		      struct thaw_listed_entry *e)
{
	size_t class_len = entry->storage_class ? strlen(entry->storage_class) : 0;
	int rc = thaw_listing_keep_name(listing, entry->name, entry->name_len, &e->name_off);

	if (class_len >= THAW_CLASS_MAX)
		class_len = THAW_CLASS_MAX - 1;
	e->name_len = (uint16_t)entry->name_len;
	e->class_len = (uint8_t)class_len;
	if (!rc && class_len)
		rc = thaw_listing_keep_name(listing, entry->storage_class, class_len,
					    &e->class_off);
	if (!rc && entry->type == THAW_TYPE_SYMLINK) {
		e->target_len = (uint32_t)entry->target_len;
		rc = thaw_listing_keep_name(listing, entry->target, entry->target_len,
					    &e->target_off);
	}
	if (!rc && entry->type == THAW_TYPE_FILE) {
		e->tag_len = entry->tag.len;
		rc = thaw_listing_keep_name(listing, (const char *)entry->tag.data, entry->tag.len,
					    &e->tag_off);
	}
	return rc;
}

int thaw_listing_add(struct thaw_listing *listing, const struct thaw_entry *entry)
{
	struct thaw_listed_entry e = {
		.type = (uint8_t)entry->type,
		.mode = entry->mode & 07777,
		.uid = entry->uid,
		.gid = entry->gid,
		.mtime_ns = entry->mtime_ns,
		.ctime_ns = entry->ctime_ns,
	};
	int rc;

	if (!entry->name || !is_name(entry->name, entry->name_len))
		return -EINVAL;
	if (entry->type == THAW_TYPE_FILE) {
		e.size = entry->size;
		e.link_id = entry->link_id;
		e.avail = (uint8_t)entry->avail;
	} else if (entry->type == THAW_TYPE_SYMLINK) {
		e.size = entry->target_len;
	} else if (entry->type != THAW_TYPE_DIR) {
		return -EINVAL;
	}
	rc = grow((void **)&listing->entries, listing->count, &listing->room, sizeof(e));
	if (!rc)
		rc = keep_bytes(listing, entry, &e);
	if (!rc)
		listing->entries[listing->count++] = e;
	return rc;
}

static int by_name(const void *a, const void *b, void *arena)
{
	const struct thaw_listed_entry *x = a, *y = b;
	const char *names = arena;
	size_t len = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = memcmp(names + x->name_off, names + y->name_off, len);

	if (order)
		return order;
	if (x->name_len != y->name_len)
		return x->name_len < y->name_len ? -1 : 1;
	if ((x->type == THAW_TYPE_DIR) != (y->type == THAW_TYPE_DIR))
		return x->type == THAW_TYPE_DIR ? -1 : 1;
	return x->name_off < y->name_off ? -1 : x->name_off > y->name_off; /* order of arrival */
}

static bool same_name(const struct thaw_listing *listing, const struct thaw_listed_entry *a,
		      const struct thaw_listed_entry *b)
{
	return a->name_len == b->name_len &&
	       memcmp(listing->names + a->name_off, listing->names + b->name_off, a->name_len) == 0;
}

int thaw_listing_sort(struct thaw_listing *listing)
{
	size_t kept = 0;

	if (!listing->count)
		return 0;
	qsort_r(listing->entries, listing->count, sizeof(*listing->entries), by_name,
		listing->names);
	for (size_t i = 0; i < listing->count; i++) {
		if (kept && same_name(listing, &listing->entries[kept - 1], &listing->entries[i]))
			continue;
		listing->entries[kept++] = listing->entries[i];
	}
	listing->count = kept;
	return 0;
}

int thaw_listing_change(struct thaw_listing *listing, const struct thaw_change *change)
{
	int rc = grow((void **)&listing->changes, listing->change_count, &listing->change_room,
		      sizeof(*change));

	if (!rc)
		listing->changes[listing->change_count++] = *change;
	return rc;
}

int thaw_listing_subdir(struct thaw_listing *listing, const struct thaw_listed_entry *e,
			uint64_t node)
{
	struct thaw_subdir subdir = { .node = node, .name_off = e->name_off,
				      .name_len = e->name_len };
	int rc = grow((void **)&listing->subdirs, listing->subdir_count, &listing->subdir_room,
		      sizeof(subdir));

	if (!rc)
		listing->subdirs[listing->subdir_count++] = subdir;
	return rc;
}

void thaw_listing_clear_out(struct thaw_listing *listing)
{
	listing->change_count = 0;
	listing->subdir_count = 0;
}
