/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * resolve.c - from a path to a node, asking on the way whether the peer may
 * go there, and having directories listed that nobody has looked into yet.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "control/session.h"
#include "stage/names.h"

/* In a row without an answer: more than a path has parts, so that an engine
 * which contradicts itself is not asked for ever. */
#define LISTINGS_MAX 4096

struct walk {
	const struct thaw_peer *peer;
	unsigned need;
	uint64_t last_dir; /* deepest directory that was entered */
	enum thaw_listed listed;
};

static int check(void *ctx, const struct thaw_node *node, bool last)
{
	struct walk *walk = ctx;

	if (!thaw_peer_may(walk->peer, node, last ? walk->need : THAW_MAY_SEARCH))
		return -EACCES;
	if (!last) {
		walk->last_dir = node->id;
		walk->listed = node->listed;
	}
	return 0;
}

/* The engine knows no "..", the client should have; as a plain name it would
 * only give a puzzling ENOENT. */
static bool has_dot_dot(const char *path, size_t len)
{
	for (size_t at = 0; at < len;) {
		const char *slash = memchr(path + at, '/', len - at);
		size_t part = slash ? (size_t)(slash - path) - at : len - at;

		if (part == 2 && memcmp(path + at, "..", 2) == 0)
			return true;
		at += part + 1;
	}
	return false;
}

void thaw_session_found(struct thaw_session *session)
{
	session->wake_status = 0;
	session->listings = 0;
}

int thaw_session_want_dir(struct thaw_session *session, uint64_t dir, struct thaw_err *err)
{
	int rc = session->wake_status;

	session->wake_status = 0;
	if (++session->listings > LISTINGS_MAX)
		return thaw_err_set(err, -EAGAIN, "its directory does not become known");
	if (!rc) {
		session->wait.uid = session->peer.uid;
		session->wait.pid = session->peer.pid;
		rc = thaw_stage_want_dir(session->stage, dir, &session->wait);
	}
	if (rc == -ETIMEDOUT)
		return thaw_err_set(err, -EAGAIN,
				    "its directory has not been listed yet; try again later");
	return rc;
}

/* A name that is not in a directory nobody has listed is unknown, not absent. */
static int resolve(struct thaw_session *session, const char *path, size_t len, struct walk *walk,
		   struct thaw_node *ret)
{
	int rc = thaw_stage_resolve(session->stage, path, len, check, walk, ret);

	if (rc != -ENOENT || walk->listed == THAW_LISTED || !walk->last_dir)
		return rc;
	return walk->listed == THAW_UNLISTED ? -EINPROGRESS : -EIO;
}

/* Length of the directory part, without its slash; 0: at the top, or the path
 * does not end in a plain name. */
static size_t directory_part(const char *path, size_t len)
{
	const char *slash = memrchr(path, '/', len);
	size_t name = slash ? len - (size_t)(slash - path) - 1 : 0;

	if (!name || (name == 1 && slash[1] == '.'))
		return 0;
	return (size_t)(slash - path);
}

void thaw_session_leave_dir(struct thaw_session *session)
{
	free(session->entered.path);
	session->entered = (struct thaw_entered){.path = NULL};
}

static void remember_dir(struct thaw_session *session, const char *path, size_t len, uint64_t dir)
{
	thaw_session_leave_dir(session);
	if (!len || !dir)
		return;
	session->entered.path = strndup(path, len); /* without it only slower */
	session->entered.len = len;
	session->entered.dir = dir;
}

static bool is_entered(const struct thaw_session *session, const char *path, size_t len)
{
	const struct thaw_entered *entered = &session->entered;

	return entered->path && entered->len == len && memcmp(entered->path, path, len) == 0;
}

/* One name in the directory of the path before. */
static int look_up_in_entered(struct thaw_session *session, const char *name, size_t len,
			      struct walk *walk, struct thaw_node *ret)
{
	int rc = thaw_stage_lookup(session->stage, session->entered.dir, name, len, ret);

	walk->last_dir = session->entered.dir;
	return rc ? rc : check(walk, ret, true);
}

static int resolve_once(struct thaw_session *session, const char *path, size_t len,
			struct walk *walk, struct thaw_node *ret)
{
	size_t dir = directory_part(path, len);
	int rc;

	if (dir && is_entered(session, path, dir))
		return look_up_in_entered(session, path + dir + 1, len - dir - 1, walk, ret);
	rc = resolve(session, path, len, walk, ret);
	if (!rc)
		remember_dir(session, path, dir, walk->last_dir);
	return rc;
}

int thaw_session_resolve(struct thaw_session *session, const char *path, size_t len, unsigned need,
			 struct thaw_node *ret, struct thaw_err *err)
{
	struct walk walk = {.peer = &session->peer, .need = need};
	struct thaw_node node;
	int rc;

	if (has_dot_dot(path, len))
		return thaw_err_set(err, -EINVAL, "\"..\" is not taken: send the resolved path");
	do {
		rc = resolve_once(session, path, len, &walk, &node);
		if (rc == -EINPROGRESS)
			rc = thaw_session_want_dir(session, walk.last_dir, err);
		else
			thaw_session_found(session);
		if (!rc && !session->listings)
			*ret = node;
	} while (!rc && session->listings);
	return rc;
}

bool thaw_session_reaches(struct thaw_session *session, const char *path, size_t len)
{
	struct walk walk = {.peer = &session->peer};
	struct thaw_node node;

	return session->peer.privileged || resolve(session, path, len, &walk, &node) == 0;
}
