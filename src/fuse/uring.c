/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/uring.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"

#define PARAMETER   "/sys/module/fuse/parameters/enable_uring"
#define INIT_PID_NS 0xeffffffc /* PROC_PID_INIT_INO */

/* Requests that wait for a recall keep their entry, so a queue is deep; an
 * entry takes two mappings of which only what is used is backed by memory. */
#define DEPTH_MOST  1024
#define DEPTH_LEAST 64
#define DEPTH_ALL   16384

unsigned thaw_uring_depth(int cpus)
{
	unsigned depth = DEPTH_ALL / (cpus > 0 ? (unsigned)cpus : 1);

	if (depth > DEPTH_MOST)
		return DEPTH_MOST;
	return depth < DEPTH_LEAST ? DEPTH_LEAST : depth;
}

#ifdef HAVE_FUSE_IO_URING
/* 'Y' or 'N', or 0: this kernel has none. */
static char kernel_switch(void)
{
	_cleanup_close_ int fd = open(PARAMETER, O_RDONLY | O_CLOEXEC);
	char c;

	return fd >= 0 && read(fd, &c, 1) == 1 ? c : 0;
}

static bool switch_on(void)
{
	_cleanup_close_ int fd = open(PARAMETER, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "Y", 1) == 1;
}

static bool sees_every_thread(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == INIT_PID_NS;
}

static int insist(char now, struct thaw_err *err)
{
	if (now == 0)
		return thaw_err_set(err, -ENOTSUP,
				    "io_uring=on: this kernel has no FUSE over io_uring "
				    "(Linux 6.14 or newer); use io_uring=auto");
	if (now != 'Y' && !switch_on())
		return thaw_err_set(err, -EPERM,
				    "io_uring=on: cannot write Y to %s: start as root or have "
				    "the administrator do it",
				    PARAMETER);
	if (!sees_every_thread())
		thaw_warn("io_uring in a pid namespace: readers outside of it cannot be "
			  "interrupted while they wait for a file");
	return 0;
}
#endif

int thaw_uring_decide(enum thaw_tristate wish, bool *ret, unsigned *ret_depth, struct thaw_err *err)
{
	*ret_depth = thaw_uring_depth(get_nprocs_conf());
#ifdef HAVE_FUSE_IO_URING
	char now = wish == THAW_OFF ? 0 : kernel_switch();
	int r;

	if (wish == THAW_ON) {
		r = insist(now, err);
		if (r < 0)
			return r;
	}
	*ret = wish == THAW_ON || (wish == THAW_AUTO && now == 'Y' && sees_every_thread());
	if (wish == THAW_AUTO && now == 'N')
		thaw_info("io_uring=on would open small files about twice as fast");
	return 0;
#else
	if (wish == THAW_ON)
		return thaw_err_set(err, -ENOTSUP,
				    "io_uring=on: built with a libfuse that has no io_uring "
				    "(3.18.2 or newer); use io_uring=auto");
	*ret = false;
	return 0;
#endif
}
