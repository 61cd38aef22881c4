/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * poller.c - the thread that accepts, notices sockets that became ready, and
 * ends what took too long.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/op.h"
#include "control/server.h"

#define EVENTS 32
/* Kept for root and the daemon's user: an eighth. */
#define RESERVED(limits) ((limits)->connections / 8)

/* --- new connections ------------------------------------------------------ */

static unsigned connections_of(const struct thaw_control *control, uid_t uid)
{
	unsigned n = 0;

	for (const struct thaw_conn *at = control->all; at; at = at->next)
		n += at->session.peer.uid == uid;
	return n;
}

/* With the lock held. */
static bool has_place(const struct thaw_control *control, const struct thaw_peer *peer)
{
	const struct thaw_control_limits *limits = &control->limits;

	if (peer->privileged)
		return control->count < limits->connections;
	return control->count < limits->connections - RESERVED(limits) &&
	       connections_of(control, peer->uid) < limits->connections_uid;
}

/* With the lock held. */
static int add(struct thaw_control *control, struct thaw_conn *conn)
{
	int rc;

	if (control->stopping || !has_place(control, &conn->session.peer))
		return -EBUSY;
	conn->deadline_ns = thaw_clock_mono_ns() + control->limits.idle_ms * THAW_NS_PER_MS;
	rc = thaw_control_arm(control, conn, EPOLL_CTL_ADD, EPOLLIN);
	if (rc)
		return rc;
	conn->next = control->all;
	if (conn->next)
		conn->next->prev = conn;
	control->all = conn;
	control->count++;
	return 0;
}

/* Says why, as far as the socket's own buffer goes. */
static void turn_away(struct thaw_conn *conn, int rc)
{
	static struct thaw_log_limit limit;
	struct thaw_buf *out = &conn->session.out;

	thaw_log_limited(&limit, LOG_WARNING, "control: connection of uid %u refused: %s",
			 conn->session.peer.uid, strerrordesc_np(-rc));
	thaw_reply_error(&conn->session, rc, "too many connections; try again later");
	(void)send(conn->fd, out->data, out->len, MSG_NOSIGNAL | MSG_DONTWAIT);
	thaw_conn_free(conn);
}

static void welcome(struct thaw_control *control, int fd)
{
	struct thaw_conn *conn = thaw_conn_new(fd, control->stage, control->limits.line_max);
	int rc;

	if (!conn)
		return;
	conn->control = control;
	conn->session.wait.done = thaw_control_dir_listed;
	thaw_mutex_lock(&control->lock);
	rc = add(control, conn);
	thaw_mutex_unlock(&control->lock);
	if (rc)
		turn_away(conn, rc);
}

static void accept_all(struct thaw_control *control)
{
	static struct thaw_log_limit limit;

	for (;;) {
		int fd = accept4(control->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			welcome(control, fd);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		thaw_log_limited(&limit, LOG_ERR, "control: accept: %s", strerrordesc_np(errno));
		(void)usleep(50000); /* no descriptors: the socket stays ready, do not spin */
		return;
	}
}

/* --- time limits ---------------------------------------------------------- */

/* Unlinks a connection that was silent for too long.  With the lock held. */
static struct thaw_conn *take_idle(struct thaw_control *control, int64_t now)
{
	for (struct thaw_conn *at = control->all; at; at = at->next) {
		if (at->state == THAW_CONN_WAITING && at->deadline_ns <= now) {
			thaw_control_unlink(control, at);
			return at;
		}
	}
	return NULL;
}

static struct thaw_conn *take_overdue(struct thaw_control *control, int64_t now)
{
	for (struct thaw_conn *at = control->all; at; at = at->next) {
		if (at->state == THAW_CONN_PARKED && at->deadline_ns <= now) {
			at->state = THAW_CONN_CANCELLING;
			return at;
		}
	}
	return NULL;
}

/* Takes it back from the engine; too late when done() is on its way. */
static void end_wait(struct thaw_control *control, struct thaw_conn *conn)
{
	bool ours;

	thaw_mutex_unlock(&control->lock);
	ours = thaw_stage_cancel(control->stage, &conn->session.wait);
	thaw_mutex_lock(&control->lock);
	if (ours)
		conn->session.wake_status = -ETIMEDOUT;
	if (ours || conn->woken) {
		thaw_control_make_ready(control, conn);
		return;
	}
	conn->state = THAW_CONN_PARKED;
	conn->deadline_ns = INT64_MAX;
}

static void sweep(struct thaw_control *control)
{
	int64_t now = thaw_clock_mono_ns();
	struct thaw_conn *conn;

	thaw_mutex_lock(&control->lock);
	while ((conn = take_overdue(control, now)))
		end_wait(control, conn);
	while ((conn = take_idle(control, now))) {
		thaw_mutex_unlock(&control->lock);
		thaw_conn_free(conn);
		thaw_mutex_lock(&control->lock);
	}
	thaw_mutex_unlock(&control->lock);
}

/* How long the poller may sleep: for ever when nobody is there. */
static int patience_ms(struct thaw_control *control)
{
	const struct thaw_control_limits *limits = &control->limits;
	int shortest =
		limits->idle_ms < limits->list_wait_ms ? limits->idle_ms : limits->list_wait_ms;
	unsigned count;

	thaw_mutex_lock(&control->lock);
	count = control->count;
	thaw_mutex_unlock(&control->lock);
	if (!count)
		return -1;
	return shortest / 4 < 1000 ? shortest / 4 + 1 : 1000;
}

/* --- the loop ------------------------------------------------------------- */

static bool stopping(struct thaw_control *control)
{
	bool answer;

	thaw_mutex_lock(&control->lock);
	answer = control->stopping;
	thaw_mutex_unlock(&control->lock);
	return answer;
}

static void dispatch(struct thaw_control *control, const struct epoll_event *event)
{
	if (event->data.ptr == &control->event)
		return; /* stopping was set */
	if (event->data.ptr == control) {
		accept_all(control);
		return;
	}
	thaw_mutex_lock(&control->lock);
	thaw_control_make_ready(control, event->data.ptr);
	thaw_mutex_unlock(&control->lock);
}

void *thaw_control_poller(void *ctx)
{
	struct thaw_control *control = ctx;
	struct epoll_event events[EVENTS];

	while (!stopping(control)) {
		int n = epoll_wait(control->epoll, events, EVENTS, patience_ms(control));

		for (int i = 0; i < n; i++)
			dispatch(control, &events[i]);
		sweep(control);
	}
	return NULL;
}
