/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <thaw/xattr_names.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/path.h"
#include "cli/cli.h"

#define SOCKET_MAX    4096
#define LIST_TEXT_MAX 400

void thaw_place_release(struct thaw_place *place)
{
	thaw_mounts_release(&place->mounts);
	free(place->socket);
	free(place->point);
	free(place->root);
	free(place->last_dir);
	free(place->last_resolved);
	*place = (struct thaw_place){0};
}

/* --- paths ---------------------------------------------------------------- */

/* Text of the directory a word lies in, or NULL when the word must be
 * followed to its end ("a/", ".", ".."). */
static char *directory_of(const char *word, const char **ret_name)
{
	const char *slash = strrchr(word, '/');
	const char *name = slash ? slash + 1 : word;

	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return NULL;
	*ret_name = name;
	if (!slash)
		return strdup(".");
	return slash == word ? strdup("/") : strndup(word, (size_t)(slash - word));
}

static int resolve_dir(struct thaw_place *place, char *dir)
{
	char *resolved;
	int rc;

	if (place->last_dir && strcmp(place->last_dir, dir) == 0) {
		free(dir);
		return 0;
	}
	rc = thaw_path_resolve(dir, &resolved);
	if (rc) {
		free(dir);
		return rc;
	}
	free(place->last_dir);
	free(place->last_resolved);
	place->last_dir = dir;
	place->last_resolved = resolved;
	return 0;
}

int thaw_place_resolve(struct thaw_place *place, const char *word, char **ret)
{
	const char *name = NULL;
	char *dir = directory_of(word, &name);
	int rc;

	if (!dir)
		return name ? -ENOMEM : thaw_path_resolve(word, ret);
	rc = resolve_dir(place, dir);
	if (rc)
		return rc;
	if (asprintf(ret, "%s/%s", strcmp(place->last_resolved, "/") ? place->last_resolved : "",
		     name) < 0)
		return -ENOMEM;
	return 0;
}

/* What of `path` comes after `dir`: "" or "/..."; path is under dir. */
static const char *rest_of(const char *path, const char *dir)
{
	return path + (strcmp(dir, "/") ? strlen(dir) : 0);
}

static int join(const char *dir, const char *rest, char **ret)
{
	if (strcmp(dir, "/") == 0 && *rest)
		dir = "";
	if (strcmp(rest, "/") == 0)
		rest = "";
	if (asprintf(ret, "%s%s", *dir || *rest ? dir : "/", rest) < 0)
		return -ENOMEM;
	return 0;
}

static int not_ours(const struct thaw_place *place, struct thaw_err *err)
{
	if (place->point)
		return thaw_err_set(err, -EXDEV, "is not in the thawfs mount at %s", place->point);
	return thaw_err_set(err, -EXDEV, "is not in a thawfs mount");
}

static bool same_device(const struct thaw_place *place, const struct thaw_mount *mount)
{
	return place->major == mount->major && place->minor == mount->minor;
}

int thaw_place_inside(struct thaw_place *place, const char *word, char **ret, struct thaw_err *err)
{
	_cleanup_free_ char *path = NULL;
	const struct thaw_mount *mount;
	bool from_table = place->major || place->minor;
	int rc = thaw_place_resolve(place, word, &path);

	if (rc == -ENOTCONN)
		return thaw_err_set(err, rc, "the daemon of this mount has died");
	if (rc)
		return thaw_err_set(err, rc, "%s", strerror(-rc));
	mount = thaw_mounts_containing(&place->mounts, path);
	if (mount && thaw_mount_is_ours(mount) && (!from_table || same_device(place, mount)))
		return join(mount->root, rest_of(path, mount->point), ret);
	if (from_table || !place->point || !thaw_path_is_under(path, place->point))
		return not_ours(place, err);
	return join(place->root, rest_of(path, place->point), ret);
}

int thaw_place_outside(const struct thaw_place *place, const char *inside, size_t len, char **ret,
		       size_t *ret_len)
{
	_cleanup_free_ char *path = strndup(inside, len);
	char *text;
	int rc;

	if (!path)
		return -ENOMEM;
	if (!place->point || !thaw_path_is_under(path, place->root)) {
		text = thaw_steal(&path);
	} else {
		rc = join(place->point, rest_of(path, place->root), &text);
		if (rc)
			return rc;
	}
	*ret = text;
	*ret_len = strlen(text);
	return 0;
}

/* --- the daemon ----------------------------------------------------------- */

/* Caller frees; NULL: no such attribute there. */
static char *socket_attribute(const char *path)
{
	char text[SOCKET_MAX];
	ssize_t len = lgetxattr(path, THAW_XATTR_SOCKET, text, sizeof(text));

	return len > 0 ? strndup(text, (size_t)len) : NULL;
}

/* From the path up to its mount's root: a user may read the attribute only of
 * what they may read. */
