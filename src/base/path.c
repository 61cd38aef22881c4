/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

bool thaw_path_is_under(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (len && dir[len - 1] == '/')
		len--; /* "/" itself */
	return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static char mount_name_char(char c)
{
	if (c == '/')
		return '-';
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '.' || c == '-')
		return c;
	return '_';
}

char *thaw_path_mount_name(const char *mountpoint)
{
	size_t len;
	char *name;

	mountpoint += strspn(mountpoint, "/");
	len = strlen(mountpoint);
	while (len && mountpoint[len - 1] == '/')
		len--;
	if (!len)
		return strdup("root");
	name = strndup(mountpoint, len);
	for (char *at = name; at && *at; at++)
		*at = mount_name_char(*at);
	return name;
}

/* One directory; fine when it is there already.  Looks before it blames: on a
 * read-only file system mkdir says EROFS of one that exists. */
static int make_one(const char *path, mode_t mode)
{
	struct stat st;
	int error;

	if (mkdir(path, mode) == 0)
		return 0;
	error = errno;
	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	return -error;
}

int thaw_path_make(const char *path, mode_t mode)
{
	_cleanup_free_ char *copy = strdup(path);
	char *slash;
	int rc;

	if (!copy)
		return -ENOMEM;
	slash = copy + strspn(copy, "/");
	while ((slash = strchr(slash, '/'))) {
		*slash = '\0';
		rc = make_one(copy, mode);
		if (rc)
			return rc;
		*slash = '/';
		slash += strspn(slash, "/");
	}
	return make_one(copy, mode);
}

const char *thaw_path_quote(char *out, size_t room, const void *name, size_t len)
{
	const unsigned char *bytes = name;
	char *at = out;
	char *end = out + room - 1; /* where the NUL must fit */

	for (size_t i = 0; i < len; i++) {
		unsigned char c = bytes[i];

		if (c >= 0x20 && c < 0x7f && c != '\\') {
			if (end - at < 1)
				break;
			*at++ = (char)c;
			continue;
		}
		if (end - at < 4)
			break;
		*at++ = '\\';
		*at++ = (char)('0' + (c >> 6));
		*at++ = (char)('0' + ((c >> 3) & 7));
		*at++ = (char)('0' + (c & 7));
	}
	*at = '\0';
	return out;
}
