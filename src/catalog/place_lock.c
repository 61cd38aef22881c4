/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "catalog/place.h"

#define LOCK_NAME_LIMIT 4096

/*
 * After umount(8) returns the daemon still has to write down what it knows; a
 * new one that comes then waits for it: for a daemon that says it is going,
 * as long as that may take; for any other, the moment between the unmount and
 * its noticing.
 */
#define WAIT_NS (800 * THAW_NS_PER_MS)
#define WAIT_STOPPING_NS (60 * THAW_NS_PER_S)
#define PAUSE_NS (10 * THAW_NS_PER_MS)
#define STOPPING "stopping"

static int say_busy(const char *path, int fd, struct thaw_err *err)
{
	char pid[32];
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strspn(pid, "0123456789")] = '\0';
	return thaw_err_set(err, -EBUSY, "%s: in use by another thawfs (pid %s)", path,
			    *pid ? pid : "unknown");
}

static bool is_stopping(int fd)
{
	char text[64];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return strstr(text, STOPPING);
}

/* 0, -EWOULDBLOCK after waiting, or another error. */
static int take_lock(int fd)
{
	int64_t start = thaw_clock_mono_ns();

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		int64_t waited = thaw_clock_mono_ns() - start;

		if (errno != EWOULDBLOCK)
			return -errno;
		if (waited > (is_stopping(fd) ? WAIT_STOPPING_NS : WAIT_NS))
			return -EWOULDBLOCK;
		(void)nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	return 0;
}

static int write_pid(int fd, const char *word)
{
	char pid[64];
	int len = snprintf(pid, sizeof(pid), "%ld%s%s\n", (long)getpid(), *word ? " " : "", word);

	if (ftruncate(fd, 0) || pwrite(fd, pid, (size_t)len, 0) != len)
		return -errno;
	return 0;
}

/* The file stays when the lock goes: removing it would let two daemons hold locks on two files. */
int thaw_place_lock(const char *path, int *ret_fd, struct thaw_err *err)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *name = NULL;
	struct thaw_buf buf;
	int rc;

	thaw_buf_init(&buf, LOCK_NAME_LIMIT + 16);
	(void)thaw_buf_addf(&buf, "%s.lock", path);
	name = thaw_buf_steal(&buf);
	thaw_buf_release(&buf);
	if (!name)
		return -ENOMEM;
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		rc = -errno;
		return thaw_err_set(err, rc, "%s: %s", name, strerror(-rc));
	}
	rc = take_lock(fd);
	if (rc == -EWOULDBLOCK)
		return say_busy(path, fd, err);
	if (rc)
		return thaw_err_set(err, rc, "%s: lock: %s", name, strerror(-rc));
	rc = write_pid(fd, "");
	if (rc)
		return thaw_err_set(err, rc, "%s: %s", name, strerror(-rc));
	*ret_fd = thaw_steal_fd(&fd);
	return 0;
}

void thaw_place_stopping(int fd)
{
	(void)write_pid(fd, STOPPING); /* if that fails the next one waits less long */
}
