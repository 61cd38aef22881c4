/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Up: engine opened (checks sources, cache and catalog, takes their locks),
 * mount, threads of engine and control, requests served.  Nothing is mounted
 * before all that can be checked was; what fails later unmounts.
 *
 * Down, the other way: no more metrics and commands, then the engine, which answers
 * everyone who waits, then the mount.
 */
#include "main/serve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "conf/conf.h"
#include "control/control.h"
#include "control/metrics_http.h"
#include "fuse/fuse.h"
#include "main/detach.h"
#include "main/process.h"
#include "stage/stage.h"

struct service {
	const struct thaw_conf *conf;
	struct thaw_stage *stage;
	struct thaw_fuse *fuse;
	struct thaw_control *control;
	struct thaw_metrics_http *metrics;
	int signals;
	bool started; /* the engine's threads */
};

static int bring_up(struct service *s, bool debug, struct thaw_err *err)
{
	int r = thaw_stage_open_all(s->conf, &s->stage, err);

	if (r == 0)
		r = thaw_fuse_new(s->stage, debug, &s->fuse, err);
	if (r < 0)
		return r;
	s->signals = thaw_process_signals();
	if (s->signals < 0)
		return thaw_err_set(err, s->signals, "signalfd: %s", strerrordesc_np(-s->signals));
	r = thaw_fuse_mount(s->fuse, err);
	if (r == 0)
		r = thaw_stage_start(s->stage, err);
	if (r < 0)
		return r;
	s->started = true;
	if (s->conf->socket)
		r = thaw_control_start(s->stage, s->conf->socket, &s->control, err);
	if (r == 0 && s->conf->metrics)
		r = thaw_metrics_http_start(s->stage, s->conf->metrics, &s->metrics, err);
	if (r == 0)
		r = thaw_fuse_start(s->fuse, err);
	return r;
}

static void take_down(struct service *s)
{
	s->metrics = thaw_metrics_http_stop(s->metrics);
	if (s->control)
		s->control = thaw_control_stop(s->control);
	if (s->started)
		thaw_stage_stop(s->stage);
	s->fuse = thaw_fuse_free(s->fuse);
	if (s->stage)
		s->stage = thaw_stage_free(s->stage);
	if (s->signals >= 0)
		(void)close(s->signals);
}

/* Until a signal comes or the mount is gone. */
static void wait_for_end(struct service *s)
{
	struct pollfd fds[] = {
		{.fd = s->signals, .events = POLLIN},
		{.fd = thaw_fuse_over_fd(s->fuse), .events = POLLIN},
	};
	int sig;

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	sig = thaw_process_signal_take(s->signals);
	if (sig)
		thaw_notice("%s: %s is being unmounted", strsignal(sig), s->conf->mountpoint);
	else
		thaw_notice("%s was unmounted", s->conf->mountpoint);
}

int thaw_serve(const struct thaw_conf *conf, bool debug, struct thaw_detach *detach)
{
	struct service s = {.conf = conf, .signals = -1};
	struct thaw_err err = {""};
	int status = EXIT_SUCCESS;
	int r = bring_up(&s, debug, &err);

	if (r < 0) {
		take_down(&s);
		return thaw_detach_failed(detach, r == -EINVAL ? 2 : EXIT_FAILURE, err.text);
	}
	if (thaw_detach_ready(detach)) {
		if (!debug)
			thaw_log_set_level(conf->log_level);
		thaw_notice("%s is mounted on %s", conf->source, conf->mountpoint);
		thaw_process_notify("READY=1");
		wait_for_end(&s);
		thaw_process_notify("STOPPING=1");
	} else {
		status = EXIT_FAILURE; /* interrupted at the terminal */
	}
	take_down(&s);
	return status;
}
