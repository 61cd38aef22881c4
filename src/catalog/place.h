/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * place.h - the catalog's files: the lock beside it, making a new one, and
 * telling a damaged one from a sound one before it is trusted.
 */
#ifndef THAW_CATALOG_PLACE_H
#define THAW_CATALOG_PLACE_H

struct thaw_conn;
struct thaw_err;

/* PATH.lock, held until the descriptor is closed.  -EBUSY names the pid that has it. */
int thaw_place_lock(const char *path, int *ret_fd, struct thaw_err *err);
/* Notes in the lock that its holder is going: others then wait for it. */
void thaw_place_stopping(int fd);

/*
 * Makes the file when there is none, complete, under another name, and renames
 * it: so a file at PATH is never an unfinished one, and an empty one is
 * damage.  Otherwise looks at its header, -EUCLEAN.  Must run before SQLite
 * has the file open: closing a descriptor of it would drop SQLite's locks.
 */
int thaw_place_prepare(const char *path, struct thaw_err *err);

/* After SQLite has opened it and its log is checkpointed: is it all there?  The whole file when
 * that is quick, otherwise its roots.  -EUCLEAN. */
int thaw_place_probe(struct thaw_conn *rw, struct thaw_err *err);

int thaw_place_damaged(const char *path, const char *what, struct thaw_err *err);

#endif
