/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_check.c - archives and collections as a whole: what can only be said
 * when all of it was read.
 */
#include "conf/conf_build.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/path.h"
#include "conf/conf_text.h"

/* --- archives --- */

/* command, fault and mem read their own keys. */
static bool has_key_table(const char *type)
{
	return strcmp(type, "posix") == 0 || strcmp(type, "s3") == 0;
}

static int unknown_pair(const struct thaw_conf_build *build,
			const struct thaw_conf_archive *archive, const struct thaw_conf_pair *pair,
			const char *section)
{
	struct thaw_conf_guess guess = {.word = pair->key};
	char quoted[THAW_CONF_QUOTED];

	for (size_t i = 0; i < thaw_conf_key_count; i++) {
		const struct thaw_conf_key *key = &thaw_conf_keys[i];

		if (strcmp(key->section, section) == 0 || strcmp(key->section, "archive") == 0)
			thaw_conf_guess_try(&guess, key->key);
	}
	thaw_conf_text_quote(quoted, pair->key);
	if (guess.best)
		return thaw_conf_fail_at(
			build, pair->line,
			"[archive %s] of type %s has no key \"%s\"; did you mean \"%s\"?",
			archive->name, archive->type, quoted, guess.best);
	return thaw_conf_fail_at(
		build, pair->line,
		"[archive %s] of type %s has no key \"%s\"; thawfs.conf(5) lists them",
		archive->name, archive->type, quoted);
}

static int check_pairs(const struct thaw_conf_build *build, struct thaw_conf_archive *archive)
{
	char section[32], quoted[THAW_CONF_QUOTED];

	(void)snprintf(section, sizeof(section), "archive %s", archive->type);
	for (size_t i = 0; i < archive->pair_count; i++) {
		const struct thaw_conf_pair *pair = &archive->pairs[i];
		const struct thaw_conf_key *key = thaw_conf_key_find(section, pair->key);
		int rc;

		if (!key)
			return unknown_pair(build, archive, pair, section);
		rc = thaw_conf_value_set(key, archive, pair->value, build->err);
		if (rc == -EINVAL && pair->line)
			thaw_err_prefix(build->err, "%s:%u: %s = %s", build->file, pair->line,
					pair->key, thaw_conf_text_quote(quoted, pair->value));
		if (rc)
			return rc;
	}
	return 0;
}

static int need(const struct thaw_conf_build *build, const struct thaw_conf_archive *archive,
		const char *key)
{
	if (thaw_conf_archive_get(archive, key))
		return 0;
	return thaw_conf_fail_at(build, archive->line,
				 "[archive %s] of type %s needs a line: %s = ...", archive->name,
				 archive->type, key);
}

const char *thaw_conf_store_type(const struct thaw_conf_archive *archive)
{
	const char *inner = thaw_conf_archive_get(archive, "inner");

	return strcmp(archive->type, "fault") == 0 && inner ? inner : archive->type;
}

static int check_needs(const struct thaw_conf_build *build, const struct thaw_conf_archive *archive)
{
	const char *type = thaw_conf_store_type(archive);

	if (strcmp(type, "fault") == 0)
		return need(build, archive, "inner");
	if (strcmp(type, "posix") == 0)
		return need(build, archive, "path");
	if (strcmp(type, "s3") == 0)
		return need(build, archive, "bucket");
	return 0;
}

/* A secret that others can read is none. */
static int check_credentials(const struct thaw_conf_build *build,
			     const struct thaw_conf_archive *archive)
{
	const char *path = thaw_conf_archive_get(archive, "credentials");
	struct stat st;

	if (!path || strcmp(thaw_conf_store_type(archive), "s3") != 0)
		return 0;
	if (stat(path, &st) < 0) {
		int error = errno;

		(void)thaw_conf_fail_at(build, archive->line, "credentials file %s: %s", path,
					strerror(error));
		return -error;
	}
	if (!S_ISREG(st.st_mode))
		return thaw_conf_fail_at(build, archive->line, "credentials file %s: is not a file",
					 path);
	if (st.st_mode & 077)
		return thaw_conf_fail_at(
			build, archive->line,
			"credentials file %s: open to others (mode %04o); run chmod 600 %s", path,
			(unsigned)st.st_mode & 07777, path);
	return 0;
}

