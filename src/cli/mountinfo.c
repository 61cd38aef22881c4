/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/mountinfo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"

/*
 * 36 35 98:0 /root /point rw,noatime shared:1 master:2 - fuse.thawfs source rw
 * id parent dev                      any number of these ^ ends them
 */

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* A copy of a field with its escapes undone. */
static char *unescape(const char *field, size_t len)
{
	char *out = malloc(len + 1), *at = out;

	for (size_t i = 0; out && i < len; i++) {
		if (field[i] == '\\' && len - i > 3 && is_octal(field[i + 1]) &&
		    is_octal(field[i + 2]) && is_octal(field[i + 3])) {
			*at++ = (char)((field[i + 1] - '0') << 6 | (field[i + 2] - '0') << 3 |
				       (field[i + 3] - '0'));
			i += 3;
		} else {
			*at++ = field[i];
		}
	}
	if (out)
		*at = '\0';
	return out;
}

/* The next field and its length; moves *line behind it. */
static const char *next_field(const char **line, size_t *ret_len)
{
	const char *field = *line + strspn(*line, " ");

	*ret_len = strcspn(field, " ");
	*line = field + *ret_len;
	return *ret_len ? field : NULL;
}

static int take_field(const char **line, char **ret)
{
	size_t len;
	const char *field = next_field(line, &len);

	if (!field)
		return -EINVAL;
	*ret = unescape(field, len);
	return *ret ? 0 : -ENOMEM;
}

static int skip_to_dash(const char **line)
{
	const char *field;
	size_t len;

	while ((field = next_field(line, &len))) {
		if (len == 1 && field[0] == '-')
			return 0;
	}
	return -EINVAL;
}

int thaw_mount_parse(const char *line, struct thaw_mount *ret)
{
	struct thaw_mount mount = {0};
	int rc, used = 0;

	if (sscanf(line, "%*u %*u %u:%u%n", &mount.major, &mount.minor, &used) != 2)
		return -EINVAL;
	line += used;
	rc = take_field(&line, &mount.root);
	if (!rc)
		rc = take_field(&line, &mount.point);
	if (!rc)
		rc = skip_to_dash(&line);
	if (!rc)
		rc = take_field(&line, &mount.fstype);
	if (!rc && mount.point[0] != '/')
		rc = -EINVAL;
	if (rc) {
		thaw_mount_release(&mount);
		return rc;
	}
	*ret = mount;
	return 0;
}

void thaw_mount_release(struct thaw_mount *mount)
{
	free(mount->root);
	free(mount->point);
	free(mount->fstype);
	*mount = (struct thaw_mount){0};
}

static int append(struct thaw_mounts *mounts, const char *line)
{
	struct thaw_mount mount;
	int rc = thaw_mount_parse(line, &mount);

	if (rc)
		return rc == -EINVAL ? 0 : rc;
	if (mounts->count == mounts->room) {
		size_t room = mounts->room ? mounts->room * 2 : 32;
		struct thaw_mount *list = reallocarray(mounts->list, room, sizeof(*list));

		if (!list) {
			thaw_mount_release(&mount);
			return -ENOMEM;
		}
		mounts->list = list;
		mounts->room = room;
	}
	mounts->list[mounts->count++] = mount;
	return 0;
}

int thaw_mounts_read(FILE *file, struct thaw_mounts *ret)
{
	struct thaw_mounts mounts = {0};
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int rc = 0;

	while (!rc && (len = getline(&line, &room, file)) >= 0) {
		if (len && line[len - 1] == '\n')
			line[len - 1] = '\0';
		rc = append(&mounts, line);
	}
	if (!rc && ferror(file))
		rc = -EIO;
	if (rc) {
		thaw_mounts_release(&mounts);
		return rc;
	}
	*ret = mounts;
	return 0;
}

int thaw_mounts_load(struct thaw_mounts *ret)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	int rc;

	if (!file)
		return -errno;
	rc = thaw_mounts_read(file, ret);
	(void)fclose(file);
	return rc;
}

void thaw_mounts_release(struct thaw_mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++)
		thaw_mount_release(&mounts->list[i]);
	free(mounts->list);
	*mounts = (struct thaw_mounts){0};
}

bool thaw_mount_is_ours(const struct thaw_mount *mount)
{
	return strcmp(mount->fstype, THAW_FSTYPE) == 0;
}

const struct thaw_mount *thaw_mounts_containing(const struct thaw_mounts *mounts, const char *path)
{
	const struct thaw_mount *best = NULL;

	for (size_t i = 0; i < mounts->count; i++) {
		const struct thaw_mount *at = &mounts->list[i];

		if (thaw_path_is_under(path, at->point) &&
		    (!best || strlen(at->point) >= strlen(best->point)))
			best = at;
	}
	return best;
}
