/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * args.h - the daemon's command line.
 */
#ifndef THAW_MAIN_ARGS_H
#define THAW_MAIN_ARGS_H

#include <stdbool.h>
#include <stdio.h>

struct thaw_err;

enum thaw_action { THAW_ACTION_MOUNT, THAW_ACTION_HELP, THAW_ACTION_VERSION };

struct thaw_args {
	enum thaw_action action;
	bool foreground, debug;
	const char *source, *mountpoint; /* borrowed from argv */
	const char **options;            /* NULL-terminated; strings borrowed */
};

/* -EINVAL with a text that ends in advice. */
int thaw_args_parse(int argc, char **argv, struct thaw_args *ret, struct thaw_err *err);
void thaw_args_release(struct thaw_args *args);
void thaw_args_help(FILE *out);
void thaw_args_version(FILE *out);

#endif