static int check_archive(const struct thaw_conf_build *build, struct thaw_conf_archive *archive)
{
	int rc = 0;

	if (!archive->type)
		return thaw_conf_fail_at(build, archive->line,
					 "[archive %s] needs a line: type = posix or type = s3",
					 archive->name);
	if (has_key_table(archive->type))
		rc = check_pairs(build, archive);
	if (!rc)
		rc = check_needs(build, archive);
	return rc ? rc : check_credentials(build, archive);
}

int thaw_conf_check_archives(struct thaw_conf_build *build)
{
	for (size_t i = 0; i < build->conf->archive_count; i++) {
		int rc = check_archive(build, &build->conf->archives[i]);

		if (rc)
			return rc;
	}
	return 0;
}

/* --- collections --- */

static int unknown_archive(const struct thaw_conf_build *build,
			   const struct thaw_conf_collection *collection, const char *name)
{
	struct thaw_conf_guess guess = {.word = name};

	for (size_t i = 0; i < build->conf->archive_count; i++)
		thaw_conf_guess_try(&guess, build->conf->archives[i].name);
	if (guess.best)
		return thaw_conf_fail_at(
			build, collection->line,
			"[collection %s]: there is no [archive %s]; did you mean \"%s\"?",
			collection->name, name, guess.best);
	return thaw_conf_fail_at(build, collection->line,
				 "[collection %s]: there is no [archive %s]; add that section",
				 collection->name, name);
}

static int check_copies(const struct thaw_conf_build *build,
			const struct thaw_conf_collection *collection)
{
	if (!collection->archive_count)
		return thaw_conf_fail_at(build, collection->line,
					 "[collection %s] needs a line: archive = NAME",
					 collection->name);
	for (size_t i = 0; i < collection->archive_count; i++) {
		if (!thaw_conf_archive_named(build->conf, collection->archives[i]))
			return unknown_archive(build, collection, collection->archives[i]);
	}
	return 0;
}

static int check_overlap(const struct thaw_conf_build *build,
			 const struct thaw_conf_collection *collection,
			 const struct thaw_conf_collection *other)
{
	if (strcmp(collection->path, other->path) == 0)
		return thaw_conf_fail_at(build, collection->line,
					 "[collection %s] and [collection %s] both stand at %s; "
					 "give each its own path",
					 collection->name, other->name, other->path);
	if (thaw_path_is_under(collection->path, other->path) ||
	    thaw_path_is_under(other->path, collection->path))
		return thaw_conf_fail_at(build, collection->line,
					 "[collection %s] at %s and [collection %s] at %s: "
					 "one lies inside the other; put them side by side",
					 collection->name, collection->path, other->name,
					 other->path);
	return 0;
}

static int check_collection(const struct thaw_conf_build *build, size_t i)
{
	struct thaw_conf_collection *collection = &build->conf->collections[i];
	int rc = check_copies(build, collection);

	for (size_t j = 0; j < i && !rc; j++)
		rc = check_overlap(build, collection, &build->conf->collections[j]);
	if (collection->on_offline == THAW_CONF_OFFLINE_UNSET)
		collection->on_offline = build->conf->on_offline;
	return rc;
}

int thaw_conf_check_collections(struct thaw_conf_build *build)
{
	if (!build->conf->collection_count)
		return thaw_conf_fail(build, -EINVAL,
				      "%s: no [collection NAME], so there is nothing to show",
				      build->file);
	for (size_t i = 0; i < build->conf->collection_count; i++) {
		int rc = check_collection(build, i);

		if (rc)
			return rc;
	}
	return 0;
}
