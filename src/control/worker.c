/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "control/server.h"

void thaw_control_make_ready(struct thaw_control *control, struct thaw_conn *conn)
{
	conn->state = THAW_CONN_READY;
	conn->run_next = NULL;
	*control->run_end = conn;
	control->run_end = &conn->run_next;
	thaw_cond_signal(&control->work);
}

static struct thaw_conn *take_ready(struct thaw_control *control)
{
	struct thaw_conn *conn = control->run;

	control->run = conn->run_next;
	if (!control->run)
		control->run_end = &control->run;
	conn->state = THAW_CONN_RUNNING;
	conn->woken = false;
	return conn;
}

void thaw_control_unlink(struct thaw_control *control, struct thaw_conn *conn)
{
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		control->all = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	control->count--;
}

int thaw_control_arm(struct thaw_control *control, struct thaw_conn *conn, int how, uint32_t events)
{
	struct epoll_event event = {.events = events | EPOLLONESHOT, .data.ptr = conn};

	conn->state = THAW_CONN_WAITING;
	return epoll_ctl(control->epoll, how, conn->fd, &event) < 0 ? -errno : 0;
}

void thaw_control_dir_listed(struct thaw_wait *wait, int status)
{
	struct thaw_conn *conn =
		(struct thaw_conn *)((char *)wait - offsetof(struct thaw_conn, session.wait));
	struct thaw_control *control = conn->control;

	thaw_mutex_lock(&control->lock);
	conn->session.wake_status = status;
	conn->woken = true;
	if (conn->state == THAW_CONN_PARKED)
		thaw_control_make_ready(control, conn);
	thaw_cond_broadcast(&control->woken);
	thaw_mutex_unlock(&control->lock);
}

static void park(struct thaw_control *control, struct thaw_conn *conn)
{
	if (conn->woken) { /* before we got here */
		thaw_control_make_ready(control, conn);
		return;
	}
	conn->state = THAW_CONN_PARKED;
	conn->deadline_ns = thaw_clock_mono_ns() + control->limits.list_wait_ms * THAW_NS_PER_MS;
}

/* Time is given anew for what was done, not for bytes that dribble in. */
static void wait_for_socket(struct thaw_control *control, struct thaw_conn *conn, uint32_t events)
{
	if (conn->progressed)
		conn->deadline_ns = thaw_clock_mono_ns() + control->limits.idle_ms * THAW_NS_PER_MS;
	conn->progressed = false;
	/* it cannot fail of a registered descriptor; the deadline would end it */
	(void)thaw_control_arm(control, conn, EPOLL_CTL_MOD, events);
}

/* With the lock held; false: it is the caller's to free. */
static bool settle(struct thaw_control *control, struct thaw_conn *conn, enum thaw_conn_wants wants)
{
	switch (wants) {
	case THAW_CONN_READ:
		wait_for_socket(control, conn, EPOLLIN);
		return true;
	case THAW_CONN_WRITE:
		wait_for_socket(control, conn, EPOLLOUT);
		return true;
	case THAW_CONN_TURN:
		thaw_control_make_ready(control, conn);
		return true;
	case THAW_CONN_PARK:
		park(control, conn);
		return true;
	case THAW_CONN_CLOSE:
		break;
	}
	thaw_control_unlink(control, conn);
	return false;
}

static void run_one(struct thaw_control *control, struct thaw_conn *conn)
{
	enum thaw_conn_wants wants;
	bool kept;

	thaw_mutex_unlock(&control->lock);
	wants = thaw_conn_run(conn);
	thaw_mutex_lock(&control->lock);
	kept = settle(control, conn, wants);
	if (kept)
		return;
	thaw_mutex_unlock(&control->lock);
	thaw_conn_free(conn);
	thaw_mutex_lock(&control->lock);
}

void *thaw_control_worker(void *ctx)
{
	struct thaw_control *control = ctx;

	thaw_mutex_lock(&control->lock);
	while (!control->stopping) {
		if (control->run)
			run_one(control, take_ready(control));
		else
			thaw_cond_wait(&control->work, &control->lock);
	}
	thaw_mutex_unlock(&control->lock);
	return NULL;
}
