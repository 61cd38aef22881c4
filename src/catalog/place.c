/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/path.h"
#include "catalog/schema.h"
#include "catalog/catalog_impl.h"

#define NAME_ROOM 4200
#define HEADER_SIZE 100
#define QUICK_CHECK_MAX (INT64_C(64) << 20)

static const char magic[16] = "SQLite format 3"; /* with its NUL */

int thaw_place_damaged(const char *path, const char *what, struct thaw_err *err)
{
	return thaw_err_set(err, -EUCLEAN,
			    "%s: %s: put back a copy of the catalog, or move it (and %s-wal) "
			    "away and import again",
			    path, what, path);
}

static bool beside_exists(const char *path, const char *suffix)
{
	char name[NAME_ROOM];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &st) == 0;
}

static uint32_t big_endian(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int check_header(const char *path, int fd, struct thaw_err *err)
{
	unsigned char header[HEADER_SIZE];
	ssize_t n = pread(fd, header, sizeof(header), 0);

	if (n < 0)
		return thaw_err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (n == 0)
		return thaw_place_damaged(path, "the catalog is an empty file", err);
	if (n < HEADER_SIZE || memcmp(header, magic, sizeof(magic)) != 0)
		return thaw_place_damaged(path, "not a catalog, or its beginning is damaged", err);
	if (big_endian(header + 68) != THAW_CATALOG_APPLICATION_ID)
		return thaw_place_damaged(path, "a database, but not a catalog of thawfs", err);
	return 0;
}

static int sync_parent(const char *path)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *dir = strdup(path);
	char *slash;

	if (!dir)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = '\0';
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		return -errno;
	return 0;
}

/* In rollback-journal mode, so that one file holds all of it. */
static int fill_new(const char *name)
{
	static const char text[] = "PRAGMA synchronous = FULL; PRAGMA page_size = 4096;"
				   "PRAGMA application_id = 0x74686177; PRAGMA user_version = 0;";
	sqlite3 *db = NULL;
	int code = sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_exec(db, text, NULL, NULL, NULL);
	(void)sqlite3_close(db);
	if (code == SQLITE_OK)
		return 0;
	return (code & 0xff) == SQLITE_FULL ? -ENOSPC : -EIO;
}

static int make_new(const char *path)
{
	char name[NAME_ROOM], journal[NAME_ROOM + 16];
	int fd, rc;

	(void)snprintf(name, sizeof(name), "%s.new", path);
	(void)snprintf(journal, sizeof(journal), "%s-journal", name);
	(void)unlink(name);
	(void)unlink(journal);
	fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	(void)close(fd);
	rc = fill_new(name);
	if (!rc && rename(name, path))
		rc = -errno;
	if (rc)
		(void)unlink(name);
	return rc ? rc : sync_parent(path);
}

int thaw_place_prepare(const char *path, struct thaw_err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd >= 0)
		return check_header(path, fd, err);
	if (errno != ENOENT) {
		rc = -errno;
		return thaw_err_set(err, rc, "%s: %s", path, strerror(-rc));
	}
	/* SQLite would replay such a log into the new file. */
	if (beside_exists(path, "-wal"))
		return thaw_place_damaged(path, "the catalog is missing but its -wal is there",
					  err);
	rc = make_new(path);
	if (rc)
		return thaw_err_set(err, rc, "%s: cannot be made: %s", path, strerror(-rc));
	return 0;
}

/* A file shorter than it says has been cut. */
static int check_length(struct thaw_conn *rw, int64_t *ret_size, struct thaw_err *err)
{
	const char *path = rw->cat->path;
	int64_t pages, page_size;
	struct stat st;
	int rc = thaw_sql_exec_value(rw, "PRAGMA page_count", &pages);

	if (!rc)
		rc = thaw_sql_exec_value(rw, "PRAGMA page_size", &page_size);
	if (rc)
		return rc;
	if (stat(path, &st))
		return -errno;
	if (st.st_size < pages * page_size)
		return thaw_place_damaged(path, "the catalog was cut short", err);
	*ret_size = st.st_size;
	return 0;
}

/* Walks down the edges of every table and index. */
static int probe_roots(struct thaw_conn *rw)
{
	static const char list[] =
		"SELECT group_concat('SELECT (SELECT count(*) FROM (SELECT * FROM ' || name ||"
		" ' LIMIT 1))', ' UNION ALL ') FROM sqlite_schema WHERE type = 'table'";
	static const char last[] =
		"SELECT max(id) FROM nodes UNION ALL SELECT max(id) FROM objects"
		" UNION ALL SELECT max(object) FROM residency"
		" UNION ALL SELECT max(parent) FROM nodes WHERE parent IS NOT NULL";
	sqlite3_stmt *st = NULL;
	char *text = NULL;
	int code = sqlite3_prepare_v2(rw->db, list, -1, &st, NULL);
	int rc;

	if (code == SQLITE_OK && (code = sqlite3_step(st)) == SQLITE_ROW)
		text = strdup((const char *)sqlite3_column_text(st, 0));
	rc = thaw_sql_errno(rw, code);
	(void)sqlite3_finalize(st);
	if (!rc && !text)
		rc = -ENOMEM;
	if (!rc)
		rc = thaw_sql_exec(rw, text);
	if (!rc)
		rc = thaw_sql_exec(rw, last);
	free(text);
	return rc;
}

static int quick_check(struct thaw_conn *rw)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(rw->db, "PRAGMA quick_check(1)", -1, &st, NULL);
	int rc;

	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	rc = thaw_sql_errno(rw, code);
	if (!rc && strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0)
		rc = -EUCLEAN;
	(void)sqlite3_finalize(st);
	return rc;
}

int thaw_place_probe(struct thaw_conn *rw, struct thaw_err *err)
{
	int64_t size = 0;
	int rc = check_length(rw, &size, err);

	if (rc)
		return rc;
	rc = size < QUICK_CHECK_MAX ? quick_check(rw) : probe_roots(rw);
	if (rc == -EUCLEAN)
		return thaw_place_damaged(rw->cat->path, "the catalog is damaged", err);
	return rc;
}
