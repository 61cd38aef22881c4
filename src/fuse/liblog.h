/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * liblog.h - what libfuse has to say, in our log.
 */
#ifndef THAW_FUSE_LIBLOG_H
#define THAW_FUSE_LIBLOG_H

/* From here on libfuse's messages go to thaw_log.  Before threads. */
void thaw_liblog_take(void);
/* The last message of this thread, for an error text; "" if there was none. */
const char *thaw_liblog_last(void);

#endif
