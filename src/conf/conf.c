/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf.c - the struct's life, and the order in which it is put together.
 */
#include "conf/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/path.h"
#include "conf/conf_build.h"
#include "conf/conf_text.h"

static void release_archive(struct thaw_conf_archive *archive)
{
	for (size_t i = 0; i < archive->pair_count; i++) {
		free(archive->pairs[i].key);
		free(archive->pairs[i].value);
	}
	free(archive->pairs);
	free(archive->name);
	free(archive->type);
}

static void release_collection(struct thaw_conf_collection *collection)
{
	for (size_t i = 0; i < collection->archive_count; i++)
		free(collection->archives[i]);
	free(collection->name);
	free(collection->prefix);
	free(collection->path);
	free(collection->fixity);
}

struct thaw_conf *thaw_conf_free(struct thaw_conf *conf)
{
	if (!conf)
		return NULL;
	for (size_t i = 0; i < conf->archive_count; i++)
		release_archive(&conf->archives[i]);
	for (size_t i = 0; i < conf->collection_count; i++)
		release_collection(&conf->collections[i]);
	free(conf->archives);
	free(conf->collections);
	free(conf->source);
	free(conf->mountpoint);
	free(conf->name);
	free(conf->catalog);
	free(conf->socket);
	free(conf->metrics);
	free(conf->cache_path);
	free(conf->fuse_options);
	free(conf);
	return NULL;
}

THAW_DEFINE_CLEANUP(struct thaw_conf, thaw_conf_free);

const struct thaw_conf_archive *thaw_conf_archive_named(const struct thaw_conf *conf,
							const char *name)
{
	for (size_t i = 0; i < conf->archive_count; i++) {
		if (strcmp(conf->archives[i].name, name) == 0)
			return &conf->archives[i];
	}
	return NULL;
}

const char *thaw_conf_archive_get(const struct thaw_conf_archive *archive, const char *key)
{
	for (size_t i = 0; i < archive->pair_count; i++) {
		if (strcmp(archive->pairs[i].key, key) == 0)
			return archive->pairs[i].value;
	}
	return NULL;
}

/* What can be wrong with a mountpoint before anything is mounted on it. */
static int resolve_mountpoint(struct thaw_conf_build *build, const char *mountpoint)
{
	struct stat st;
	int rc = thaw_path_resolve(mountpoint, &build->conf->mountpoint);

	if (!rc && stat(build->conf->mountpoint, &st) < 0)
		rc = -errno;
	if (rc == -ENOTCONN)
		return thaw_conf_fail(build, rc,
				      "%s: a mount whose daemon is gone; run umount -l %s first",
				      mountpoint, mountpoint);
	if (rc == -ENOENT)
		return thaw_conf_fail(build, rc,
				      "%s: the mountpoint does not exist; make the directory",
				      mountpoint);
	if (rc)
		return thaw_conf_fail(build, rc, "%s: the mountpoint cannot be looked at: %s",
				      mountpoint, strerror(-rc));
	if (!S_ISDIR(st.st_mode))
		return thaw_conf_fail(build, -EINVAL, "%s: the mountpoint is not a directory",
				      mountpoint);
	build->conf->name = thaw_path_mount_name(build->conf->mountpoint);
	return build->conf->name ? 0 : -ENOMEM;
}

static int read_options(struct thaw_conf_build *build, enum thaw_conf_source source,
			const char *const *options)
{
	for (; options && *options; options++) {
		int rc = thaw_conf_read_option(build, source, *options);

		if (rc)
			return rc;
	}
	return 0;
}

/* Options after the file: they win. */
static int assemble(struct thaw_conf_build *build, const char *mountpoint,
		    const char *const *options)
{
	enum thaw_conf_source source;
	int rc = resolve_mountpoint(build, mountpoint);

	if (!rc)
		rc = thaw_conf_read_source(build, &source);
	if (!rc && source == THAW_CONF_SOURCE_FILE)
		rc = thaw_conf_read_file(build);
	if (!rc)
		rc = read_options(build, source, options);
	if (!rc)
		rc = thaw_conf_default_places(build);
	if (!rc)
		rc = thaw_conf_check_archives(build);
	if (!rc)
		rc = thaw_conf_check_collections(build);
	if (!rc)
		rc = thaw_conf_check_places(build);
	return rc;
}

/* Values are bytes, and the text is shown to people: one line, whatever is in
 * them. */
static void flatten(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

int thaw_conf_load(const char *source, const char *mountpoint, const char *const *options,
		   struct thaw_conf **ret, struct thaw_err *err)
{
	_cleanup_(thaw_conf_free_cleanup) struct thaw_conf *conf = calloc(1, sizeof(*conf));
	_cleanup_free_ struct thaw_conf_origin *origins = NULL;
	struct thaw_err unwanted = {""};
	struct thaw_conf_build build = {.conf = conf, .err = err ? err : &unwanted};
	int rc;

	origins = calloc(thaw_conf_key_count, sizeof(*origins));
	build.origins = origins;
	build.err->text[0] = '\0';
	rc = conf && origins ? 0 : -ENOMEM;
	if (!rc)
		rc = thaw_conf_text_keep(&conf->source, source);
	if (!rc)
		rc = thaw_conf_text_keep(&conf->fuse_options, "");
	if (!rc)
		rc = thaw_conf_value_defaults("daemon", conf);
	if (!rc)
		rc = thaw_conf_value_defaults("cache", conf);
	if (!rc)
		rc = thaw_conf_value_defaults("mount", conf);
	if (!rc)
		rc = assemble(&build, mountpoint, options);
	if (rc == -ENOMEM && !build.err->text[0])
		return thaw_conf_fail(&build, rc, "out of memory");
	if (rc) {
		flatten(build.err->text);
		return rc;
	}
	*ret = thaw_steal(&conf);
	return 0;
}
