/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fault.c - opening, the control file, and every call but get().
 */
#include "archive/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/backend.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "conf/conf.h"

#define CONTROL_MAX 16384

static struct thaw_fault *fault_of(struct thaw_archive *ar)
{
	return (struct thaw_fault *)ar;
}

/* --- settings as they are now ---------------------------------------------------------- */

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Written within the last ticks of its clock: the next write may look the same. */
static bool is_racy(const struct stat *st)
{
	int64_t mtime_ns = st->st_mtim.tv_sec * THAW_NS_PER_S + st->st_mtim.tv_nsec;

	return st->st_ino && thaw_clock_real_ns() - mtime_ns < 50 * THAW_NS_PER_MS;
}

/* The whole of a small file, and which one it was before its first byte was
 * read.  One that is not there is an empty one. */
static int read_control(const char *path, char text[CONTROL_MAX + 1], struct stat *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	ssize_t n;

	*ret = (struct stat){0};
	text[0] = '\0';
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, ret) < 0)
		return -errno;
	while ((n = read(fd, text + len, CONTROL_MAX - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return n < 0 ? -errno : 0;
}

/* A control file that cannot be understood fails every call: a test that
 * depends on it should hear of it. */
static int reread(struct thaw_fault *fa, struct thaw_err *err)
{
	_cleanup_free_ char *text = malloc(CONTROL_MAX + 1);
	struct thaw_fault_settings settings;
	struct stat st;
	int rc;

	if (!text)
		return -EAGAIN;
	rc = read_control(fa->control, text, &st);
	if (rc)
		return thaw_err_set(err, -EIO, "control = %s: %s", fa->control,
				    strerrordesc_np(-rc));
	thaw_mutex_lock(&fa->lock);
	settings = fa->first;
	thaw_mutex_unlock(&fa->lock);
	if (thaw_fault_settings_parse(&settings, text, err)) {
		thaw_err_prefix(err, "%s", fa->control);
		return -EIO;
	}
	thaw_mutex_lock(&fa->lock);
	fa->now = settings;
	fa->seen = st;
	fa->seen_racy = is_racy(&st);
	thaw_mutex_unlock(&fa->lock);
	return 0;
}

int thaw_fault_now(struct thaw_fault *fa, struct thaw_fault_settings *ret, struct thaw_err *err)
{
	struct stat st = {0};
	bool fresh = true;
	int rc;

	if (fa->control) {
		if (stat(fa->control, &st) < 0)
			st = (struct stat){0};
		thaw_mutex_lock(&fa->lock);
		fresh = is_same_file(&st, &fa->seen) && !fa->seen_racy;
		thaw_mutex_unlock(&fa->lock);
	}
	rc = fresh ? 0 : reread(fa, err);
	if (rc)
		return rc;
	thaw_mutex_lock(&fa->lock);
	*ret = fa->now;
	thaw_mutex_unlock(&fa->lock);
	return 0;
}

int thaw_fault_enter(struct thaw_fault *fa, struct thaw_key key, const struct thaw_call *call,
		     struct thaw_fault_settings *ret)
{
	char text[THAW_KEY_TEXT];
	int code = thaw_fault_now(fa, ret, call->err);

	if (code)
		return code;
	if (ret->down)
		return thaw_err_set(call->err, -EAGAIN, "the archive is away (down = yes)");
	code = thaw_fault_settings_code(ret, key);
	if (code)
		return thaw_err_set(call->err, code, "%s: %s (fail_keys)",
				    thaw_archive_key_text(text, key), thaw_err_name(code));
	return 0;
}

/* --- calls ----------------------------------------------------------------------------- */

static int list_fault(struct thaw_archive *ar, struct thaw_key dir, thaw_entry_fn *fn, void *ctx,
		      const struct thaw_call *call)
{
	struct thaw_fault_settings settings;
	int rc = thaw_fault_enter(fault_of(ar), dir, call, &settings);

	if (!rc)
		rc = thaw_archive_sleep(call, (int64_t)settings.list_delay * THAW_NS_PER_MS);
	return rc ? rc : thaw_archive_list(fault_of(ar)->inner, dir, fn, ctx, call);
}

static int stat_fault(struct thaw_archive *ar, struct thaw_key key, struct thaw_entry *ret,
		      const struct thaw_call *call)
{
	struct thaw_fault_settings settings;
	int rc = thaw_fault_enter(fault_of(ar), key, call, &settings);

	return rc ? rc : thaw_archive_stat(fault_of(ar)->inner, key, ret, call);
}

static int enter_all(struct thaw_fault *fa, const struct thaw_key *keys, size_t n,
		     const struct thaw_call *call, struct thaw_fault_settings *ret)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++)
		rc = thaw_fault_enter(fa, keys[i], call, ret);
	return rc;
}

static int recall_fault(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
			const struct thaw_call *call)
{
	struct thaw_fault_settings settings = {0};
	int rc = enter_all(fault_of(ar), keys, n, call, &settings);

	return rc ? rc : thaw_archive_recall(fault_of(ar)->inner, keys, n, call);
}

/* endless: a recall that never comes to its end. */
static int poll_fault(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
		      enum thaw_avail *ret, const struct thaw_call *call)
{
	struct thaw_fault_settings settings = {0};
	int rc = enter_all(fault_of(ar), keys, n, call, &settings);

	if (!rc)
		rc = thaw_archive_poll(fault_of(ar)->inner, keys, n, ret, call);
	for (size_t i = 0; !rc && settings.endless && i < n; i++) {
		if (ret[i] == THAW_AVAIL_ONLINE)
			ret[i] = THAW_AVAIL_RECALLING;
	}
	return rc;
}

