/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/op.h"

/* So much of an answer is gathered before it is sent. */
#define OUT_HIGH (128 * 1024)
#define TURN_NS  (20 * THAW_NS_PER_MS)

struct thaw_conn *thaw_conn_new(int fd, struct thaw_stage *stage, size_t line_max)
{
	struct thaw_conn *conn = calloc(1, sizeof(*conn));

	if (!conn) {
		(void)close(fd);
		return NULL;
	}
	conn->fd = fd;
	thaw_session_init(&conn->session, stage);
	thaw_lines_init(&conn->in, line_max);
	if (thaw_peer_of(fd, &conn->session.peer))
		return thaw_conn_free(conn);
	return conn;
}

struct thaw_conn *thaw_conn_free(struct thaw_conn *conn)
{
	if (conn) {
		thaw_session_release(&conn->session);
		thaw_lines_release(&conn->in);
		(void)close(conn->fd);
		free(conn);
	}
	return NULL;
}

static size_t unsent(const struct thaw_conn *conn)
{
	return conn->session.out.len - conn->sent;
}

/* 0: all is sent; -EAGAIN: the peer does not take more now. */
static int flush(struct thaw_conn *conn)
{
	while (unsent(conn)) {
		ssize_t n = send(conn->fd, conn->session.out.data + conn->sent, unsent(conn),
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		conn->sent += (size_t)n;
		conn->progressed = true;
	}
	if (conn->session.out.error)
		return conn->session.out.error;
	thaw_buf_clear(&conn->session.out);
	conn->sent = 0;
	return 0;
}

enum advance { ADVANCED, NEEDS_INPUT, PARKED, AT_END };

static enum advance read_more(struct thaw_conn *conn)
{
	size_t room;
	char *at = thaw_lines_room(&conn->in, &room);
	ssize_t n;

	if (!at)
		return AT_END;
	do
		n = recv(conn->fd, at, room, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? NEEDS_INPUT : AT_END;
	if (n == 0)
		conn->eof = true;
	thaw_lines_filled(&conn->in, (size_t)n);
	return ADVANCED;
}

static enum advance next_line(struct thaw_conn *conn)
{
	char *line;
	size_t len;
	int rc = thaw_lines_next(&conn->in, &line, &len);

	if (rc > 0) {
		conn->progressed = true;
		thaw_session_line(&conn->session, line, len);
		return ADVANCED;
	}
	if (rc < 0) { /* where the next line begins is not known */
		thaw_reply_error(&conn->session, rc, "the line is too long");
		conn->closing = true;
		return ADVANCED;
	}
	return conn->eof ? AT_END : read_more(conn);
}

/* A piece of whatever is to be done next. */
static enum advance advance(struct thaw_conn *conn)
{
	if (conn->session.job)
		return thaw_session_step(&conn->session) == THAW_STEP_PARKED ? PARKED : ADVANCED;
	return conn->closing ? AT_END : next_line(conn);
}

static enum thaw_conn_wants pause_at(struct thaw_conn *conn, enum advance why)
{
	int rc = flush(conn);

	if (rc && rc != -EAGAIN)
		return why == PARKED ? THAW_CONN_PARK : THAW_CONN_CLOSE;
	if (why == PARKED)
		return THAW_CONN_PARK;
	if (rc)
		return THAW_CONN_WRITE;
	if (why == ADVANCED)
		return THAW_CONN_TURN;
	return why == AT_END ? THAW_CONN_CLOSE : THAW_CONN_READ;
}

enum thaw_conn_wants thaw_conn_run(struct thaw_conn *conn)
{
	int64_t end_of_turn = thaw_clock_mono_ns() + TURN_NS;
	enum advance how = ADVANCED;
	int rc = 0;

	while (how == ADVANCED && thaw_clock_mono_ns() < end_of_turn) {
		if (unsent(conn) >= OUT_HIGH)
			rc = flush(conn);
		if (rc)
			return rc == -EAGAIN ? THAW_CONN_WRITE : THAW_CONN_CLOSE;
		how = advance(conn);
		if (conn->session.out.error && how != PARKED)
			return THAW_CONN_CLOSE;
	}
	return pause_at(conn, how);
}
