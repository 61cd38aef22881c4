/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * process.h - what this process asks of the system, and is asked by it.
 */
#ifndef THAW_MAIN_PROCESS_H
#define THAW_MAIN_PROCESS_H

/* umask, descriptors, out-of-memory score, signals nobody needs. */
void thaw_process_settings(void);

/* Blocks the signals that end the daemon, in this thread and those it makes;
 * they are read from the returned descriptor.  -errno. */
int thaw_process_signals(void);
/* The signal that came; then the next one ends the process as it is. */
int thaw_process_signal_take(int fd);

/* sd_notify(3) without the library: nothing when systemd does not listen. */
void thaw_process_notify(const char *state);

#endif