static char *find_socket(const char *path, const char *top)
{
	_cleanup_free_ char *at = strdup(path);
	char *found = NULL, *slash;

	while (at && !found) {
		found = socket_attribute(at);
		slash = strrchr(at, '/');
		if (found || !slash || strcmp(at, top) == 0)
			break;
		slash[slash == at] = '\0'; /* "/a" -> "/" */
	}
	return found;
}

static int use_mount(struct thaw_place *place, const struct thaw_mount *mount)
{
	place->major = mount->major;
	place->minor = mount->minor;
	free(place->point);
	free(place->root);
	place->point = strdup(mount->point);
	place->root = strdup(mount->root);
	return place->point && place->root ? 0 : -ENOMEM;
}

int thaw_place_set_point(struct thaw_place *place, const char *mountpoint)
{
	if (place->point)
		return 0;
	place->point = strdup(mountpoint);
	place->root = strdup("/");
	return place->point && place->root ? 0 : -ENOMEM;
}

static int no_socket(const struct thaw_mount *mount, struct thaw_err *err)
{
	char probe;

	(void)lgetxattr(mount->point, THAW_XATTR_SOCKET, &probe, 0);
	if (errno == ENOTCONN)
		return thaw_err_set(err, -ENOTCONN, "the daemon of the mount at %s has died",
				    mount->point);
	return thaw_err_set(err, -ENODATA,
			    "the mount at %s does not tell its socket (%s); give it with --socket",
			    mount->point, strerror(errno));
}

/* The daemon whose mount holds `word`. */
static int find_by_path(struct thaw_place *place, const char *word, struct thaw_err *err)
{
	_cleanup_free_ char *path = NULL;
	const struct thaw_mount *mount;
	int rc = thaw_place_resolve(place, word, &path);

	if (rc)
		return thaw_err_set(err, rc, "%s: %s", word,
				    rc == -ENOTCONN ? "the daemon of this mount has died"
						    : strerror(-rc));
	mount = thaw_mounts_containing(&place->mounts, path);
	if (!mount || !thaw_mount_is_ours(mount))
		return thaw_err_set(err, -EXDEV, "%s: is not in a thawfs mount", word);
	place->socket = find_socket(path, mount->point);
	if (!place->socket)
		return no_socket(mount, err);
	return use_mount(place, mount);
}

struct candidates {
	const struct thaw_mount *first;
	size_t devices;
	struct thaw_buf names;
};

/* Each file system once, by the place of its root if that is there. */
static void collect(const struct thaw_mounts *mounts, struct candidates *ret)
{
	for (size_t i = 0; i < mounts->count; i++) {
		const struct thaw_mount *at = &mounts->list[i];
		bool seen = false;

		if (!thaw_mount_is_ours(at))
			continue;
		for (size_t k = 0; k < i && !seen; k++)
			seen = thaw_mount_is_ours(&mounts->list[k]) &&
			       mounts->list[k].major == at->major &&
			       mounts->list[k].minor == at->minor;
		if (seen)
			continue;
		if (!ret->devices++)
			ret->first = at;
		(void)thaw_buf_addf(&ret->names, " %s", at->point);
	}
}

static int find_only(struct thaw_place *place, struct thaw_err *err)
{
	struct candidates found = {0};
	const struct thaw_mount *here;
	_cleanup_free_ char *cwd = getcwd(NULL, 0);
	int rc;

	here = cwd ? thaw_mounts_containing(&place->mounts, cwd) : NULL;
	if (here && thaw_mount_is_ours(here))
		return find_by_path(place, cwd, err);
	thaw_buf_init(&found.names, LIST_TEXT_MAX);
	collect(&place->mounts, &found);
	if (!found.devices)
		rc = thaw_err_set(err, -ENOENT,
				  "no thawfs is mounted; name its socket with --socket FILE");
	else if (found.devices > 1)
		rc = thaw_err_set(err, -EINVAL, "which mount? choose with --mount:%s",
				  found.names.data);
	else
		rc = find_by_path(place, found.first->point, err);
	thaw_buf_release(&found.names);
	return rc;
}

int thaw_place_find(const struct thaw_args *args, const char *first, struct thaw_place *ret,
		    struct thaw_err *err)
{
	struct thaw_place place = {0};
	int rc = thaw_mounts_load(&place.mounts);

	if (rc)
		thaw_err_set(err, rc, "the mount table cannot be read: %s", strerror(-rc));
	else if (args->socket)
		rc = (place.socket = strdup(args->socket)) ? 0 : -ENOMEM;
	else if (args->mount || first)
		rc = find_by_path(&place, args->mount ? args->mount : first, err);
	else
		rc = find_only(&place, err);
	if (rc) {
		thaw_place_release(&place);
		return rc;
	}
	*ret = place;
	return 0;
}