static int locate_fault(struct thaw_archive *ar, struct thaw_key key, char *text, size_t room,
			const struct thaw_call *call)
{
	return thaw_archive_locate(fault_of(ar)->inner, key, text, room, call);
}

/* --- life ------------------------------------------------------------------------------ */

static int start_fault(struct thaw_archive *ar, struct thaw_err *err)
{
	return thaw_archive_start(fault_of(ar)->inner, err);
}

static void close_fault(struct thaw_archive *ar)
{
	struct thaw_fault *fa = fault_of(ar);

	if (!fa)
		return;
	(void)thaw_archive_close(fa->inner);
	thaw_mutex_destroy(&fa->lock);
	free(fa->control);
	free(fa);
}

/* Of an archive whose objects are always online: there is nothing to recall. */
static const struct thaw_archive_ops online_ops = {
	.type = "fault",
	.version = THAW_ARCHIVE_VERSION,
	.start = start_fault,
	.list = list_fault,
	.stat = stat_fault,
	.get = thaw_fault_get,
	.locate = locate_fault,
	.close = close_fault,
};

static int make(struct thaw_archive *inner, const struct thaw_fault_settings *settings,
		const char *control, struct thaw_archive **ret)
{
	struct thaw_fault *fa = calloc(1, sizeof(*fa));

	if (!fa)
		return -ENOMEM;
	if (control) {
		fa->control = strdup(control);
		if (!fa->control) {
			free(fa);
			return -ENOMEM;
		}
	}
	fa->base.ops = thaw_archive_recalls(inner) ? &thaw_archive_fault : &online_ops;
	fa->inner = inner;
	fa->first = fa->now = *settings;
	thaw_mutex_init(&fa->lock, THAW_RANK_ARCHIVE);
	*ret = &fa->base;
	return 0;
}

int thaw_archive_fault_wrap(struct thaw_archive *inner, const char *settings, const char *control,
			    struct thaw_archive **ret, struct thaw_err *err)
{
	struct thaw_fault_settings parsed = thaw_fault_settings_none;
	int rc = settings ? thaw_fault_settings_parse(&parsed, settings, err) : 0;

	return rc ? rc : make(inner, &parsed, control, ret);
}

int thaw_archive_fault_set(struct thaw_archive *ar, const char *settings, struct thaw_err *err)
{
	struct thaw_fault *fa = fault_of(ar);
	struct thaw_fault_settings parsed = thaw_fault_settings_none;
	int rc = thaw_fault_settings_parse(&parsed, settings, err);

	if (rc)
		return rc;
	thaw_mutex_lock(&fa->lock);
	fa->first = fa->now = parsed;
	fa->seen_racy = fa->control != NULL; /* it must be laid over them again */
	thaw_mutex_unlock(&fa->lock);
	return 0;
}

/* --- from the configuration ------------------------------------------------------------ */

static bool is_own(const char *key)
{
	return strcmp(key, "inner") == 0 || strcmp(key, "control") == 0 ||
	       thaw_fault_settings_has(key);
}

static int read_settings(const struct thaw_conf_archive *conf, struct thaw_fault_settings *settings,
			 struct thaw_err *err)
{
	for (size_t i = 0; i < conf->pair_count; i++) {
		const struct thaw_conf_pair *pair = &conf->pairs[i];

		if (!thaw_fault_settings_has(pair->key))
			continue;
		if (thaw_fault_settings_put(settings, pair->key, pair->value, err)) {
			thaw_err_prefix(err, "archive %s, line %u", conf->name, pair->line);
			return -EINVAL;
		}
	}
	return 0;
}

/* The same section without our keys; it judges what is left. */
static int open_inner(const struct thaw_conf_archive *conf, struct thaw_archive **ret,
		      struct thaw_err *err)
{
	_cleanup_free_ struct thaw_conf_pair *pairs = calloc(conf->pair_count + 1, sizeof(*pairs));
	_cleanup_free_ char *type = NULL;
	const char *inner = thaw_conf_archive_get(conf, "inner");
	struct thaw_conf_archive rest = *conf;

	if (!inner)
		return thaw_archive_bad_value(conf, "inner", "name the type to wrap, as in posix",
					      err);
	type = strdup(inner);
	if (!pairs || !type)
		return -ENOMEM;
	rest.type = type;
	rest.pairs = pairs;
	rest.pair_count = 0;
	for (size_t i = 0; i < conf->pair_count; i++) {
		if (!is_own(conf->pairs[i].key))
			pairs[rest.pair_count++] = conf->pairs[i];
	}
	return thaw_archive_open(&rest, ret, err);
}

static int open_fault(const struct thaw_conf_archive *conf, struct thaw_archive **ret,
		      struct thaw_err *err)
{
	struct thaw_fault_settings settings = thaw_fault_settings_none;
	struct thaw_archive *inner = NULL;
	int rc;

	rc = read_settings(conf, &settings, err);
	if (!rc)
		rc = open_inner(conf, &inner, err);
	if (!rc)
		rc = make(inner, &settings, thaw_conf_archive_get(conf, "control"), ret);
	if (rc)
		(void)thaw_archive_close(inner);
	return rc;
}

const struct thaw_archive_ops thaw_archive_fault = {
	.type = "fault",
	.version = THAW_ARCHIVE_VERSION,
	.open = open_fault,
	.start = start_fault,
	.list = list_fault,
	.stat = stat_fault,
	.recall = recall_fault,
	.poll = poll_fault,
	.get = thaw_fault_get,
	.locate = locate_fault,
	.close = close_fault,
};
