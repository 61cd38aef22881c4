/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/sigwait.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static uint64_t field(const char *status, const char *name, int base)
{
	const char *at = strstr(status, name);

	return at ? strtoull(at + strlen(name), NULL, base) : 0;
}

enum thaw_sigwait thaw_sigwait_parse(const char *status, pid_t tid)
{
	uint64_t own = field(status, "\nSigPnd:", 16);
	uint64_t shared = field(status, "\nShdPnd:", 16);
	uint64_t blocked = field(status, "\nSigBlk:", 16);
	uint64_t kill = UINT64_C(1) << (SIGKILL - 1);
	uint64_t tgid = field(status, "\nTgid:", 10);

	if ((own | shared) & kill || own & ~blocked)
		return THAW_SIGWAIT_OWN;
	if (shared & ~blocked) /* the kernel offers it to the main thread first */
		return tgid == (uint64_t)tid ? THAW_SIGWAIT_OWN : THAW_SIGWAIT_SHARED;
	return THAW_SIGWAIT_NONE;
}

enum thaw_sigwait thaw_sigwait_of(pid_t tid)
{
	_cleanup_close_ int fd = -1;
	char path[32], text[16384]; /* a thousand groups come first */
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* Not to be seen is not to be dead: another pid namespace, hidepid. */
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return THAW_SIGWAIT_NONE;
	text[n] = '\0';
	return thaw_sigwait_parse(text, tid);
}
