/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mountinfo.h - what is mounted where, from /proc/self/mountinfo.
 */
#ifndef THAW_CLI_MOUNTINFO_H
#define THAW_CLI_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define THAW_FSTYPE "fuse.thawfs"

struct thaw_mount {
	unsigned major, minor;
	char *root; /* the directory of the file system that stands at `point` */
	char *point;
	char *fstype;
};

struct thaw_mounts {
	struct thaw_mount *list;
	size_t count, room;
};

/* A line without its newline; \ooo is taken back to the byte it stands for.
 * -EINVAL: not such a line. */
int thaw_mount_parse(const char *line, struct thaw_mount *ret);
void thaw_mount_release(struct thaw_mount *mount);

/* Lines that make no sense are left out. */
int thaw_mounts_read(FILE *file, struct thaw_mounts *ret);
int thaw_mounts_load(struct thaw_mounts *ret);
void thaw_mounts_release(struct thaw_mounts *mounts);

bool thaw_mount_is_ours(const struct thaw_mount *mount);
/* The one that an absolute, resolved path lies in: the deepest, and of several
 * at one place the last.  NULL: none. */
const struct thaw_mount *thaw_mounts_containing(const struct thaw_mounts *mounts, const char *path);

#endif
