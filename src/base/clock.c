/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec now;

	(void)clock_gettime(id, &now); /* cannot fail for these two */
	return now.tv_sec * THAW_NS_PER_S + now.tv_nsec;
}

int64_t thaw_clock_mono_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t thaw_clock_real_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t thaw_clock_real_s(void)
{
	return read_clock(CLOCK_REALTIME) / THAW_NS_PER_S;
}
