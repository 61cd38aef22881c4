/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cleanup.h - release on leaving scope, and handing ownership over.
 *
 * _cleanup_(fn) calls fn(&variable) when the variable leaves scope.  fn keeps
 * errno.  thaw_steal() takes a pointer out of such a variable.
 */
#ifndef THAW_BASE_CLEANUP_H
#define THAW_BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _cleanup_free_ _cleanup_(thaw_cleanup_free)
#define _cleanup_close_ _cleanup_(thaw_cleanup_close)

/* Defines NAME_cleanup(TYPE **p) that calls FREE(*p): for _cleanup_(). */
#define THAW_DEFINE_CLEANUP(type, free_fn)                                     \
	static inline void free_fn##_cleanup(type **p)                         \
	{                                                                      \
		if (*p)                                                        \
			free_fn(*p);                                           \
	}                                                                      \
	struct thaw_swallow_semicolon

#define thaw_steal(pp)                                                         \
	({                                                                     \
		__typeof__(*(pp)) stolen_ = *(pp);                             \
		*(pp) = NULL;                                                  \
		stolen_;                                                       \
	})

static inline int thaw_steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

static inline void thaw_cleanup_free(void *pp)
{
	int saved = errno;

	free(*(void **)pp);
	errno = saved;
}

static inline void thaw_cleanup_close(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

#endif
