/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The threads that take requests.
 *
 * Over /dev/fuse this is libfuse's loop.  With io_uring the requests come to
 * libfuse's own ring threads and /dev/fuse carries the rest (FORGET,
 * INTERRUPT), which is read here for two reasons: an INTERRUPT of a request
 * that came over the ring makes the watcher look (libfuse would not find it),
 * and libfuse's loop frees the rings when it ends, also those entries that
 * lend themselves to requests still parked when the connection is aborted.
 */
#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/thread.h"
#include "fuse/park.h"
#include "fuse/room.h"

/* Handlers never wait for an archive, so a few more than CPUs are enough. */
static unsigned threads_wanted(void)
{
	int cpus = get_nprocs();

	return cpus > 2 ? 2 * (unsigned)cpus : 4;
}

static int libfuse_loop(struct thaw_fuse *fuse)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int r;

	if (!config)
		return -ENOMEM;
	fuse_loop_cfg_set_clone_fd(config, 1);
	fuse_loop_cfg_set_max_threads(config, threads_wanted());
	r = fuse_session_loop_mt(fuse->session, config);
	fuse_loop_cfg_destroy(config);
	return r;
}

static void free_buf(void *arg)
{
	struct fuse_buf *buf = arg;

	free(buf->mem);
}

static bool is_interrupt(const struct fuse_buf *buf)
{
	const struct fuse_in_header *in = buf->mem;

	return !(buf->flags & FUSE_BUF_IS_FD) && buf->size >= sizeof(*in) &&
	       in->opcode == FUSE_INTERRUPT;
}

static void read_requests(struct thaw_fuse *fuse, struct fuse_buf *buf)
{
	while (!fuse_session_exited(fuse->session)) {
		int r;

		(void)pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
		r = fuse_session_receive_buf(fuse->session, buf);
		(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
		if (r == -EINTR || r == -EAGAIN)
			continue;
		if (r <= 0)
			break;
		if (is_interrupt(buf))
			thaw_park_kick(fuse->park);
		fuse_session_process_buf(fuse->session, buf);
	}
	fuse_session_exit(fuse->session);
}

static void *reader(void *arg)
{
	struct thaw_fuse *fuse = arg;
	struct fuse_buf buf = {0};

	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cleanup_push(free_buf, &buf);
	read_requests(fuse, &buf);
	pthread_cleanup_pop(1);
	(void)sem_post(&fuse->finish);
	return NULL;
}

static int own_loop(struct thaw_fuse *fuse)
{
	unsigned wanted = threads_wanted(), n = 0;
	pthread_t *threads = calloc(wanted, sizeof(*threads));
	int r = threads ? 0 : -ENOMEM;

	while (r == 0 && n < wanted) {
		r = thaw_thread_start(&threads[n], "thaw-fuse", reader, fuse);
		if (r == 0)
			n++;
	}
	while (n > 0 && !fuse_session_exited(fuse->session))
		(void)sem_wait(&fuse->finish);
	for (unsigned i = 0; i < n; i++) {
		(void)pthread_cancel(threads[i]);
		(void)pthread_join(threads[i], NULL);
	}
	free(threads);
	return n > 0 ? 0 : r;
}

static void *run(void *arg)
{
	struct thaw_fuse *fuse = arg;
	uint64_t one = 1;
	int r = fuse->uring ? own_loop(fuse) : libfuse_loop(fuse);

	if (r < 0)
		thaw_error("serving the mount ended with %s", thaw_err_name(-r));
	if (write(fuse->over_fd, &one, sizeof(one)) < 0)
		thaw_error("cannot tell that the mount ended: %s", thaw_err_name(errno));
	return NULL;
}

int thaw_loop_start(struct thaw_fuse *fuse)
{
	int r = thaw_thread_start(&fuse->loop, "thaw-fuse-main", run, fuse);

	fuse->looping = r == 0;
	return r;
}

void thaw_loop_stop(struct thaw_fuse *fuse)
{
	if (!fuse->looping)
		return;
	fuse_session_exit(fuse->session);
	(void)sem_post(&fuse->finish);
	(void)pthread_join(fuse->loop, NULL);
	fuse->looping = false;
}
