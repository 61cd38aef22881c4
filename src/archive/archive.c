/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * archive.c - the wrappers, and the list of backends.
 *
 * No state of its own: what a call needs is on its stack, so any thread may
 * call with any archive.
 */
#include "archive/archive.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "archive/backend.h"
#include "base/err.h"
#include "conf/conf.h"

static const struct thaw_archive_ops *const backends[] = {
	&thaw_archive_posix,
	&thaw_archive_fault,
	&thaw_archive_mem,
};

#define BACKENDS (sizeof(backends) / sizeof(backends[0]))

static const struct thaw_call no_call;

/* --- errors ---------------------------------------------------------------------------- */

static void forget_text(struct thaw_err *err)
{
	if (err)
		err->text[0] = '\0';
}

static bool in_contract(int code)
{
	switch (code) {
	case -ENOENT:
	case -ESTALE:
	case -EAGAIN:
	case -EINPROGRESS:
	case -EACCES:
	case -ECANCELED:
	case -EIO:
		return true;
	default:
		return false;
	}
}

/* A failure the backend did not explain still says which call failed how. */
static void explain(const struct thaw_archive *ar, const char *verb, int code, struct thaw_err *err)
{
	if (err && !err->text[0])
		(void)thaw_err_set(err, code, "%s archive: %s failed: %s", ar->ops->type, verb,
				   code < 0 ? strerrordesc_np(-code) : "not an error code");
}

/* What a caller may see of a backend's answer. */
static int judge(const struct thaw_archive *ar, const char *verb, int code, struct thaw_err *err)
{
	if (!code) {
		forget_text(err);
		return 0;
	}
	explain(ar, verb, code, err);
	return in_contract(code) ? code : -EIO;
}

