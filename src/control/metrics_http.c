/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control/metrics_http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "control/metrics_fill.h"

#define CONNECTIONS 16u
#define TIMEOUT_S   10u
#define TEXT_MAX    (1024 * 1024)
#define HOST_ROOM   256 /* more than DNS allows */
#define PLAIN       "text/plain; charset=utf-8"
#define PROMETHEUS  "text/plain; version=0.0.4"

struct thaw_metrics_http {
	struct thaw_stage *stage; /* borrowed */
	struct MHD_Daemon *daemon;
	uint16_t port;
};

/* --- answers -------------------------------------------------------------- */

/* Takes the response; NULL: it could not be made, which closes the connection. */
static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status,
				     struct MHD_Response *response, const char *type)
{
	enum MHD_Result result = MHD_NO;

	if (!response)
		return MHD_NO;
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES)
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* text: a literal */
static enum MHD_Result send_line(struct MHD_Connection *connection, unsigned status,
				 const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

	if (response && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	return send_response(connection, status, response, PLAIN);
}

static enum MHD_Result send_metrics(struct thaw_stage *stage, struct MHD_Connection *connection)
{
	struct MHD_Response *response;
	struct thaw_buf buf;
	size_t len;
	char *text;

	thaw_buf_init(&buf, TEXT_MAX);
	if (thaw_metrics_text(stage, &buf)) {
		thaw_buf_release(&buf);
		return send_line(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
				 "The engine's state cannot be read; see the daemon's log.\n");
	}
	len = buf.len;
	text = thaw_buf_steal(&buf);
	response = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(text);
	return send_response(connection, MHD_HTTP_OK, response, PROMETHEUS);
}

/* Called once when the headers are there, for each piece of a body, and at the
 * end.  *seen is NULL the first time. */
static enum MHD_Result answer(void *ctx, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **seen)
{
	struct thaw_metrics_http *http = ctx;

	(void)version;
	(void)upload;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return send_line(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET.\n");
	if (!*seen || *upload_size) {
		*seen = http;
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/metrics") == 0)
		return send_metrics(http->stage, connection);
	if (strcmp(url, "/") == 0)
		return send_line(connection, MHD_HTTP_OK, "thawfs: see /metrics\n");
	return send_line(connection, MHD_HTTP_NOT_FOUND, "Nothing is here; see /metrics\n");
}

/* --- the listening socket ------------------------------------------------- */

static const char *mend_of(int rc)
{
	switch (-rc) {
	case EADDRINUSE:
		return "choose another port, or end what listens there";
	case EACCES:
		return "choose a port above 1023";
	case EADDRNOTAVAIL:
		return "choose an address of this machine";
	default:
		return "choose another address, or leave metrics out";
	}
}

static int listen_at(const struct addrinfo *at)
{
	_cleanup_close_ int fd =
		socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* [::] would take the IPv4 port of another service, too. */
	if (at->ai_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
		return -errno;
	if (bind(fd, at->ai_addr, at->ai_addrlen) < 0 || listen(fd, CONNECTIONS) < 0)
		return -errno;
	return thaw_steal_fd(&fd);
}

/* Of a name's addresses the first that this machine has. */
static int listen_at_first(const struct addrinfo *at)
{
	int fd;

	do {
		fd = listen_at(at);
		at = at->ai_next;
	} while (at && (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL));
	return fd;
}

static int split(const char *host_port, char host[HOST_ROOM], const char **ret_port)
{
	const char *colon = strrchr(host_port, ':');
	size_t len = colon ? (size_t)(colon - host_port) : 0;

	if (len > 2 && host_port[0] == '[' && host_port[len - 1] == ']') {
		host_port++;
		len -= 2;
	}
	if (!len || len >= HOST_ROOM)
		return -EINVAL;
	memcpy(host, host_port, len);
	host[len] = '\0';
	*ret_port = colon + 1;
	return 0;
}

static int open_socket(const char *host_port, struct thaw_err *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found;
	char host[HOST_ROOM];
	const char *port;
	int rc;

	if (split(host_port, host, &port))
		return thaw_err_set(err, -EINVAL,
				    "metrics = %s: is not HOST:PORT; write 127.0.0.1:9469",
				    host_port);
	rc = getaddrinfo(host, port, &hints, &found);
	if (rc)
		return thaw_err_set(err, -EADDRNOTAVAIL, "metrics = %s: %s; %s", host_port,
				    gai_strerror(rc), mend_of(-EADDRNOTAVAIL));
	rc = listen_at_first(found);
	freeaddrinfo(found);
	if (rc < 0)
		return thaw_err_set(err, rc, "metrics = %s: %s; %s", host_port,
				    strerrordesc_np(-rc), mend_of(rc));
	return rc;
}

static uint16_t port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} at = {0};
	socklen_t len = sizeof(at);

	if (getsockname(fd, &at.any, &len) < 0)
		return 0;
	return ntohs(at.any.sa_family == AF_INET6 ? at.in6.sin6_port : at.in.sin_port);
}

/* --- start and stop ------------------------------------------------------- */

/* The thread is the library's; it inherits the mask: signals belong to main. */
static struct MHD_Daemon *start_deaf(struct thaw_metrics_http *http, int fd)
{
	struct MHD_Daemon *daemon;
	sigset_t block, saved;

	(void)sigfillset(&block);
	(void)sigdelset(&block, SIGSEGV);
	(void)sigdelset(&block, SIGBUS);
	(void)sigdelset(&block, SIGABRT);
	(void)pthread_sigmask(SIG_SETMASK, &block, &saved);
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL,
				  answer, http, MHD_OPTION_LISTEN_SOCKET, fd,
				  MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
				  MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, MHD_OPTION_END);
	(void)pthread_sigmask(SIG_SETMASK, &saved, NULL);
	return daemon;
}

int thaw_metrics_http_start(struct thaw_stage *stage, const char *host_port,
			    struct thaw_metrics_http **ret, struct thaw_err *err)
{
	_cleanup_free_ struct thaw_metrics_http *http = calloc(1, sizeof(*http));
	int fd;

	if (!http)
		return thaw_err_set(err, -ENOMEM, "metrics: out of memory");
	fd = open_socket(host_port, err);
	if (fd < 0)
		return fd;
	http->stage = stage;
	http->port = port_of(fd);
	/* The socket is the library's from here on; whether it is closed on failure
	 * depends on how far it came, so that it may be left open, not closed twice. */
	http->daemon = start_deaf(http, fd);
	if (!http->daemon)
		return thaw_err_set(err, -EIO,
				    "metrics = %s: the HTTP server did not start; look at the "
				    "limits of threads and open files",
				    host_port);
	*ret = thaw_steal(&http);
	return 0;
}

struct thaw_metrics_http *thaw_metrics_http_stop(struct thaw_metrics_http *http)
{
	if (http)
		MHD_stop_daemon(http->daemon);
	free(http);
	return NULL;
}

uint16_t thaw_metrics_http_port(const struct thaw_metrics_http *http)
{
	return http->port;
}
