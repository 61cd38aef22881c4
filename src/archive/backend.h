/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * backend.h - what the backends of this room share.
 *
 * Not for the callers of an archive: those need archive.h only.  Thread-safe:
 * nothing here has state.
 */
#ifndef THAW_ARCHIVE_BACKEND_H
#define THAW_ARCHIVE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <thaw/archive.h>

/* True once the call's caller no longer wants it. */
static inline bool thaw_archive_cancelled(const struct thaw_call *call)
{
	return call->cancel && atomic_load_explicit(call->cancel, memory_order_relaxed);
}

/* Waits, or less when the call is cancelled: then -ECANCELED. */
int thaw_archive_sleep(const struct thaw_call *call, int64_t ns);

/* -EINVAL, with the line and what would be right, for the first key of the
 * section that is not among `known` (ends in NULL). */
int thaw_archive_check_keys(const struct thaw_conf_archive *conf, const char *const *known,
			    struct thaw_err *err);

/* -EINVAL that names archive, line and value of `key`, and `mend`. */
int thaw_archive_bad_value(const struct thaw_conf_archive *conf, const char *key, const char *mend,
			   struct thaw_err *err);

/* A key as printable text for messages; long ones lose their tail.  Returns `text`. */
#define THAW_KEY_TEXT 192
const char *thaw_archive_key_text(char text[THAW_KEY_TEXT], struct thaw_key key);

/* True when every part between '/' is there and is not "." or "..".  "" is fine. */
bool thaw_archive_key_is_plain(struct thaw_key key);

#endif
