/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * serve.h - the rooms put together: from nothing to a mount and back.
 */
#ifndef THAW_MAIN_SERVE_H
#define THAW_MAIN_SERVE_H

#include <stdbool.h>

struct thaw_conf;
struct thaw_detach;

/* Returns the exit status when the mount has ended. */
int thaw_serve(const struct thaw_conf *conf, bool debug, struct thaw_detach *detach);

#endif
