/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lib.h - libfuse, at the one API level this room is written for.
 *
 * 317 is the oldest with passthrough (Debian 13's 3.17.2); what newer
 * libraries add is asked for by HAVE_FUSE_...
 */
#ifndef THAW_FUSE_LIB_H
#define THAW_FUSE_LIB_H

#define FUSE_USE_VERSION 317
#include <fuse_lowlevel.h>

#endif
