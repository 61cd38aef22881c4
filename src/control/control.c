/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <thaw/control_proto.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/thread.h"
#include "control/server.h"

const struct thaw_control_limits thaw_control_default_limits = {
	.connections = THAW_CONTROL_CONNECTIONS,
	.connections_uid = THAW_CONTROL_CONNECTIONS_UID,
	.idle_ms = THAW_CONTROL_IDLE_MS,
	.list_wait_ms = THAW_CONTROL_LIST_WAIT_MS,
	.line_max = THAW_CONTROL_LINE_MAX,
};

static int watch(struct thaw_control *control, int fd, void *tag)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};

	return epoll_ctl(control->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_descriptors(struct thaw_control *control, const char *path, struct thaw_err *err)
{
	int rc;

	control->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (control->epoll < 0)
		return -errno;
	control->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (control->event < 0)
		return -errno;
	rc = thaw_socket_open(path, &control->socket, err);
	if (!rc)
		rc = watch(control, control->event, &control->event);
	if (!rc)
		rc = watch(control, control->socket.fd, control);
	return rc;
}

static int start_threads(struct thaw_control *control)
{
	int rc = 0;

	for (; !rc && control->threads < THAW_CONTROL_WORKERS; control->threads += !rc)
		rc = thaw_thread_start(&control->workers[control->threads], "control-work",
				       thaw_control_worker, control);
	if (rc)
		return rc;
	rc = thaw_thread_start(&control->poller, "control", thaw_control_poller, control);
	control->threads += !rc;
	return rc;
}

static void stop_threads(struct thaw_control *control)
{
	uint64_t one = 1;

	thaw_mutex_lock(&control->lock);
	control->stopping = true;
	thaw_cond_broadcast(&control->work);
	thaw_mutex_unlock(&control->lock);
	if (control->event >= 0 && write(control->event, &one, sizeof(one)) < 0)
		thaw_error("control: waking the poller: %s", strerrordesc_np(errno));
	if (control->threads > THAW_CONTROL_WORKERS)
		(void)pthread_join(control->poller, NULL);
	for (unsigned i = 0; i < control->threads && i < THAW_CONTROL_WORKERS; i++)
		(void)pthread_join(control->workers[i], NULL);
}

/* No thread of ours is left, but the engine may still hold waits. */
static void end_conversation(struct thaw_control *control, struct thaw_conn *conn)
{
	thaw_mutex_lock(&control->lock);
	thaw_control_unlink(control, conn);
	if (conn->state == THAW_CONN_PARKED) {
		thaw_mutex_unlock(&control->lock);
		bool ours = thaw_stage_cancel(control->stage, &conn->session.wait);

		thaw_mutex_lock(&control->lock);
		while (!ours && !conn->woken)
			thaw_cond_wait(&control->woken, &control->lock);
	}
	thaw_mutex_unlock(&control->lock);
	thaw_conn_free(conn);
}

static void close_descriptor(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

struct thaw_control *thaw_control_stop(struct thaw_control *control)
{
	if (!control)
		return NULL;
	stop_threads(control);
	thaw_socket_close(&control->socket);
	while (control->all)
		end_conversation(control, control->all);
	close_descriptor(control->event);
	close_descriptor(control->epoll);
	thaw_cond_destroy(&control->woken);
	thaw_cond_destroy(&control->work);
	thaw_mutex_destroy(&control->lock);
	free(control);
	return NULL;
}

int thaw_control_start_limited(struct thaw_stage *stage, const char *socket_path,
			       const struct thaw_control_limits *limits, struct thaw_control **ret,
			       struct thaw_err *err)
{
	struct thaw_control *control = calloc(1, sizeof(*control));
	struct thaw_err why = {""};
	int rc;

	if (!control)
		return -ENOMEM;
	*control = (struct thaw_control){
		.stage = stage, .limits = *limits, .socket.fd = -1, .epoll = -1, .event = -1};
	control->run_end = &control->run;
	thaw_mutex_init(&control->lock, THAW_RANK_CONTROL);
	thaw_cond_init(&control->work);
	thaw_cond_init(&control->woken);
	rc = open_descriptors(control, socket_path, &why);
	if (!rc)
		rc = start_threads(control);
	if (rc) {
		thaw_control_stop(control);
		return thaw_err_set(err, rc, "%s", why.text[0] ? why.text : strerrordesc_np(-rc));
	}
	*ret = control;
	return 0;
}

int thaw_control_start(struct thaw_stage *stage, const char *socket_path, struct thaw_control **ret,
		       struct thaw_err *err)
{
	return thaw_control_start_limited(stage, socket_path, &thaw_control_default_limits, ret,
					  err);
}
