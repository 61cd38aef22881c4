/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file thawfs.cache: what this directory is and whose.
 *
 *	thawfs-cache 1
 *	uuid 6f0c...           nothing behind "uuid " while it is nobody's
 *	catalog /var/lib/...   bytes up to the file's last newline
 *
 * Replaced as a whole by rename, so it is never seen half written.
 */
#include "cache/store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/units.h"

#define ID_MAGIC   "thawfs-cache "
#define ID_VERSION 1
#define ID_MAX     (PATH_MAX + 256)

static int read_whole(int fd, char *text, size_t room, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n;

	while (len < room) {
		n = read(fd, text + len, room - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n) {
			*ret_len = len;
			return 0;
		}
		len += (size_t)n;
	}
	return -EBADMSG;
}

static int write_whole(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The rest of the line behind `key`, cut off; *at moves behind it. */
static char *take_line(char **at, const char *key)
{
	size_t key_len = strlen(key);
	char *value, *end;

	if (strncmp(*at, key, key_len))
		return NULL;
	value = *at + key_len;
	end = strchr(value, '\n');
	if (!end)
		return NULL;
	*end = '\0';
	*at = end + 1;
	return value;
}

static int parse_version(const char *text)
{
	uint64_t version;

	if (!text || thaw_parse_u64(text, &version) || !version)
		return -EBADMSG;
	return version > ID_VERSION ? -EPROTO : 0;
}

/* text is NUL-terminated behind len; it is cut up. */
static int parse(struct thaw_store *store, char *text, size_t len)
{
	const char *uuid;
	char *catalog;
	char *at = text;
	int r;

	r = parse_version(take_line(&at, ID_MAGIC));
	if (r)
		return r;
	uuid = take_line(&at, "uuid ");
	if (!uuid || (*uuid && strlen(uuid) != THAW_STORE_UUID_TEXT - 1))
		return -EBADMSG;
	if (strncmp(at, "catalog ", 8) || text[len - 1] != '\n' ||
	    strlen(at) != (size_t)(text + len - at))
		return -EBADMSG;
	text[len - 1] = '\0';
	catalog = strdup(at + 8);
	if (!catalog)
		return -ENOMEM;
	memset(store->uuid, 0, sizeof(store->uuid));
	memcpy(store->uuid, uuid, strlen(uuid));
	free(store->catalog);
	store->catalog = catalog;
	return 0;
}

int thaw_store_id_read(struct thaw_store *store, struct thaw_err *err)
{
	_cleanup_free_ char *text = calloc(1, ID_MAX + 1);
	_cleanup_close_ int fd = -1;
	size_t len = 0;
	int r;

	if (!text)
		return -ENOMEM;
	fd = openat(store->dir, THAW_STORE_ID, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT
			       ? -ENOENT
			       : thaw_store_explain(store, -errno, "open " THAW_STORE_ID, err);
	r = read_whole(fd, text, ID_MAX, &len);
	if (!r)
		r = parse(store, text, len);
	if (r == -EPROTO)
		return thaw_err_set(err, r,
				    "cache directory %s was made by a newer version of "
				    "thawfs: use that one, or give this one an empty directory",
				    store->path);
	if (r == -EBADMSG)
		return thaw_err_set(err, r,
				    "%s/" THAW_STORE_ID " is damaged: if nothing but staged "
				    "files is in this directory, empty it and start again",
				    store->path);
	return r ? thaw_store_explain(store, r, "read " THAW_STORE_ID, err) : 0;
}

static int write_new(struct thaw_store *store, const struct thaw_buf *text)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (unlinkat(store->dir, THAW_STORE_ID_NEW, 0) && errno != ENOENT)
		return -errno;
	fd = openat(store->dir, THAW_STORE_ID_NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_whole(fd, text->data, text->len);
	return r ? r : thaw_store_fsync(fd);
}

int thaw_store_id_write(struct thaw_store *store, const char *uuid, const char *catalog)
{
	struct thaw_buf text;
	char *copy = strdup(catalog);
	int r = -ENOMEM;

	thaw_buf_init(&text, ID_MAX);
	if (!copy)
		goto out;
	r = thaw_buf_addf(&text, ID_MAGIC "%d\nuuid %s\ncatalog %s\n", ID_VERSION, uuid, catalog);
	if (r)
		goto out;
	r = write_new(store, &text);
	if (r)
		goto out;
	thaw_crash_point("id.written");
	if (renameat(store->dir, THAW_STORE_ID_NEW, store->dir, THAW_STORE_ID)) {
		r = -errno;
		goto out;
	}
	thaw_crash_point("id.renamed");
	r = thaw_store_fsync(store->dir);
	if (r)
		goto out;
	(void)snprintf(store->uuid, sizeof(store->uuid), "%s", uuid);
	free(store->catalog);
	store->catalog = thaw_steal(&copy);
out:
	thaw_buf_release(&text);
	free(copy);
	return r;
}
