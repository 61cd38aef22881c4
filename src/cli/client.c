/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "control/lines.h"
#include "control/wire.h"

#define LINE_MAX_BYTES (16 * 1024 * 1024)
#define ERRNO_MAX      200

struct thaw_client {
	int fd;
	struct thaw_lines in;
};

int thaw_client_open(const char *path, struct thaw_client **ret, struct thaw_err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	struct thaw_client *client;
	size_t len = strlen(path);

	if (len >= sizeof(address.sun_path))
		return thaw_err_set(err, -ENAMETOOLONG, "the socket's path is too long");
	memcpy(address.sun_path, path, len + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int rc = -errno;
		bool dead = rc == -ECONNREFUSED || rc == -ENOENT;

		return thaw_err_set(err, rc, "the daemon cannot be reached: %s%s", strerror(-rc),
				    dead ? " (does it run?)" : "");
	}
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->fd = thaw_steal_fd(&fd);
	thaw_lines_init(&client->in, LINE_MAX_BYTES);
	*ret = client;
	return 0;
}

struct thaw_client *thaw_client_close(struct thaw_client *client)
{
	if (client) {
		(void)close(client->fd);
		thaw_lines_release(&client->in);
		free(client);
	}
	return NULL;
}

static int lost(struct thaw_err *err)
{
	return thaw_err_set(err, -ECONNRESET, "the daemon hung up");
}

static int send_all(struct thaw_client *client, const char *data, size_t len, struct thaw_err *err)
{
	while (len) {
		ssize_t n = send(client->fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) /* it may have said why before it went: read on */
			return errno == EPIPE || errno == ECONNRESET ? 0 : lost(err);
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int send_request(struct thaw_client *client, json_t *request, struct thaw_err *err)
{
	struct thaw_buf line;
	int rc;

	thaw_buf_init(&line, LINE_MAX_BYTES);
	rc = request ? thaw_wire_line(request, &line) : -ENOMEM;
	json_decref(request);
	if (!rc)
		rc = send_all(client, line.data, line.len, err);
	thaw_buf_release(&line);
	return rc;
}

static int read_line(struct thaw_client *client, json_t **ret, struct thaw_err *err)
{
	char *line;
	size_t len, room;
	int rc;

	while ((rc = thaw_lines_next(&client->in, &line, &len)) == 0) {
		char *at = thaw_lines_room(&client->in, &room);
		ssize_t n = at ? recv(client->fd, at, room, 0) : -1;

		if (!at)
			return -ENOMEM;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return lost(err);
		thaw_lines_filled(&client->in, (size_t)n);
	}
	*ret = rc < 0 ? NULL : json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	return *ret ? 0 : thaw_err_set(err, -EPROTO, "the daemon's answer makes no sense");
}

int thaw_client_errno(const char *name)
{
	for (int i = 1; name && i < ERRNO_MAX; i++) {
		const char *known = strerrorname_np(i);

		if (known && strcmp(known, name) == 0)
			return i;
	}
	return EIO;
}

int thaw_client_error(const json_t *holder, struct thaw_err *err)
{
	const json_t *error = json_object_get(holder, "error");
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *text = json_string_value(json_object_get(error, "text"));

	if (!error)
		return 0;
	return thaw_err_set(err, -thaw_client_errno(code), "%s",
			    text   ? text
			    : code ? code
				   : "failed");
}

int thaw_client_ask(struct thaw_client *client, json_t *request,
		    int (*item)(void *ctx, json_t *item), void *ctx, json_t **ret_ok,
		    struct thaw_err *err)
{
	int rc = send_request(client, request, err), from_item = 0;
	json_t *line = NULL;

	while (!rc) {
		json_t *one;

		rc = read_line(client, &line, err);
		one = rc ? NULL : json_object_get(line, "item");
		if (!one)
			break;
		if (item && !from_item)
			from_item = item(ctx, one);
		json_decref(line);
	}
	if (rc)
		return rc;
	rc = thaw_client_error(line, err);
	if (!rc && from_item)
		rc = from_item;
	if (!rc && ret_ok)
		*ret_ok = json_incref(line);
	json_decref(line);
	return rc;
}
