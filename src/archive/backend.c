/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "archive/backend.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "conf/conf.h"

/* `cancel` is a flag without a wake-up, so long waits look at it this often. */
#define SLICE_NS (10 * THAW_NS_PER_MS)

int thaw_archive_sleep(const struct thaw_call *call, int64_t ns)
{
	int64_t now = thaw_clock_mono_ns();
	int64_t until = ns > INT64_MAX - now ? INT64_MAX : now + ns;

	while (now < until) {
		int64_t left = until - now < SLICE_NS ? until - now : SLICE_NS;
		struct timespec slice = {.tv_nsec = left};

		if (thaw_archive_cancelled(call))
			return -ECANCELED;
		(void)nanosleep(&slice, NULL);
		now = thaw_clock_mono_ns();
	}
	return thaw_archive_cancelled(call) ? -ECANCELED : 0;
}

static bool is_known(const char *key, const char *const *known)
{
	for (; *known; known++) {
		if (strcmp(key, *known) == 0)
			return true;
	}
	return false;
}

static void add_known(struct thaw_buf *text, const char *const *known)
{
	for (size_t i = 0; known[i]; i++)
		(void)thaw_buf_addf(text, "%s%s", i ? ", " : "", known[i]);
}

int thaw_archive_check_keys(const struct thaw_conf_archive *conf, const char *const *known,
			    struct thaw_err *err)
{
	for (size_t i = 0; i < conf->pair_count; i++) {
		const struct thaw_conf_pair *pair = &conf->pairs[i];
		struct thaw_buf text;

		if (is_known(pair->key, known))
			continue;
		thaw_buf_init(&text, sizeof(err->text));
		add_known(&text, known);
		(void)thaw_err_set(err, -EINVAL,
				   "archive %s, line %u: unknown key \"%s\" for type = %s: use %s",
				   conf->name, pair->line, pair->key, conf->type,
				   text.len ? text.data : "none");
		thaw_buf_release(&text);
		return -EINVAL;
	}
	return 0;
}

int thaw_archive_bad_value(const struct thaw_conf_archive *conf, const char *key, const char *mend,
			   struct thaw_err *err)
{
	for (size_t i = 0; i < conf->pair_count; i++) {
		const struct thaw_conf_pair *pair = &conf->pairs[i];

		if (strcmp(pair->key, key) == 0)
			return thaw_err_set(err, -EINVAL, "archive %s, line %u: %s = %s: %s",
					    conf->name, pair->line, key, pair->value, mend);
	}
	return thaw_err_set(err, -EINVAL, "archive %s, line %u: %s is missing: %s", conf->name,
			    conf->line, key, mend);
}

const char *thaw_archive_key_text(char text[THAW_KEY_TEXT], struct thaw_key key)
{
	return thaw_path_quote(text, THAW_KEY_TEXT, key.data, key.len);
}

static bool part_is_plain(const char *part, size_t len)
{
	if (len == 0 || (len == 1 && part[0] == '.'))
		return false;
	return !(len == 2 && part[0] == '.' && part[1] == '.');
}

bool thaw_archive_key_is_plain(struct thaw_key key)
{
	const char *part = key.data;
	const char *end = key.data + key.len;

	if (!key.len)
		return true;
	for (;;) {
		const char *slash = memchr(part, '/', (size_t)(end - part));

		if (!part_is_plain(part, (size_t)((slash ? slash : end) - part)))
			return false;
		if (!slash)
			return true;
		part = slash + 1;
	}
}
