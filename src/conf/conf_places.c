/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_places.c - that cache, catalog, archives and mountpoint keep out of
 * each other's way.  All are compared with symbolic links resolved.
 */
#include "conf/conf_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/path.h"

static int check_watermarks(const struct thaw_conf_build *build)
{
	const struct thaw_conf *conf = build->conf;

	if (conf->low < conf->high)
		return 0;
	return thaw_conf_fail_key(build, "cache", "low",
				  "%u%% is not below high (%u%%): eviction would not stop",
				  conf->low, conf->high);
}

static int resolve(const struct thaw_conf_build *build, const char *path, char **ret)
{
	int rc = thaw_path_resolve(path, ret);

	if (rc)
		return thaw_conf_fail(build, rc, "%.200s: %s", path, strerror(-rc));
	return 0;
}

/* What the daemon writes: replaced by its resolved path. */
struct own {
	const char *section, *key, *what;
};

static const struct own owned[] = {
	{"cache", "path", "cache"},
	{"daemon", "catalog", "catalog"},
	{"daemon", "socket", "socket"},
};
#define OWNED (sizeof(owned) / sizeof(owned[0]))

static char **own_field(const struct thaw_conf_build *build, const struct own *own)
{
	return (char **)((char *)build->conf + thaw_conf_key_find(own->section, own->key)->offset);
}

static int check_own(const struct thaw_conf_build *build, const struct own *own)
{
	char **field = own_field(build, own), *path = NULL;
	int rc = resolve(build, *field, &path);

	if (rc)
		return rc;
	free(*field);
	*field = path;
	if (thaw_path_is_under(path, build->conf->mountpoint))
		return thaw_conf_fail_key(
			build, own->section, own->key,
			"%s lies inside the mountpoint %s, where the mount would hide it; "
			"put the %s elsewhere",
			path, build->conf->mountpoint, own->what);
	return 0;
}

static int check_socket(const struct thaw_conf_build *build)
{
	size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (strlen(build->conf->socket) <= most)
		return 0;
	return thaw_conf_fail_key(
		build, "daemon", "socket",
		"%s is longer than a socket's name may be (%zu bytes); give a shorter one",
		build->conf->socket, most);
}

/* Files that are read once the mount is up must not need the mount. */
static int check_read(const struct thaw_conf_build *build, const struct thaw_conf_archive *archive,
		      const char *key)
{
	const char *given = thaw_conf_archive_get(archive, key);
	_cleanup_free_ char *path = NULL;
	int rc;

	if (!given)
		return 0;
	rc = resolve(build, given, &path);
	if (rc)
		return rc;
	if (thaw_path_is_under(path, build->conf->mountpoint))
		return thaw_conf_fail_at(
			build, archive->line,
			"[archive %s] %s %s lies inside the mountpoint %s, where the mount "
			"would hide it; move one of them",
			archive->name, key, given, build->conf->mountpoint);
	return 0;
}

static int check_directory(const struct thaw_conf_build *build,
			   const struct thaw_conf_archive *archive)
{
	const char *mountpoint = build->conf->mountpoint;
	const char *given = thaw_conf_archive_get(archive, "path");
	_cleanup_free_ char *path = NULL;
	int rc = resolve(build, given, &path);

	if (rc)
		return rc;
	if (strcmp(mountpoint, path) == 0)
		return thaw_conf_fail_at(
			build, archive->line,
			"the mountpoint %s is the archive itself; mount somewhere else",
			mountpoint);
	if (thaw_path_is_under(mountpoint, path))
		return thaw_conf_fail_at(
			build, archive->line,
			"the mountpoint %s lies inside the archive %s; mount somewhere else",
			mountpoint, path);
	for (size_t i = 0; i < OWNED; i++) {
		if (thaw_path_is_under(*own_field(build, &owned[i]), path))
			return thaw_conf_fail_key(
				build, owned[i].section, owned[i].key,
				"%s lies inside the archive %s, where nothing is ever "
				"written; put the %s elsewhere",
				*own_field(build, &owned[i]), path, owned[i].what);
	}
	return 0;
}

static int check_archive(const struct thaw_conf_build *build,
			 const struct thaw_conf_archive *archive)
{
	const char *type = thaw_conf_store_type(archive);
	int rc;

	if (strcmp(type, "posix") == 0) {
		rc = check_directory(build, archive);
		return rc ? rc : check_read(build, archive, "path");
	}
	if (strcmp(type, "s3") == 0) {
		rc = check_read(build, archive, "credentials");
		return rc ? rc : check_read(build, archive, "ca_file");
	}
	return 0;
}

int thaw_conf_check_places(struct thaw_conf_build *build)
{
	int rc = check_watermarks(build);

	for (size_t i = 0; i < OWNED && !rc; i++)
		rc = check_own(build, &owned[i]);
	if (!rc)
		rc = check_socket(build);
	for (size_t i = 0; i < build->conf->archive_count && !rc; i++)
		rc = check_archive(build, &build->conf->archives[i]);
	return rc;
}
