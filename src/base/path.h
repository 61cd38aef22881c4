/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * path.h - names of places.  Pure text except where it says "looks".
 */
#ifndef THAW_BASE_PATH_H
#define THAW_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* True when `path` is `dir` or below it; both absolute and normalised. */
bool thaw_path_is_under(const char *path, const char *dir);

/* "/mnt/news papers" -> "mnt-news_papers": what a mount's default files are
 * called ('/' to '-', all but letters, digits, '.', '-' to '_', "root" for
 * "/").  Caller frees; NULL on OOM. */
char *thaw_path_mount_name(const char *mountpoint);

/* Absolute path without symbolic links; looks.  The last parts need not exist
 * (they are kept as written, "." and ".." resolved).  Caller frees. */
int thaw_path_resolve(const char *path, char **ret);

/* mkdir -p, the new directories with `mode`; looks. */
int thaw_path_make(const char *path, mode_t mode);

/* For messages and logs: bytes that are not printable ASCII, and backslashes,
 * become \ooo, so that a hostile name cannot draw on a terminal.  Cuts to fit. */
const char *thaw_path_quote(char *out, size_t room, const void *name, size_t len);

#endif
