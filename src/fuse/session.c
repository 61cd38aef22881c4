/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a mount: fuse.h.
 */
#include "fuse/fuse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "conf/conf.h"
#include "fuse/inode.h"
#include "fuse/liblog.h"
#include "fuse/notify.h"
#include "fuse/park.h"
#include "fuse/room.h"
#include "fuse/settle.h"
#include "fuse/told.h"
#include "fuse/uring.h"
#include "stage/stage.h"

const char *thaw_fuse_version(void)
{
	return fuse_pkgversion();
}

/* --- what the engine tells us ------------------------------------------------------------ */

static void on_leaving(void *ctx, uint64_t node)
{
	struct thaw_fuse *fuse = ctx;

	thaw_inodes_leaving(fuse->inodes, node);
}

static void on_entry_changed(void *ctx, uint64_t dir, const char *name, size_t len)
{
	struct thaw_fuse *fuse = ctx;

	thaw_notifier_entry(fuse->notifier, dir, name, len);
}

static void on_node_changed(void *ctx, uint64_t node)
{
	struct thaw_fuse *fuse = ctx;

	thaw_notifier_node(fuse->notifier, node);
}

static void on_import_begin(void *ctx)
{
	struct thaw_fuse *fuse = ctx;

	thaw_phase_begin(&fuse->phase);
}

static void on_import_end(void *ctx)
{
	struct thaw_fuse *fuse = ctx;

	thaw_phase_end(&fuse->phase);
}

static void take_events(struct thaw_fuse *fuse)
{
	const struct thaw_stage_events events = {
		.ctx = fuse,
		.leaving = on_leaving,
		.entry_changed = on_entry_changed,
		.node_changed = on_node_changed,
		.import_begin = on_import_begin,
		.import_end = on_import_end,
	};

	thaw_stage_set_events(fuse->stage, &events);
}

/* --- making it --------------------------------------------------------------------------- */

static int add(char **opts, const char *option, int *r)
{
	if (*r == 0 && fuse_opt_add_opt(opts, option) != 0)
		*r = -ENOMEM;
	return *r;
}

/* What libfuse and the kernel are to know, as one -o string. */
static int mount_options(const struct thaw_fuse *fuse, bool debug, char **ret)
{
	const struct thaw_conf *conf = fuse->conf;
	_cleanup_free_ char *fsname = NULL;
	char depth[48];
	int r = 0;

	if (asprintf(&fsname, "fsname=%s", conf->source) < 0)
		return -ENOMEM;
	(void)snprintf(depth, sizeof(depth), "io_uring_q_depth=%u", fuse->uring_depth);
	if (fuse_opt_add_opt_escaped(ret, fsname) != 0)
		return -ENOMEM;
	add(ret, "subtype=thawfs,default_permissions", &r);
	if (conf->allow_other)
		add(ret, "allow_other", &r);
	if (conf->ro)
		add(ret, "ro", &r);
	if (debug)
		add(ret, "debug", &r);
	if (fuse->uring) {
		add(ret, "io_uring", &r);
		add(ret, depth, &r);
	}
	if (conf->fuse_options && *conf->fuse_options)
		add(ret, conf->fuse_options, &r);
	return r;
}

/* Options of libfuse's that we decide. */
static const struct fuse_opt ours[] = {
	FUSE_OPT_KEY("clone_fd", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("max_threads=", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("max_idle_threads=", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_KEY("max_read=", FUSE_OPT_KEY_DISCARD),
	FUSE_OPT_END,
};

static int make_session(struct thaw_fuse *fuse, bool debug, struct thaw_err *err)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	_cleanup_free_ char *options = NULL;
	int r = mount_options(fuse, debug, &options);

	if (r == 0 && (fuse_opt_add_arg(&args, "thawfs") != 0 ||
		       fuse_opt_add_arg(&args, "-o") != 0 || fuse_opt_add_arg(&args, options) != 0))
		r = -ENOMEM;
	if (r == 0 && fuse_opt_parse(&args, NULL, ours, NULL) != 0)
		r = -EINVAL;
	if (r == 0) {
		fuse->session =
			fuse_session_new(&args, &thaw_fuse_ops, sizeof(thaw_fuse_ops), fuse);
		if (!fuse->session)
			r = thaw_err_set(err, -EINVAL, "libfuse does not take the options: %s",
					 thaw_liblog_last());
	}
	fuse_opt_free_args(&args);
	return r;
}

/* An object in memory holds its file open: leave descriptors for those that
 * are in use and for all else. */
static unsigned inodes_to_keep(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 2 >= THAW_INODES_KEPT)
		return THAW_INODES_KEPT;
	return (unsigned)limit.rlim_cur / 2;
}

static int make_parts(struct thaw_fuse *fuse)
{
	fuse->over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fuse->over_fd < 0)
		return -errno;
	fuse->told = thaw_told_new();
	fuse->inodes = thaw_inodes_new(fuse->stage, inodes_to_keep());
	fuse->park = thaw_park_create(fuse, fuse->stage, fuse->uring_depth);
	if (!fuse->told || !fuse->inodes || !fuse->park)
		return -ENOMEM;
	fuse->notifier = thaw_notifier_new(fuse->stage, fuse->told);
	return fuse->notifier ? 0 : -ENOMEM;
}

