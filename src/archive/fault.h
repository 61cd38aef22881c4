/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fault.h - an archive that goes wrong on request.
 *
 * Wraps any other archive and passes its answers on, delayed, cut, changed or
 * replaced by errors as the settings say.  Settings are text, one "key = value"
 * a line, '#' begins a comment; docs/backends.md lists them.  A control file
 * changes them while a mount runs: it is read again when it changes, and what
 * it does not name is as it was at the start.
 *
 * Which call is hit is drawn from `seed`: a single thread meets the same faults
 * in every run.  Thread-safe.
 */
#ifndef THAW_ARCHIVE_FAULT_H
#define THAW_ARCHIVE_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <thaw/archive.h>

#include "base/mutex.h"

struct thaw_err;

/* Takes over `inner` on success.  settings, control: NULL for none. */
int thaw_archive_fault_wrap(struct thaw_archive *inner, const char *settings, const char *control,
			    struct thaw_archive **ret, struct thaw_err *err);
/* Replaces all settings, from the next call on and for those that wait now. */
int thaw_archive_fault_set(struct thaw_archive *ar, const char *settings, struct thaw_err *err);

/* --- fault_settings.c ------------------------------------------------------------------ */

#define THAW_FAULT_KEYS_ROOM 256

struct thaw_fault_settings {
	uint64_t delay, list_delay; /* ms */
	uint64_t rate;              /* bytes/s of one call, 0: no cap */
	uint64_t stall_after;       /* bytes, UINT64_MAX: never */
	uint64_t seed;
	uint64_t endless, down;                                              /* 0 or 1 */
	uint64_t error_rate, eagain_rate, short_rate, flip_rate, stale_rate; /* percent */
	char fail_keys[THAW_FAULT_KEYS_ROOM]; /* "PART:ERRNO PART:ERRNO" */
};

extern const struct thaw_fault_settings thaw_fault_settings_none;

/* True of a key below, whatever its value. */
bool thaw_fault_settings_has(const char *key);
int thaw_fault_settings_put(struct thaw_fault_settings *settings, const char *key,
			    const char *value, struct thaw_err *err);
/* Over what is there already; on failure *settings is half done. */
int thaw_fault_settings_parse(struct thaw_fault_settings *settings, const char *text,
			      struct thaw_err *err);
/* -errno when a part of fail_keys occurs in the key, else 0. */
int thaw_fault_settings_code(const struct thaw_fault_settings *settings, struct thaw_key key);

/* --- between fault.c and fault_get.c --------------------------------------------------- */

struct thaw_fault {
	struct thaw_archive base;
	struct thaw_archive *inner; /* const after open */
	char *control;              /* likewise; NULL: none */
	atomic_uint_fast64_t draws; /* so many were drawn from the seed */

	struct thaw_mutex lock;           /* THAW_RANK_ARCHIVE, for all below */
	struct thaw_fault_settings first; /* without the control file */
	struct thaw_fault_settings now;
	struct stat seen; /* the control file that `now` is of; zeros: none */
	bool seen_racy;   /* it may have changed since without looking so */
};

/* The settings as they are now, and the failure they demand for this key. */
int thaw_fault_enter(struct thaw_fault *fa, struct thaw_key key, const struct thaw_call *call,
		     struct thaw_fault_settings *ret);
int thaw_fault_now(struct thaw_fault *fa, struct thaw_fault_settings *ret, struct thaw_err *err);

int thaw_fault_get(struct thaw_archive *ar, struct thaw_key key, const struct thaw_tag *tag,
		   uint64_t off, uint64_t len, thaw_sink_fn *sink, void *ctx,
		   const struct thaw_call *call);

#endif
