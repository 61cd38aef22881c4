/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_build.h - a configuration while it is being put together.
 *
 * Private to conf.  The steps run in this order: defaults, SOURCE, file,
 * options, default places, checks.  Every step reports through build->err.
 */
#ifndef THAW_CONF_CONF_BUILD_H
#define THAW_CONF_CONF_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "conf/conf_table.h"

struct thaw_err;

/* Who set a key last. */
struct thaw_conf_origin {
	unsigned line; /* of the file; 0: not there */
	bool option;
};

struct thaw_conf_build {
	struct thaw_conf *conf;
	const char *file;                 /* borrowed; NULL: SOURCE is no file */
	struct thaw_conf_origin *origins; /* one for each row of the table, [daemon] to "mount" */
	struct thaw_err *err;             /* borrowed, not NULL */
};

/* Until the checks, which put the mount's in its place. */
#define THAW_CONF_OFFLINE_UNSET ((enum thaw_offline) - 1)

/* Sets the text; returns code. */
int thaw_conf_fail(const struct thaw_conf_build *build, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* -EINVAL with "FILE:LINE: " before the text; line 0: only the text. */
int thaw_conf_fail_at(const struct thaw_conf_build *build, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* -EINVAL with the place where the key was set before the text. */
int thaw_conf_fail_key(const struct thaw_conf_build *build, const char *section, const char *key,
		       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* NULL on OOM.  The conf owns what they return; the next call may move it. */
struct thaw_conf_archive *thaw_conf_add_archive(struct thaw_conf *conf, const char *name);
struct thaw_conf_collection *thaw_conf_add_collection(struct thaw_conf *conf, const char *name);
int thaw_conf_add_pair(struct thaw_conf_archive *archive, const char *key, const char *value,
		       unsigned line);

/* Its type, or of a fault archive the type that it wraps. */
const char *thaw_conf_store_type(const struct thaw_conf_archive *archive);

/* What SOURCE is decides which options there are. */
enum thaw_conf_source { THAW_CONF_SOURCE_FILE, THAW_CONF_SOURCE_DIR, THAW_CONF_SOURCE_S3 };

int thaw_conf_read_source(struct thaw_conf_build *build, enum thaw_conf_source *ret);
int thaw_conf_read_file(struct thaw_conf_build *build);
int thaw_conf_read_option(struct thaw_conf_build *build, enum thaw_conf_source source,
			  const char *options);
int thaw_conf_default_places(struct thaw_conf_build *build);
int thaw_conf_check_archives(struct thaw_conf_build *build);
int thaw_conf_check_collections(struct thaw_conf_build *build);
int thaw_conf_check_places(struct thaw_conf_build *build);

#endif
