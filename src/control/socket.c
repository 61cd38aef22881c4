/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/path.h"

#define BACKLOG 64

static int set_address(const char *path, struct sockaddr_un *ret, struct thaw_err *err)
{
	size_t len = strlen(path);

	if (len >= sizeof(ret->sun_path))
		return thaw_err_set(
			err, -ENAMETOOLONG,
			"socket %s: its path is longer than %zu bytes; set another with "
			"socket=FILE",
			path, sizeof(ret->sun_path) - 1);
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path, path, len + 1);
	return 0;
}

/* The umask does not count for a directory that others must pass. */
static int make_directory(const char *path, struct thaw_err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir =
		slash && slash > path ? strndup(path, (size_t)(slash - path)) : NULL;
	int rc;

	if (!dir || access(dir, F_OK) == 0)
		return 0;
	rc = thaw_path_make(dir, 0755);
	if (!rc && chmod(dir, 0755) < 0)
		rc = -errno;
	if (rc)
		thaw_err_set(err, rc, "socket directory %s: %s", dir, strerrordesc_np(-rc));
	return rc;
}

/* Does a daemon answer?  A full backlog is an answer too. */
static int try_connect(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return 0;
	return errno == EAGAIN ? 0 : -errno;
}

/* Makes place: nothing there, or what a dead daemon left. */
static int clear_place(const struct sockaddr_un *address, struct thaw_err *err)
{
	const char *path = address->sun_path;
	struct stat st;
	int rc;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0
				       : thaw_err_set(err, -errno, "socket %s: %s", path,
						      strerrordesc_np(errno));
	if (!S_ISSOCK(st.st_mode))
		return thaw_err_set(err, -EEXIST, "socket %s: something else has that name", path);
	rc = try_connect(address);
	if (rc == 0)
		return thaw_err_set(
			err, -EADDRINUSE,
			"socket %s: another daemon answers there; end it or set another "
			"with socket=FILE",
			path);
	if (rc != -ECONNREFUSED && rc != -ENOENT)
		return thaw_err_set(err, rc, "socket %s: %s", path, strerrordesc_np(-rc));
	if (unlink(path) < 0 && errno != ENOENT)
		return thaw_err_set(err, -errno, "socket %s: cannot remove the old one: %s", path,
				    strerrordesc_np(errno));
	return 0;
}

static int bind_and_listen(int fd, const struct sockaddr_un *address, struct stat *ret_st)
{
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -errno;
	if (lstat(address->sun_path, ret_st) < 0 || chmod(address->sun_path, 0666) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		int rc = -errno;

		(void)unlink(address->sun_path);
		return rc;
	}
	return 0;
}

int thaw_socket_open(const char *path, struct thaw_socket *ret, struct thaw_err *err)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *copy = strdup(path);
	struct sockaddr_un address;
	struct stat st;
	int rc;

	if (!copy)
		return -ENOMEM;
	rc = set_address(path, &address, err);
	if (!rc)
		rc = make_directory(path, err);
	if (!rc)
		rc = clear_place(&address, err);
	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	rc = fd < 0 ? -errno : bind_and_listen(fd, &address, &st);
	if (rc)
		return thaw_err_set(err, rc, "socket %s: %s", path, strerrordesc_np(-rc));
	*ret = (struct thaw_socket){.path = thaw_steal(&copy), .dev = st.st_dev, .ino = st.st_ino};
	ret->fd = thaw_steal_fd(&fd);
	return 0;
}

void thaw_socket_close(struct thaw_socket *sock)
{
	struct stat st;

	if (sock->fd < 0)
		return;
	if (lstat(sock->path, &st) == 0 && st.st_dev == sock->dev && st.st_ino == sock->ino)
		(void)unlink(sock->path);
	(void)close(sock->fd);
	free(sock->path);
	*sock = (struct thaw_socket){.fd = -1};
}
