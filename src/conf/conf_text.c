/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/conf_text.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/path.h"
#include "base/units.h"
#include "conf/conf.h"

#define NAME_LEN_MAX 64

int thaw_conf_text_keep(char **kept, const char *text)
{
	char *copy;

	if (!kept)
		return 0;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(*kept);
	*kept = copy;
	return 0;
}

const char *thaw_conf_text_quote(char out[THAW_CONF_QUOTED], const char *text)
{
	return thaw_path_quote(out, THAW_CONF_QUOTED, text, strlen(text));
}

char *thaw_conf_text_trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

bool thaw_conf_text_is_name(const char *name)
{
	size_t len = strlen(name);

	return len && len <= NAME_LEN_MAX && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       len;
}

int thaw_conf_text_path(char **kept, const char *text, struct thaw_err *err)
{
	if (text[0] != '/')
		return thaw_err_set(err, -EINVAL, "must be an absolute path, without quotes");
	if (strlen(text) >= PATH_MAX)
		return thaw_err_set(err, -EINVAL, "is longer than a path may be (%d bytes)",
				    PATH_MAX - 1);
	return thaw_conf_text_keep(kept, text);
}

/* HOST:PORT; an IPv6 address stands in [ ]. */
int thaw_conf_text_hostport(char **kept, const char *text, struct thaw_err *err)
{
	const char *colon = strrchr(text, ':');
	size_t host_len = colon ? (size_t)(colon - text) : 0;
	bool bracketed = host_len > 2 && text[0] == '[' && text[host_len - 1] == ']';
	uint64_t port;

	if (!host_len || (!bracketed && memchr(text, ':', host_len)) ||
	    strcspn(text, " \t/") < strlen(text))
		return thaw_err_set(err, -EINVAL,
				    "is not HOST:PORT; write 127.0.0.1:9469 or [::1]:9469");
	if (thaw_parse_u64(colon + 1, &port) || port < 1 || port > 65535)
		return thaw_err_set(err, -EINVAL,
				    "has no port between 1 and 65535 behind the colon");
	return thaw_conf_text_keep(kept, text);
}

/* True when a part of the path is empty, "." or "..", or too long for a name;
 * one '/' at the end is fine. */
static bool has_bad_part(const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 0 || len > NAME_MAX || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return true;
		path += len;
		path += *path == '/';
	}
	return false;
}

int thaw_conf_text_place(char **kept, const char *text, struct thaw_err *err)
{
	_cleanup_free_ char *place = NULL;
	size_t len = strlen(text);

	if (text[0] != '/')
		return thaw_err_set(err, -EINVAL,
				    "must begin with '/', which is the root of the mount");
	if (has_bad_part(text + 1))
		return thaw_err_set(
			err, -EINVAL,
			"must not have empty, \".\" or \"..\" parts, nor names over %d bytes",
			NAME_MAX);
	if (len > 1 && text[len - 1] == '/')
		len--;
	place = strndup(text, len);
	return place ? thaw_conf_text_keep(kept, place) : -ENOMEM;
}

int thaw_conf_text_prefix(char **kept, const char *text, struct thaw_err *err)
{
	_cleanup_free_ char *prefix = NULL;
	size_t len = strlen(text);

	if (text[0] == '/' || has_bad_part(text))
		return thaw_err_set(
			err, -EINVAL,
			"must not begin with '/' nor have empty, \".\" or \"..\" parts");
	prefix = calloc(1, len + 2);
	if (!prefix)
		return -ENOMEM;
	memcpy(prefix, text, len);
	if (len && text[len - 1] != '/')
		prefix[len] = '/';
	return thaw_conf_text_keep(kept, prefix);
}

int thaw_conf_text_fixity(char **kept, const char *text, struct thaw_err *err)
{
	static const char *const words[] = {"none", "etag", "bagit", "ocfl"};
	static const char manifest[] = "manifest:";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0)
			return thaw_conf_text_keep(kept, text);
	}
	if (strncmp(text, manifest, strlen(manifest)) == 0 && text[strlen(manifest)] != '\0')
		return thaw_conf_text_keep(kept, text);
	return thaw_err_set(err, -EINVAL, "must be one of: none etag bagit ocfl manifest:FILE");
}

static int add_archive(struct thaw_conf_collection *collection, const char *name,
		       struct thaw_err *err)
{
	char quoted[THAW_CONF_QUOTED];

	if (!thaw_conf_text_is_name(name))
		return thaw_err_set(err, -EINVAL,
				    "\"%s\" is not a name; write archive = FIRST, SECOND",
				    thaw_conf_text_quote(quoted, name));
	for (size_t i = 0; i < collection->archive_count; i++) {
		if (strcmp(collection->archives[i], name) == 0)
			return thaw_err_set(err, -EINVAL, "names \"%s\" twice", name);
	}
	if (collection->archive_count == THAW_CONF_COPIES_MAX)
		return thaw_err_set(err, -EINVAL, "names more than %d archives",
				    THAW_CONF_COPIES_MAX);
	if (thaw_conf_text_keep(&collection->archives[collection->archive_count], name))
		return -ENOMEM;
	collection->archive_count++;
	return 0;
}

int thaw_conf_text_archives(struct thaw_conf_collection *collection, const char *text,
			    struct thaw_err *err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *name;

	if (!copy)
		return -ENOMEM;
	while ((name = strsep(&rest, ","))) {
		int rc = add_archive(collection, thaw_conf_text_trim(name), err);

		if (rc)
			return rc;
	}
	return 0;
}
