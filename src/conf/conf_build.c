/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/conf_build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

int thaw_conf_fail(const struct thaw_conf_build *build, int code, const char *fmt, ...)
{
	char text[sizeof(build->err->text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return thaw_err_set(build->err, code, "%s", text);
}

int thaw_conf_fail_at(const struct thaw_conf_build *build, unsigned line, const char *fmt, ...)
{
	char text[sizeof(build->err->text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)thaw_err_set(build->err, -EINVAL, "%s", text);
	if (line)
		thaw_err_prefix(build->err, "%s:%u", build->file, line);
	return -EINVAL;
}

int thaw_conf_fail_key(const struct thaw_conf_build *build, const char *section, const char *key,
		       const char *fmt, ...)
{
	const struct thaw_conf_key *row = thaw_conf_key_find(section, key);
	const struct thaw_conf_origin *origin = &build->origins[row - thaw_conf_keys];
	char text[sizeof(build->err->text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)thaw_err_set(build->err, -EINVAL, "%s", text);
	if (origin->option)
		thaw_err_prefix(build->err, "-o %s", row->option);
	else if (origin->line)
		thaw_err_prefix(build->err, "%s:%u: %s", build->file, origin->line, key);
	else
		thaw_err_prefix(build->err, "%s (default)", row->option);
	return -EINVAL;
}

/* Counted before it is complete: thaw_conf_free() takes half-made ones. */
struct thaw_conf_archive *thaw_conf_add_archive(struct thaw_conf *conf, const char *name)
{
	struct thaw_conf_archive *archives, *archive;

	archives = reallocarray(conf->archives, conf->archive_count + 1, sizeof(*archives));
	if (!archives)
		return NULL;
	conf->archives = archives;
	archive = &archives[conf->archive_count++];
	*archive = (struct thaw_conf_archive){.name = strdup(name)};
	if (!archive->name || thaw_conf_value_defaults("archive", archive))
		return NULL;
	return archive;
}

struct thaw_conf_collection *thaw_conf_add_collection(struct thaw_conf *conf, const char *name)
{
	struct thaw_conf_collection *collections, *collection;

	collections =
		reallocarray(conf->collections, conf->collection_count + 1, sizeof(*collections));
	if (!collections)
		return NULL;
	conf->collections = collections;
	collection = &collections[conf->collection_count++];
	*collection = (struct thaw_conf_collection){
		.name = strdup(name),
		.prefix = strdup(""),
		.on_offline = THAW_CONF_OFFLINE_UNSET,
		.uid = -1,
		.gid = -1,
		.mode = -1,
	};
	if (asprintf(&collection->path, "/%s", name) < 0)
		collection->path = NULL;
	if (!collection->name || !collection->prefix || !collection->path ||
	    thaw_conf_value_defaults("collection", collection))
		return NULL;
	return collection;
}

int thaw_conf_add_pair(struct thaw_conf_archive *archive, const char *key, const char *value,
		       unsigned line)
{
	struct thaw_conf_pair *pairs, *pair;

	pairs = reallocarray(archive->pairs, archive->pair_count + 1, sizeof(*pairs));
	if (!pairs)
		return -ENOMEM;
	archive->pairs = pairs;
	pair = &pairs[archive->pair_count++];
	*pair = (struct thaw_conf_pair){.key = strdup(key), .value = strdup(value), .line = line};
	return pair->key && pair->value ? 0 : -ENOMEM;
}
