/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * place.h - which daemon a command is for, and what its paths are called
 * there.
 *
 * The daemon is the one of the mount that holds the first path (or --mount's
 * directory, or the only thawfs mount): user.thaw.socket, asked of the path
 * and then of the directories above it, names its socket.  Paths are resolved
 * here, as the daemon cannot see the caller's directory or symbolic links; a
 * link at the very end stands for itself.  The mount table says where in the
 * file system a path lies, through bind mounts too.
 */
#ifndef THAW_CLI_PLACE_H
#define THAW_CLI_PLACE_H

#include <stddef.h>

#include "cli/mountinfo.h"

struct thaw_args;
struct thaw_err;

struct thaw_place {
	struct thaw_mounts mounts;
	char *socket;
	/* Where a directory of the file system stands here; NULL: not known. */
	unsigned major, minor;
	char *point, *root;
	/* the directory part resolved last, as many paths share theirs */
	char *last_dir, *last_resolved;
};

/* first: a path of the command line, NULL when there is none. */
int thaw_place_find(const struct thaw_args *args, const char *first, struct thaw_place *ret,
		    struct thaw_err *err);
void thaw_place_release(struct thaw_place *place);

/* With --socket the mount table may not know the place: the daemon does. */
int thaw_place_set_point(struct thaw_place *place, const char *mountpoint);

/* "../a/b" -> "/x/b", the path inside the file system; caller frees. */
int thaw_place_inside(struct thaw_place *place, const char *word, char **ret, struct thaw_err *err);
/* And back: "/x/b" -> "/mnt/x/b"; unchanged when it cannot be seen from here. */
int thaw_place_outside(const struct thaw_place *place, const char *inside, size_t len, char **ret,
		       size_t *ret_len);

/* Absolute and without links but for the last part; caller frees. */
int thaw_place_resolve(struct thaw_place *place, const char *word, char **ret);

#endif
