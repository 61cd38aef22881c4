/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * err.h - the text that goes with a -errno.
 *
 * Functions return 0 or -errno; those whose failure a person must understand
 * also take a `struct thaw_err *`, which may be NULL.  The text is one line:
 * what failed, where, and what to do about it.  No newline at its end.
 */
#ifndef THAW_BASE_ERR_H
#define THAW_BASE_ERR_H

struct thaw_err {
	char text[512];
};

/* Writes the text (cut to fit) unless err is NULL; returns code, so that
 * `return thaw_err_set(err, -EINVAL, "...")` reads in one line. */
int thaw_err_set(struct thaw_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before what is there already. */
void thaw_err_prefix(struct thaw_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Name of an errno ("ENOSPC"), for machine-readable output; never NULL. */
const char *thaw_err_name(int errnum);

#endif
