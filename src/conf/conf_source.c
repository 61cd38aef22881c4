/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_source.c - SOURCE: a directory, s3://bucket[/prefix] or a file; and
 * where things go when nobody said where.
 */
#include "conf/conf_build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/path.h"
#include "conf/conf_text.h"

#define S3_SCHEME   "s3://"
#define FILE_ENDING ".conf"

/* One archive and one collection, both "source", at "/". */
static int add_only_source(struct thaw_conf_build *build, const char *type)
{
	struct thaw_conf_archive *archive = thaw_conf_add_archive(build->conf, "source");
	struct thaw_conf_collection *collection = thaw_conf_add_collection(build->conf, "source");

	if (!archive || !collection || thaw_conf_text_keep(&archive->type, type) ||
	    thaw_conf_text_keep(&collection->path, "/"))
		return -ENOMEM;
	return thaw_conf_text_archives(collection, "source", build->err);
}

static int read_s3(struct thaw_conf_build *build, const char *rest)
{
	size_t len = strcspn(rest, "/");
	_cleanup_free_ char *bucket = strndup(rest, len);
	int rc;

	if (!bucket)
		return -ENOMEM;
	if (!thaw_conf_text_is_name(bucket))
		return thaw_conf_fail(build, -EINVAL,
				      "%s: no bucket; write s3://bucket or s3://bucket/prefix",
				      build->conf->source);
	rc = add_only_source(build, "s3");
	if (!rc)
		rc = thaw_conf_add_pair(build->conf->archives, "bucket", bucket, 0);
	if (rc)
		return rc;
	rest += len + (rest[len] == '/');
	rc = thaw_conf_text_prefix(&build->conf->collections->prefix, rest, build->err);
	if (rc == -EINVAL)
		thaw_err_prefix(build->err, "%s: the prefix", build->conf->source);
	return rc;
}

static int read_directory(struct thaw_conf_build *build)
{
	_cleanup_free_ char *path = NULL;
	int rc = thaw_path_resolve(build->conf->source, &path);

	if (rc)
		return thaw_conf_fail(build, rc, "%s: the source cannot be looked at: %s",
				      build->conf->source, strerror(-rc));
	rc = add_only_source(build, "posix");
	return rc ? rc : thaw_conf_add_pair(build->conf->archives, "path", path, 0);
}

static bool ends_in(const char *text, const char *ending)
{
	size_t len = strlen(text), ending_len = strlen(ending);

	return len >= ending_len && strcmp(text + len - ending_len, ending) == 0;
}

int thaw_conf_read_source(struct thaw_conf_build *build, enum thaw_conf_source *ret)
{
	const char *source = build->conf->source;
	struct stat st;

	if (strncmp(source, S3_SCHEME, strlen(S3_SCHEME)) == 0) {
		*ret = THAW_CONF_SOURCE_S3;
		return read_s3(build, source + strlen(S3_SCHEME));
	}
	if (stat(source, &st) < 0) {
		int error = errno;

		return thaw_conf_fail(build, -error,
				      "%s: %s; SOURCE is a directory, "
				      "s3://bucket[/prefix] or a file that ends in .conf",
				      source, strerror(error));
	}
	if (S_ISDIR(st.st_mode)) {
		*ret = THAW_CONF_SOURCE_DIR;
		return read_directory(build);
	}
	if (!S_ISREG(st.st_mode) || !ends_in(source, FILE_ENDING))
		return thaw_conf_fail(build, -EINVAL,
				      "%s: neither a directory nor a file that ends in .conf",
				      source);
	build->file = source;
	*ret = THAW_CONF_SOURCE_FILE;
	return 0;
}

/* Where files of a kind go: `system` for root; other users' come from `xdg`,
 * else from `home` below their home. */
struct place {
	const char *section, *key;
	const char *system, *xdg, *home, *ending;
};

static const struct place places[] = {
	{"cache", "path", "/var/cache", "XDG_CACHE_HOME", ".cache", ""},
	{"daemon", "catalog", "/var/lib", "XDG_STATE_HOME", ".local/state", ".db"},
	{"daemon", "socket", "/run", "XDG_RUNTIME_DIR", NULL, ".sock"},
};

static const char *absolute_env(const char *name)
{
	const char *value = name ? getenv(name) : NULL;

	return value && value[0] == '/' ? value : NULL;
}

/* Sockets of a user without XDG_RUNTIME_DIR: where logind keeps them, else in
 * /tmp.  The directory is made with mode 0700 by whoever binds. */
static char *runtime_fallback(const struct thaw_conf *conf, const char *ending)
{
	char dir[64];
	struct stat st;
	char *path;

	(void)snprintf(dir, sizeof(dir), "/run/user/%u", (unsigned)geteuid());
	if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid())
		return asprintf(&path, "%s/thawfs/%s%s", dir, conf->name, ending) < 0 ? NULL : path;
	return asprintf(&path, "/tmp/thawfs-%u/%s%s", (unsigned)geteuid(), conf->name, ending) < 0
		       ? NULL
		       : path;
}

/* 1: set; 0: there is no home to put it in. */
static int default_path(const struct thaw_conf *conf, const struct place *place, char **ret)
{
	const char *dir = geteuid() == 0 ? place->system : absolute_env(place->xdg);
	const char *home = absolute_env("HOME");
	int len;

	if (!dir && !place->home) {
		*ret = runtime_fallback(conf, place->ending);
		return *ret ? 1 : -ENOMEM;
	}
	if (!dir && !home)
		return 0;
	if (dir)
		len = asprintf(ret, "%s/thawfs/%s%s", dir, conf->name, place->ending);
	else
		len = asprintf(ret, "%s/%s/thawfs/%s%s", home, place->home, conf->name,
			       place->ending);
	return len < 0 ? -ENOMEM : 1;
}

int thaw_conf_default_places(struct thaw_conf_build *build)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct place *place = &places[i];
		const struct thaw_conf_key *key = thaw_conf_key_find(place->section, place->key);
		char **field = (char **)((char *)build->conf + key->offset);
		int rc = *field ? 1 : default_path(build->conf, place, field);

		if (rc < 0)
			return rc;
		if (!rc)
			return thaw_conf_fail(build, -EINVAL,
					      "no place for the %s: set HOME or give -o %s=PATH",
					      key->option, key->option);
	}
	return 0;
}