/* A backend that breaks the contract: nothing it delivered can be trusted. */
#define broken(ar, call, fmt, ...) \
	thaw_err_set((call)->err, -EIO, "%s archive: " fmt, (ar)->ops->type, ##__VA_ARGS__)

static int check_key(const struct thaw_archive *ar, struct thaw_key key,
		     const struct thaw_call *call)
{
	char text[THAW_KEY_TEXT];

	if (!key.len)
		return 0;
	if (key.data[0] != '/' && key.data[key.len - 1] != '/' && !memchr(key.data, '\0', key.len))
		return 0;
	return broken(ar, call, "\"%s\" cannot be a key", thaw_archive_key_text(text, key));
}

/* --- life ------------------------------------------------------------------------------ */

static const struct thaw_archive_ops *find_backend(const char *type)
{
	for (size_t i = 0; i < BACKENDS; i++) {
		if (strcmp(backends[i]->type, type) == 0)
			return backends[i];
	}
	return NULL;
}

int thaw_archive_open(const struct thaw_conf_archive *conf, struct thaw_archive **ret,
		      struct thaw_err *err)
{
	const struct thaw_archive_ops *ops = find_backend(conf->type);
	int rc;

	forget_text(err);
	if (!ops)
		return thaw_err_set(err, -EINVAL, "archive %s, line %u: there is no type = %s",
				    conf->name, conf->line, conf->type);
	if (ops->version != THAW_ARCHIVE_VERSION)
		return thaw_err_set(err, -EINVAL,
				    "archive %s: type %s is of interface %u, this program has %d",
				    conf->name, conf->type, ops->version, THAW_ARCHIVE_VERSION);
	rc = ops->open(conf, ret, err);
	if (rc && err && !err->text[0])
		return thaw_err_set(err, rc, "archive %s: %s", conf->name, strerrordesc_np(-rc));
	return rc;
}

int thaw_archive_start(struct thaw_archive *ar, struct thaw_err *err)
{
	int rc;

	forget_text(err);
	rc = ar->ops->start ? ar->ops->start(ar, err) : 0;
	if (rc)
		explain(ar, "start", rc, err);
	return rc;
}

struct thaw_archive *thaw_archive_close(struct thaw_archive *ar)
{
	if (ar)
		ar->ops->close(ar);
	return NULL;
}

/* --- names ----------------------------------------------------------------------------- */

/* NULL, or what no archive may say of an object. */
static const char *entry_fault(const struct thaw_entry *e)
{
	if (e->type < THAW_TYPE_FILE || e->type > THAW_TYPE_SYMLINK)
		return "of no known type";
	if (e->mode & ~07777U)
		return "with more than permission bits in its mode";
	if (e->size > INT64_MAX)
		return "larger than 63 bits can say";
	if (e->tag.len > THAW_TAG_MAX)
		return "with a tag that is too long";
	if ((unsigned)e->avail > THAW_AVAIL_LOST)
		return "of no known availability";
	return NULL;
}

static const char *name_fault(const struct thaw_entry *e)
{
	if (!e->name || !e->name_len)
		return "without a name";
	if (memchr(e->name, '/', e->name_len) || memchr(e->name, '\0', e->name_len))
		return "with '/' or NUL in its name";
	if (!thaw_archive_key_is_plain((struct thaw_key){e->name, e->name_len}))
		return "named \".\" or \"..\"";
	if (e->type == THAW_TYPE_SYMLINK && (!e->target || !e->target_len))
		return "that is a symbolic link to nothing";
	return NULL;
}

struct list_watch {
	struct thaw_archive *ar;
	thaw_entry_fn *fn;
	void *ctx;
	const struct thaw_call *call;
	int answer; /* what ended the listing from this side, 0: nothing did */
};

static int watch_entry(void *ctx, const struct thaw_entry *entry)
{
	struct list_watch *watch = ctx;
	char text[THAW_KEY_TEXT];
	const char *fault = entry_fault(entry);

	if (!fault)
		fault = name_fault(entry);
	if (fault) {
		struct thaw_key name = {entry->name, entry->name ? entry->name_len : 0};

		watch->answer = broken(watch->ar, watch->call, "listed an object %s: \"%s\"", fault,
				       thaw_archive_key_text(text, name));
	} else {
		watch->answer = watch->fn(watch->ctx, entry);
	}
	return watch->answer;
}

int thaw_archive_list(struct thaw_archive *ar, struct thaw_key dir, thaw_entry_fn *fn, void *ctx,
		      const struct thaw_call *call)
{
	struct list_watch watch = {.ar = ar, .fn = fn, .ctx = ctx, .call = call ? call : &no_call};
	int rc;

	call = watch.call;
	forget_text(call->err);
	rc = check_key(ar, dir, call);
	if (!rc)
		rc = ar->ops->list(ar, dir, watch_entry, &watch, call);
	if (watch.answer) {
		explain(ar, "list", watch.answer, call->err);
		return watch.answer;
	}
	if (rc == -ENOTDIR) {
		explain(ar, "list", rc, call->err);
		return rc;
	}
	return judge(ar, "list", rc, call->err);
}

int thaw_archive_stat(struct thaw_archive *ar, struct thaw_key key, struct thaw_entry *ret,
		      const struct thaw_call *call)
{
	struct thaw_entry entry = {0};
	const char *fault;
	int rc;

	call = call ? call : &no_call;
	forget_text(call->err);
	rc = check_key(ar, key, call);
	if (!rc)
		rc = ar->ops->stat(ar, key, &entry, call);
	if (rc)
		return judge(ar, "stat", rc, call->err);
	fault = entry_fault(&entry);
	if (fault)
		return broken(ar, call, "tells of an object %s", fault);
	forget_text(call->err);
	*ret = entry;
	return 0;
}

int thaw_archive_locate(struct thaw_archive *ar, struct thaw_key key, char *text, size_t room,
			const struct thaw_call *call)
{
	int rc;

	call = call ? call : &no_call;
	forget_text(call->err);
	text[0] = '\0';
	rc = check_key(ar, key, call);
	if (!rc && ar->ops->locate)
		rc = ar->ops->locate(ar, key, text, room, call);
	return judge(ar, "locate", rc, call->err);
}

/* --- recalls --------------------------------------------------------------------------- */

bool thaw_archive_recalls(const struct thaw_archive *ar)
{
	return ar->ops->recall != NULL;
}

static int check_keys(const struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
		      const struct thaw_call *call)
{
	for (size_t i = 0; i < n; i++) {
		int rc = check_key(ar, keys[i], call);

		if (rc)
			return rc;
	}
	return 0;
}

int thaw_archive_recall(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
			const struct thaw_call *call)
{
	int rc;

	call = call ? call : &no_call;
	forget_text(call->err);
	rc = check_keys(ar, keys, n, call);
	if (!rc && n && ar->ops->recall)
		rc = ar->ops->recall(ar, keys, n, call);
	return judge(ar, "recall", rc, call->err);
}

int thaw_archive_poll(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
		      enum thaw_avail *ret, const struct thaw_call *call)
{
	int rc;

	call = call ? call : &no_call;
	forget_text(call->err);
	rc = check_keys(ar, keys, n, call);
	if (rc)
		return rc;
	if (!ar->ops->poll) {
		for (size_t i = 0; i < n; i++)
			ret[i] = THAW_AVAIL_ONLINE;
		return 0;
	}
	rc = n ? ar->ops->poll(ar, keys, n, ret, call) : 0;
	for (size_t i = 0; !rc && i < n; i++) {
		if ((unsigned)ret[i] > THAW_AVAIL_LOST)
			return broken(ar, call, "poll gave no known availability");
	}
	return judge(ar, "poll", rc, call->err);
}

/* --- bytes ----------------------------------------------------------------------------- */

struct get_watch {
	struct thaw_archive *ar;
	thaw_sink_fn *sink;
	void *ctx;
	const struct thaw_call *call;
	uint64_t next, end; /* where the next piece must begin, and the last one end */
	int answer;         /* what ended the transfer from this side, 0: nothing did */
};

static int watch_piece(void *ctx, uint64_t off, const void *data, size_t len)
{
	struct get_watch *watch = ctx;

	if (watch->answer) /* a backend that did not stop when told to */
		return watch->answer;
	if (off != watch->next)
		watch->answer =
			broken(watch->ar, watch->call,
			       "sent byte %" PRIu64 " where %" PRIu64 " was due", off, watch->next);
	else if (len > watch->end - watch->next)
		watch->answer =
			broken(watch->ar, watch->call,
			       "sent more than was asked for, past byte %" PRIu64, watch->end);
	else if (thaw_archive_cancelled(watch->call))
		watch->answer = thaw_err_set(watch->call->err, -ECANCELED, "cancelled");
	else if (len)
		watch->answer = watch->sink(watch->ctx, off, data, len);
	if (!watch->answer)
		watch->next += len;
	return watch->answer;
}

int thaw_archive_get(struct thaw_archive *ar, struct thaw_key key, const struct thaw_tag *tag,
		     uint64_t off, uint64_t len, thaw_sink_fn *sink, void *ctx,
		     const struct thaw_call *call)
{
	struct get_watch watch = {.ar = ar,
				  .sink = sink,
				  .ctx = ctx,
				  .call = call ? call : &no_call,
				  .next = off,
				  .end = off + len};
	int rc;

	call = watch.call;
	forget_text(call->err);
	rc = check_key(ar, key, call);
	if (rc)
		return rc;
	if (off > INT64_MAX || len > INT64_MAX - off)
		return thaw_err_set(call->err, -EIO,
				    "bytes %" PRIu64 " + %" PRIu64 ": past 63 bits", off, len);
	if (thaw_archive_cancelled(call))
		return thaw_err_set(call->err, -ECANCELED, "cancelled");
	rc = ar->ops->get(ar, key, tag, off, len, watch_piece, &watch, call);
	if (watch.answer) {
		explain(ar, "get", watch.answer, call->err);
		return watch.answer;
	}
	if (!rc && watch.next != watch.end)
		return broken(ar, call, "short: %" PRIu64 " of %" PRIu64 " bytes came and no error",
			      watch.next - off, len);
	return judge(ar, "get", rc, call->err);
}
