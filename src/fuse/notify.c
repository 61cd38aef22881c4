/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "fuse/room.h"
#include "fuse/told.h"
#include "stage/names.h"
#include "stage/stage.h"

#define PATH_LIMIT (1u << 20)

/* A changed name, or (len 0) a changed node. */
struct note {
	struct note *next;
	uint64_t node; /* the directory of a name */
	size_t len;
	char name[];
};

struct thaw_notifier {
	struct thaw_stage *stage;
	struct thaw_told *told;
	struct fuse_session *session; /* const after start */
	uint64_t root;
	pthread_t thread;
	bool started;

	struct thaw_mutex lock;
	struct thaw_cond wake;     /* lock: queue not empty, overflow, stopping */
	struct note *first, *last; /* lock */
	size_t bytes;              /* lock */
	bool overflow, stopping;   /* lock */
};

struct thaw_notifier *thaw_notifier_new(struct thaw_stage *stage, struct thaw_told *told)
{
	struct thaw_notifier *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->stage = stage;
	n->told = told;
	n->root = thaw_stage_root(stage);
	thaw_mutex_init(&n->lock, THAW_RANK_FUSE_NOTIFY);
	thaw_cond_init(&n->wake);
	return n;
}

static void free_notes(struct note *note)
{
	while (note) {
		struct note *next = note->next;

		free(note);
		note = next;
	}
}

struct thaw_notifier *thaw_notifier_free(struct thaw_notifier *n)
{
	if (!n)
		return NULL;
	free_notes(n->first);
	thaw_cond_destroy(&n->wake);
	thaw_mutex_destroy(&n->lock);
	free(n);
	return NULL;
}

/* Called with the lock: hands out the whole queue. */
static struct note *take_all(struct thaw_notifier *n)
{
	struct note *notes = n->first;

	n->first = n->last = NULL;
	n->bytes = 0;
	return notes;
}

static void push(struct thaw_notifier *n, uint64_t node, const char *name, size_t len)
{
	struct note *note = malloc(sizeof(*note) + len + 1);
	struct note *dropped = NULL;

	if (note) {
		*note = (struct note){.node = node, .len = len};
		memcpy(note->name, name, len);
		note->name[len] = '\0';
	}
	thaw_mutex_lock(&n->lock);
	if (!note || n->overflow || n->bytes + sizeof(*note) + len > THAW_NOTIFY_BYTES) {
		n->overflow = true;
		dropped = take_all(n);
		if (note)
			note->next = dropped;
		dropped = note ? note : dropped;
	} else {
		if (n->last)
			n->last->next = note;
		else
			n->first = note;
		n->last = note;
		n->bytes += sizeof(*note) + len;
	}
	thaw_cond_signal(&n->wake);
	thaw_mutex_unlock(&n->lock);
	free_notes(dropped);
}

void thaw_notifier_entry(struct thaw_notifier *n, uint64_t dir, const char *name, size_t len)
{
	if (thaw_told_has(n->told, dir))
		push(n, dir, name, len);
}

void thaw_notifier_node(struct thaw_notifier *n, uint64_t node)
{
	if (thaw_told_has(n->told, node))
		push(n, node, "", 0);
}

static void report(int r, const char *what)
{
	static struct thaw_log_limit limit;

	/* -ENOENT: the kernel had forgotten it by itself.  -ENOTCONN: it has not
	 * asked us anything yet, or will not any more. */
	if (r < 0 && r != -ENOENT && r != -ENOTCONN)
		thaw_log_limited(&limit, LOG_WARNING, "the kernel did not take %s: %s", what,
				 thaw_err_name(-r));
}

static void tell_node(struct thaw_notifier *n, uint64_t node)
{
	/* Attributes and, of a directory, its cached listing; the content of a
	 * file never changes, but dropping pages of it does no harm either. */
	report(fuse_lowlevel_notify_inval_inode(n->session, thaw_ino_from_node(n->root, node), 0,
						0),
	       "a change of attributes");
}

static void tell_entry(struct thaw_notifier *n, uint64_t dir, const char *name, size_t len)
{
	report(fuse_lowlevel_notify_inval_entry(n->session, thaw_ino_from_node(n->root, dir), name,
						len),
	       "a change of a name");
}

static void tell(struct thaw_notifier *n, const struct note *note)
{
	const struct note *next = note->next;

	if (note->len == 0) {
		tell_node(n, note->node);
		return;
	}
	tell_entry(n, note->node, note->name, note->len);
	/* The listing changed too: once for a run of names. */
	if (!next || next->node != note->node)
		tell_node(n, note->node);
}

/* Dropping a directory's own entry drops all below it, names known to be
 * absent included. */
static void tell_own_entry(struct thaw_notifier *n, uint64_t node)
{
	_cleanup_(thaw_buf_release) struct thaw_buf path;
	struct thaw_node self;
	const char *name;

	thaw_buf_init(&path, PATH_LIMIT);
	if (node == n->root || thaw_stage_node(n->stage, node, &self) < 0 ||
	    thaw_stage_path(n->stage, node, &path) < 0)
		return;
	name = strrchr(path.data, '/');
	if (name && name[1])
		tell_entry(n, self.parent ? self.parent : n->root, name + 1, strlen(name + 1));
}

static int tell_again(void *ctx, uint64_t node)
{
	tell_node(ctx, node);
	return 0;
}

static int tell_again_with_entry(void *ctx, uint64_t node)
{
	tell_own_entry(ctx, node);
	tell_node(ctx, node);
	return 0;
}

static int new_epoch(struct thaw_notifier *n)
{
#ifdef HAVE_FUSE_NOTIFY_INCREMENT_EPOCH
	return fuse_lowlevel_notify_increment_epoch(n->session);
#else
	(void)n;
	return -ENOSYS;
#endif
}

static void tell_everything(struct thaw_notifier *n)
{
	thaw_info("many names changed at once: all that the kernel has cached is asked for again");
	/* All names at once where the kernel can (6.16). */
	if (new_epoch(n) == 0)
		(void)thaw_told_each(n->told, tell_again, n);
	else
		(void)thaw_told_each(n->told, tell_again_with_entry, n);
}

static void *run(void *arg)
{
	struct thaw_notifier *n = arg;

	thaw_mutex_lock(&n->lock);
	while (!n->stopping) {
		struct note *notes = take_all(n);
		bool overflow = n->overflow;

		if (!notes && !overflow) {
			thaw_cond_wait(&n->wake, &n->lock);
			continue;
		}
		n->overflow = false;
		thaw_mutex_unlock(&n->lock);
		if (overflow)
			tell_everything(n);
		for (const struct note *note = notes; note; note = note->next)
			tell(n, note);
		free_notes(notes);
		thaw_mutex_lock(&n->lock);
	}
	thaw_mutex_unlock(&n->lock);
	return NULL;
}

int thaw_notifier_start(struct thaw_notifier *n, struct fuse_session *session)
{
	int r;

	n->session = session;
	r = thaw_thread_start(&n->thread, "thaw-notify", run, n);
	n->started = r == 0;
	return r;
}

void thaw_notifier_stop(struct thaw_notifier *n)
{
	if (!n->started)
		return;
	thaw_mutex_lock(&n->lock);
	n->stopping = true;
	thaw_cond_signal(&n->wake);
	thaw_mutex_unlock(&n->lock);
	(void)pthread_join(n->thread, NULL);
	n->started = false;
}
