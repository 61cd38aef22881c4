/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * thawfs - the daemon.  One process, one mount.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "conf/conf.h"
#include "fuse/fuse.h"
#include "main/args.h"
#include "main/detach.h"
#include "main/process.h"
#include "main/serve.h"

#define EXIT_USAGE 2

static int complain(const struct thaw_err *err, int r)
{
	(void)fprintf(stderr, "thawfs: %s\n", err->text);
	return r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
}

static int mount_it(const struct thaw_args *args, const struct thaw_conf *conf)
{
	struct thaw_detach detach;
	int r;

	/* Until it is up the terminal gets what went wrong and nothing else. */
	thaw_log_set_level(args->debug ? LOG_DEBUG : LOG_NOTICE);
	r = thaw_detach_begin(args->foreground || conf->foreground, &detach);
	if (r < 0) {
		(void)fprintf(stderr, "thawfs: cannot go to the background: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	thaw_process_settings();
	if (chdir("/") < 0)
		thaw_debug("chdir: %s", strerror(errno));
	return thaw_serve(conf, args->debug, &detach);
}

static int run(const struct thaw_args *args)
{
	struct thaw_conf *conf = NULL;
	struct thaw_err err = {""};
	bool stale;
	int r = thaw_fuse_check_mountpoint(args->mountpoint, &stale, &err);

	if (r < 0)
		return complain(&err, r);
	if (stale)
		thaw_notice("took away the dead mount on %s", args->mountpoint);
	r = thaw_conf_load(args->source, args->mountpoint, args->options, &conf, &err);
	if (r < 0)
		return complain(&err, r);
	r = mount_it(args, conf);
	thaw_conf_free(conf);
	return r;
}

int main(int argc, char **argv)
{
	struct thaw_args args;
	struct thaw_err err = {""};
	int r = thaw_args_parse(argc, argv, &args, &err);

	if (r < 0)
		return complain(&err, r);
	thaw_log_init("thawfs", LOG_NOTICE);
	switch (args.action) {
	case THAW_ACTION_HELP:
		thaw_args_help(stdout);
		r = EXIT_SUCCESS;
		break;
	case THAW_ACTION_VERSION:
		thaw_args_version(stdout);
		r = EXIT_SUCCESS;
		break;
	default:
		r = run(&args);
		break;
	}
	thaw_args_release(&args);
	return r;
}