int thaw_fuse_new(struct thaw_stage *stage, bool debug, struct thaw_fuse **ret,
		  struct thaw_err *err)
{
	struct thaw_fuse *fuse = calloc(1, sizeof(*fuse));
	int r;

	if (!fuse)
		return thaw_err_set(err, -ENOMEM, "out of memory");
	fuse->stage = stage;
	fuse->conf = thaw_stage_conf(stage);
	fuse->root = thaw_stage_root(stage);
	fuse->over_fd = -1;
	thaw_phase_init(&fuse->phase);
	(void)sem_init(&fuse->finish, 0, 0);
	thaw_liblog_take();
	r = thaw_uring_decide(fuse->conf->io_uring, &fuse->uring, &fuse->uring_depth, err);
	if (r == 0) {
		r = make_parts(fuse);
		if (r < 0)
			(void)thaw_err_set(err, r, "cannot prepare the mount: %s",
					   thaw_err_name(-r));
	}
	if (r == 0)
		r = make_session(fuse, debug, err);
	if (r < 0) {
		thaw_fuse_free(fuse);
		return r;
	}
	take_events(fuse);
	*ret = fuse;
	return 0;
}

int thaw_fuse_mount(struct thaw_fuse *fuse, struct thaw_err *err)
{
	if (fuse_session_mount(fuse->session, fuse->conf->mountpoint) != 0)
		return thaw_err_set(err, -EIO, "cannot mount on %s: %s", fuse->conf->mountpoint,
				    thaw_liblog_last());
	fuse->mounted = true;
	return 0;
}

int thaw_fuse_start(struct thaw_fuse *fuse, struct thaw_err *err)
{
	int r = thaw_notifier_start(fuse->notifier, fuse->session);

	if (r == 0)
		r = thaw_park_start(fuse->park);
	if (r == 0)
		r = thaw_loop_start(fuse);
	if (r < 0)
		return thaw_err_set(err, r, "cannot start threads: %s", thaw_err_name(-r));
	return thaw_fuse_settle(fuse, err);
}

int thaw_fuse_over_fd(const struct thaw_fuse *fuse)
{
	return fuse->over_fd;
}

void thaw_fuse_stop(struct thaw_fuse *fuse)
{
	/* While requests are still answered: a notification may wait for one. */
	if (fuse->notifier)
		thaw_notifier_stop(fuse->notifier);
	thaw_loop_stop(fuse);
	/* The descriptor ends with the mount, its number may mean another file. */
	if (fuse->inodes)
		thaw_inodes_use_passthrough(fuse->inodes, -1);
	if (fuse->mounted) {
		fuse_session_unmount(fuse->session);
		thaw_mountpoint_clear(fuse->conf->mountpoint);
	}
	fuse->mounted = false;
	if (fuse->park)
		thaw_park_stop(fuse->park);
}

struct thaw_fuse *thaw_fuse_free(struct thaw_fuse *fuse)
{
	if (!fuse)
		return NULL;
	thaw_fuse_stop(fuse);
	fuse->inodes = thaw_inodes_free(fuse->inodes);
	fuse->park = thaw_park_free(fuse->park);
	fuse->notifier = thaw_notifier_free(fuse->notifier);
	fuse->told = thaw_told_free(fuse->told);
	/* With io_uring libfuse's ring threads go on using the session until the
	 * process ends, which is next (loop.c). */
	if (fuse->session && !fuse->uring)
		fuse_session_destroy(fuse->session);
	if (fuse->over_fd >= 0)
		(void)close(fuse->over_fd);
	(void)sem_destroy(&fuse->finish);
	thaw_phase_destroy(&fuse->phase);
	free(fuse);
	return NULL;
}
