/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf.h - what the administrator asked for, checked, in one struct.
 *
 * Built from a file (thawfs.conf(5)) or from SOURCE and -o options; both go
 * through the one table of keys in conf_table.c, which also gives --help its
 * list.  Constant once built, so any thread may read it.  Every error names
 * the place (file:line or option), what is wrong and how to mend it.
 */
#ifndef THAW_CONF_CONF_H
#define THAW_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct thaw_err;

enum thaw_tristate { THAW_AUTO, THAW_ON, THAW_OFF };
enum thaw_offline {
	THAW_OFFLINE_BLOCK,
	THAW_OFFLINE_EAGAIN,
	THAW_OFFLINE_QUEUE,
	THAW_OFFLINE_EACCES,
};
enum thaw_evict_policy { THAW_EVICT_LRU, THAW_EVICT_FIFO, THAW_EVICT_RANDOM, THAW_EVICT_ORDER };

#define THAW_CONF_COPIES_MAX 8

/* Keys a backend reads itself (type = posix: path; s3: endpoint, ...). */
struct thaw_conf_pair {
	char *key;
	char *value;
	unsigned line; /* 0: from the command line */
};

struct thaw_conf_archive {
	char *name;
	char *type; /* posix s3 command fault mem */
	struct thaw_conf_pair *pairs;
	size_t pair_count;
	unsigned connections; /* most transfers at once */
	unsigned line;
};

struct thaw_conf_collection {
	char *name;
	char *archives[THAW_CONF_COPIES_MAX]; /* names, best first */
	size_t archive_count;
	char *prefix; /* "" or ends in '/' */
	char *path;   /* absolute, where it stands under the mount; "/" is all of it */
	char *fixity;
	enum thaw_offline on_offline;
	uint64_t quota;       /* bytes, 0: none */
	int64_t uid, gid;     /* -1: as the archive says */
	int64_t mode;         /* of files; -1: as the archive says */
	unsigned line;
};

struct thaw_conf {
	char *source;     /* as given */
	char *mountpoint; /* absolute, resolved */
	char *name;       /* NAME of DESIGN section 3 */

	/* [daemon] */
	char *catalog;
	char *socket;
	char *metrics; /* HOST:PORT or NULL */
	unsigned workers;       /* transfers at once, all archives together */
	unsigned import_workers;
	int log_level;          /* syslog(3) level */

	/* [cache] */
	char *cache_path;
	uint64_t cache_size;
	unsigned high, low; /* percent */
	enum thaw_evict_policy policy;
	uint64_t stream_min; /* files at least this large are opened before they are whole */
	uint64_t chunk;      /* bytes of one transfer */
	int64_t space_wait;  /* seconds an open waits for room before EAGAIN */

	/* mount */
	bool foreground;
	bool ro, allow_other;
	enum thaw_offline on_offline; /* default of collections */
	enum thaw_tristate io_uring, passthrough;
	char *fuse_options; /* generic mount options handed to libfuse, "" if none */

	struct thaw_conf_archive *archives;
	size_t archive_count;
	struct thaw_conf_collection *collections;
	size_t collection_count;
};

/*
 * From the daemon's command line.  options: every -o string, NULL-terminated
 * array, later ones win.  SOURCE is /directory, s3://bucket[/prefix] or a
 * file that ends in .conf; the first two become one archive "source" and one
 * collection "source" at "/".  Checks what can be checked without touching
 * anything but the config and credential files: unknown keys, values, ranges,
 * cache inside the mount or mount inside the source and the like.
 * -EINVAL: wrong (exit 2); other codes: could not be read (exit 1).
 */
int thaw_conf_load(const char *source, const char *mountpoint, const char *const *options,
		   struct thaw_conf **ret, struct thaw_err *err);
struct thaw_conf *thaw_conf_free(struct thaw_conf *conf);

const struct thaw_conf_archive *thaw_conf_archive_named(const struct thaw_conf *conf,
							const char *name);
/* NULL when the key is not there. */
const char *thaw_conf_archive_get(const struct thaw_conf_archive *archive, const char *key);

/* The table of keys, for --help and for the test that compares it with the
 * manual: calls fn for every key. */
void thaw_conf_each_key(void (*fn)(void *ctx, const char *section, const char *key,
				   const char *type, const char *deflt, const char *help),
			void *ctx);
/* The same for those that -o takes, under the name they have there. */
void thaw_conf_each_option(void (*fn)(void *ctx, const char *option, const char *type,
				      const char *deflt, const char *help),
			   void *ctx);

#endif
