/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * archive.h - calling a store through its table (include/thaw/archive.h).
 *
 * The wrappers hold every backend to the contract: exactly `len` bytes in
 * order or an error (-EIO "short"), known error codes, ranges inside 63 bits,
 * entries that can be named.  What a sink or an entry function returns comes
 * back as it is.  How many calls run at once is the caller's business (stage).
 *
 * `call` may be NULL: not to be cancelled, no text.  On failure the text is
 * always set, on success it is empty.
 */
#ifndef THAW_ARCHIVE_ROOM_H
#define THAW_ARCHIVE_ROOM_H

#include <thaw/archive.h>

/* Finds the backend for conf's type and opens it.  -EINVAL: no such type. */
int thaw_archive_open(const struct thaw_conf_archive *conf, struct thaw_archive **ret,
		      struct thaw_err *err);
int thaw_archive_start(struct thaw_archive *ar, struct thaw_err *err);
struct thaw_archive *thaw_archive_close(struct thaw_archive *ar); /* NULL is fine */
/* -ENOTDIR too, beside the codes of the contract. */
int thaw_archive_list(struct thaw_archive *ar, struct thaw_key dir, thaw_entry_fn *fn, void *ctx,
		      const struct thaw_call *call);
int thaw_archive_stat(struct thaw_archive *ar, struct thaw_key key, struct thaw_entry *ret,
		      const struct thaw_call *call);
/* True when objects of this archive may need recall() before get(). */
bool thaw_archive_recalls(const struct thaw_archive *ar);
int thaw_archive_recall(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
			const struct thaw_call *call);
int thaw_archive_poll(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
		      enum thaw_avail *ret, const struct thaw_call *call);
int thaw_archive_get(struct thaw_archive *ar, struct thaw_key key, const struct thaw_tag *tag,
		     uint64_t off, uint64_t len, thaw_sink_fn *sink, void *ctx,
		     const struct thaw_call *call);
/* Lines of "volume=... block=..."; "" when the store does not tell. */
int thaw_archive_locate(struct thaw_archive *ar, struct thaw_key key, char *text, size_t room,
			const struct thaw_call *call);

static inline bool thaw_tag_equal(const struct thaw_tag *a, const struct thaw_tag *b)
{
	if (a->len != b->len)
		return false;
	for (unsigned i = 0; i < a->len; i++)
		if (a->data[i] != b->data[i])
			return false;
	return true;
}

extern const struct thaw_archive_ops thaw_archive_posix;
extern const struct thaw_archive_ops thaw_archive_fault;
extern const struct thaw_archive_ops thaw_archive_mem;

#endif
