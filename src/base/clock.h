/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * clock.h - the two clocks, in nanoseconds.
 */
#ifndef THAW_BASE_CLOCK_H
#define THAW_BASE_CLOCK_H

#include <stdint.h>

#define THAW_NS_PER_S INT64_C(1000000000)
#define THAW_NS_PER_MS INT64_C(1000000)

int64_t thaw_clock_mono_ns(void); /* CLOCK_MONOTONIC: for intervals */
int64_t thaw_clock_real_ns(void); /* CLOCK_REALTIME: for what is written down */
int64_t thaw_clock_real_s(void);

#endif
