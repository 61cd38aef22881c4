/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_option.c - the words of -o: ours, libfuse's, and those that mount(8)
 * leaves in for nobody.
 *
 * Words are divided by commas; `\,` is a comma and `\\` a backslash.
 */
#include "conf/conf_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/path.h"
#include "conf/conf_text.h"

#define OPTIONS_LIMIT 65536

/* For mount(8), fstab and systemd; they say nothing to a daemon. */
static const char *const dropped[] = {
	"defaults", "_netdev", "nofail",   "noauto",     "auto",        "user",     "nouser",
	"users",    "owner",   "group",    "relatime",   "strictatime", "lazytime", "nolazytime",
	"silent",   "loud",    "iversion", "noiversion", "mand",        "nomand",
};

/* Handed to libfuse as they are; '=' at the end: takes a value. */
static const char *const for_fuse[] = {
	"dev",
	"nodev",
	"suid",
	"nosuid",
	"exec",
	"noexec",
	"sync",
	"async",
	"dirsync",
	"noatime",
	"nodiratime",
	"default_permissions",
	"auto_unmount",
	"clone_fd",
	"debug",
	"fsname=",
	"subtype=",
	"max_threads=",
	"max_idle_threads=",
	"max_read=",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool is_dropped(const char *word)
{
	if (strncmp(word, "x-", 2) == 0 || strncmp(word, "comment=", 8) == 0)
		return true;
	for (size_t i = 0; i < COUNT(dropped); i++) {
		if (strcmp(word, dropped[i]) == 0)
			return true;
	}
	return false;
}

static bool is_for_fuse(const char *word)
{
	for (size_t i = 0; i < COUNT(for_fuse); i++) {
		size_t len = strlen(for_fuse[i]);
		bool takes_value = for_fuse[i][len - 1] == '=';

		if (takes_value ? strncmp(word, for_fuse[i], len) == 0 && word[len]
				: strcmp(word, for_fuse[i]) == 0)
			return true;
	}
	return false;
}

static int unknown_option(struct thaw_conf_build *build, const char *name)
{
	struct thaw_conf_guess guess = {.word = name};
	char quoted[THAW_CONF_QUOTED];

	for (size_t i = 0; i < thaw_conf_key_count; i++) {
		if (thaw_conf_keys[i].option)
			thaw_conf_guess_try(&guess, thaw_conf_keys[i].option);
	}
	for (size_t i = 0; i < COUNT(dropped); i++)
		thaw_conf_guess_try(&guess, dropped[i]);
	for (size_t i = 0; i < COUNT(for_fuse); i++)
		thaw_conf_guess_try(&guess, for_fuse[i]);
	thaw_conf_text_quote(quoted, name);
	if (guess.best)
		return thaw_conf_fail(build, -EINVAL, "-o %s: no such option; did you mean %s?",
				      quoted, guess.best);
	return thaw_conf_fail(build, -EINVAL, "-o %s: no such option; thawfs(8) lists them",
			      quoted);
}

static int check_scope(struct thaw_conf_build *build, enum thaw_conf_source source,
		       const struct thaw_conf_key *key)
{
	if (key->scope == THAW_CONF_NO_FILE && source == THAW_CONF_SOURCE_FILE)
		return thaw_conf_fail(
			build, -EINVAL,
			"-o %s: set it in %s, for the archive or collection it is for", key->option,
			build->file);
	if (key->scope == THAW_CONF_S3_ONLY && source != THAW_CONF_SOURCE_S3)
		return thaw_conf_fail(build, -EINVAL, "-o %s: is for a SOURCE like s3://bucket",
				      key->option);
	return 0;
}

/* The struct whose field the key is. */
static void *base_of(struct thaw_conf *conf, const struct thaw_conf_key *key)
{
	if (strcmp(key->section, "collection") == 0)
		return conf->collections;
	if (strcmp(key->section, "archive") == 0)
		return conf->archives;
	return conf;
}

/* Pairs of the one archive; a later option replaces an earlier one. */
static int set_pair(struct thaw_conf *conf, const char *key, const char *value)
{
	struct thaw_conf_archive *archive = conf->archives;

	for (size_t i = 0; i < archive->pair_count; i++) {
		if (strcmp(archive->pairs[i].key, key) == 0)
			return thaw_conf_text_keep(&archive->pairs[i].value, value);
	}
	return thaw_conf_add_pair(archive, key, value, 0);
}

/* Relative paths are meant from where the command was given; the daemon will
 * stand elsewhere. */
static int make_absolute(struct thaw_conf_build *build, const struct thaw_conf_key *key,
			 const char *value, char **ret)
{
	int rc;

	if (key->type != THAW_CONF_PATH || value[0] == '/' || !*value) {
		*ret = strdup(value);
		return *ret ? 0 : -ENOMEM;
	}
	rc = thaw_path_resolve(value, ret);
	if (rc)
		return thaw_conf_fail(build, rc, "-o %s=%s: %s", key->option, value, strerror(-rc));
	return 0;
}

static int set_option(struct thaw_conf_build *build, enum thaw_conf_source source,
		      const struct thaw_conf_key *key, const char *given)
{
	_cleanup_free_ char *value = NULL;
	char quoted[THAW_CONF_QUOTED];
	int rc = check_scope(build, source, key);

	if (rc)
		return rc;
	if (!given && key->type != THAW_CONF_BOOL)
		return thaw_conf_fail(build, -EINVAL, "-o %s: needs a value, %s=%s", key->option,
				      key->option, thaw_conf_type_name(key->type));
	rc = make_absolute(build, key, given ? given : "yes", &value);
	if (rc)
		return rc;
	rc = thaw_conf_value_set(key, base_of(build->conf, key), value, build->err);
	if (rc == -EINVAL)
		thaw_err_prefix(build->err, "-o %s=%s", key->option,
				thaw_conf_text_quote(quoted, value));
	if (!rc && key->offset == THAW_CONF_NO_FIELD)
		rc = set_pair(build->conf, key->key, value);
	build->origins[key - thaw_conf_keys].option = true;
	return rc;
}

static int pass_to_fuse(struct thaw_conf *conf, const char *raw)
{
	struct thaw_buf all;
	int rc;

	thaw_buf_init(&all, OPTIONS_LIMIT);
	thaw_buf_addf(&all, "%s%s%s", conf->fuse_options, conf->fuse_options[0] ? "," : "", raw);
	rc = all.error;
	if (!rc) {
		free(conf->fuse_options);
		conf->fuse_options = thaw_buf_steal(&all);
	}
	thaw_buf_release(&all);
	return rc;
}

/* raw: the word as it was written, with its backslashes. */
static int read_word(struct thaw_conf_build *build, enum thaw_conf_source source, char *word,
		     const char *raw)
{
	const struct thaw_conf_key *key;
	char *value;

	if (!*word || is_dropped(word))
		return 0;
	if (is_for_fuse(word))
		return pass_to_fuse(build->conf, raw);
	if (strcmp(word, "rw") == 0) {
		build->conf->ro = false;
		return 0;
	}
	value = strchr(word, '=');
	if (value)
		*value++ = '\0';
	key = thaw_conf_key_option(word);
	return key ? set_option(build, source, key, value) : unknown_option(build, word);
}

/* Length of the word up to the next bare comma. */
static size_t word_len(const char *text)
{
	size_t len = 0;

	while (text[len] && text[len] != ',')
		len += text[len] == '\\' && text[len + 1] ? 2 : 1;
	return len;
}

static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (*text == '\\' && (text[1] == ',' || text[1] == '\\'))
			text++;
		*out++ = *text;
	}
	*out = '\0';
}

int thaw_conf_read_option(struct thaw_conf_build *build, enum thaw_conf_source source,
			  const char *options)
{
	while (*options) {
		size_t len = word_len(options);
		_cleanup_free_ char *raw = strndup(options, len);
		_cleanup_free_ char *word = strndup(options, len);
		int rc;

		if (!raw || !word)
			return -ENOMEM;
		unescape(word);
		rc = read_word(build, source, word, raw);
		if (rc)
			return rc;
		options += len + (options[len] == ',');
	}
	return 0;
}
