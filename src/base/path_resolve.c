/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * thaw_path_resolve(): realpath(3) that goes on where the path ends.
 *
 * `rest` is what is still to be walked, `done` what was: absolute and free of
 * links.  A link's text is put before the rest and walked like it.
 */
#include "base/path.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define LINKS_MAX 40
#define TEXT_MAX  (16 * PATH_MAX)

struct walk {
	struct thaw_buf done; /* "" stands for "/" */
	char *rest;           /* owned */
	int links;
	bool missing; /* from here on nothing exists */
};

static void go_up(struct thaw_buf *done)
{
	char *slash = memrchr(done->data, '/', done->len);

	if (!slash)
		return;
	done->len = (size_t)(slash - done->data);
	*slash = '\0';
}

static int follow(struct walk *walk, const char *tail)
{
	char target[PATH_MAX];
	struct thaw_buf next;
	ssize_t len = readlink(walk->done.data, target, sizeof(target) - 1);

	if (len < 0)
		return -errno;
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	target[len] = '\0';
	if (target[0] == '/')
		thaw_buf_clear(&walk->done);
	else
		go_up(&walk->done);
	thaw_buf_init(&next, TEXT_MAX);
	if (thaw_buf_addf(&next, "%s/%s", target, tail)) {
		int rc = next.error;

		thaw_buf_release(&next);
		return rc;
	}
	free(walk->rest);
	walk->rest = thaw_buf_steal(&next);
	return 0;
}

/* Walks `name`; `tail` is what comes after it.  1: rest was replaced. */
static int step(struct walk *walk, const char *name, size_t len, const char *tail)
{
	struct stat st;
	int rc;

	if (len == 0 || (len == 1 && name[0] == '.'))
		return 0;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		go_up(&walk->done);
		walk->missing = false; /* looked up again if it still is */
		return 0;
	}
	thaw_buf_adds(&walk->done, "/");
	rc = thaw_buf_add(&walk->done, name, len);
	if (rc || walk->missing)
		return rc == -E2BIG ? -ENAMETOOLONG : rc;
	if (lstat(walk->done.data, &st) < 0) {
		walk->missing = errno == ENOENT;
		return walk->missing ? 0 : -errno;
	}
	if (!S_ISLNK(st.st_mode))
		return 0;
	rc = follow(walk, tail);
	return rc ? rc : 1;
}

static int walk_all(struct walk *walk)
{
	const char *at = walk->rest;

	while (*at) {
		size_t len = strcspn(at, "/");
		const char *tail = at + len + (at[len] == '/');
		int rc = step(walk, at, len, tail);

		if (rc < 0)
			return rc;
		at = rc ? walk->rest : tail;
	}
	return 0;
}

static int start(struct walk *walk, const char *path)
{
	_cleanup_free_ char *here = NULL;

	thaw_buf_init(&walk->done, PATH_MAX - 1);
	if (path[0] != '/') {
		here = getcwd(NULL, 0);
		if (!here)
			return -errno;
		if (strcmp(here, "/") != 0 && thaw_buf_adds(&walk->done, here))
			return walk->done.error;
	}
	walk->rest = strdup(path);
	return walk->rest ? 0 : -ENOMEM;
}

int thaw_path_resolve(const char *path, char **ret)
{
	struct walk walk = {.links = 0};
	char *done = NULL;
	int rc;

	if (!*path)
		return -ENOENT;
	rc = start(&walk, path);
	if (!rc)
		rc = walk_all(&walk);
	if (!rc && !walk.done.len)
		rc = thaw_buf_adds(&walk.done, "/");
	if (!rc) {
		done = thaw_buf_steal(&walk.done);
		rc = done ? 0 : -ENOMEM;
	}
	thaw_buf_release(&walk.done);
	free(walk.rest);
	if (!rc)
		*ret = done;
	return rc;
}
