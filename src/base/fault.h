/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fault.h - named places where a test may make the program die.
 *
 * THAW_CRASH_AT=publish.linked:3 in the environment kills the process with
 * SIGKILL the third time that place is passed.  Read once, before threads.
 * Compiled out (an empty inline) unless THAW_CRASH_POINTS is defined.
 */
#ifndef THAW_BASE_FAULT_H
#define THAW_BASE_FAULT_H

#ifdef THAW_CRASH_POINTS
void thaw_crash_point(const char *name);
#else
static inline void thaw_crash_point(const char *name)
{
	(void)name;
}
#endif

#endif
