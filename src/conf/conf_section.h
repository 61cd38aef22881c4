/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_section.h - what the lines of a file mean: sections and their keys.
 *
 * Private to conf.  conf_file.c reads the lines.
 */
#ifndef THAW_CONF_CONF_SECTION_H
#define THAW_CONF_CONF_SECTION_H

struct thaw_conf_build;

enum thaw_conf_in {
	THAW_CONF_IN_NONE,
	THAW_CONF_IN_DAEMON,
	THAW_CONF_IN_CACHE,
	THAW_CONF_IN_ARCHIVE,    /* the last one of the conf */
	THAW_CONF_IN_COLLECTION, /* likewise */
};

struct thaw_conf_section {
	struct thaw_conf_build *build;
	unsigned line; /* where we are */
	enum thaw_conf_in kind;
	/* One for each row of the table: the line on which this section set it. */
	unsigned *seen;
};

/* text: "[word name]"; is changed. */
int thaw_conf_section_begin(struct thaw_conf_section *at, char *text);
/* One "key = value"; value is changed. */
int thaw_conf_section_set(struct thaw_conf_section *at, const char *key, char *value);

#endif
