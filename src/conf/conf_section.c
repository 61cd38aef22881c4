/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/conf_section.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "conf/conf_build.h"
#include "conf/conf_text.h"

static const char *const section_names[] = {
	[THAW_CONF_IN_DAEMON] = "daemon",
	[THAW_CONF_IN_CACHE] = "cache",
	[THAW_CONF_IN_ARCHIVE] = "archive",
	[THAW_CONF_IN_COLLECTION] = "collection",
};

static int unknown_section(const struct thaw_conf_section *at, const char *word)
{
	struct thaw_conf_guess guess = {.word = word};
	char quoted[THAW_CONF_QUOTED];

	for (size_t i = THAW_CONF_IN_DAEMON; i <= THAW_CONF_IN_COLLECTION; i++)
		thaw_conf_guess_try(&guess, section_names[i]);
	thaw_conf_text_quote(quoted, word);
	if (guess.best)
		return thaw_conf_fail_at(at->build, at->line,
					 "there is no section [%s]; did you mean [%s]?", quoted,
					 guess.best);
	return thaw_conf_fail_at(at->build, at->line,
				 "there is no section [%s]; there are [daemon], [cache], "
				 "[archive NAME] and [collection NAME]",
				 quoted);
}

static int twice(const struct thaw_conf_section *at, const char *name, unsigned first)
{
	return thaw_conf_fail_at(at->build, at->line,
				 "[%s %s] is there already, on line %u; give each its own name",
				 section_names[at->kind], name, first);
}

static int begin_archive(struct thaw_conf_section *at, const char *name)
{
	struct thaw_conf *conf = at->build->conf;
	const struct thaw_conf_archive *first = thaw_conf_archive_named(conf, name);
	struct thaw_conf_archive *archive;

	if (first)
		return twice(at, name, first->line);
	archive = thaw_conf_add_archive(conf, name);
	if (!archive)
		return -ENOMEM;
	archive->line = at->line;
	return 0;
}

static int begin_collection(struct thaw_conf_section *at, const char *name)
{
	struct thaw_conf *conf = at->build->conf;
	struct thaw_conf_collection *collection;

	for (size_t i = 0; i < conf->collection_count; i++) {
		if (strcmp(conf->collections[i].name, name) == 0)
			return twice(at, name, conf->collections[i].line);
	}
	collection = thaw_conf_add_collection(conf, name);
	if (!collection)
		return -ENOMEM;
	collection->line = at->line;
	return 0;
}

static enum thaw_conf_in section_of(const char *word)
{
	for (int i = THAW_CONF_IN_DAEMON; i <= THAW_CONF_IN_COLLECTION; i++) {
		if (strcmp(section_names[i], word) == 0)
			return (enum thaw_conf_in)i;
	}
	return THAW_CONF_IN_NONE;
}

static int begin_named(struct thaw_conf_section *at, const char *name)
{
	char quoted[THAW_CONF_QUOTED];

	if (!*name)
		return thaw_conf_fail_at(at->build, at->line, "[%s] needs a name, as in [%s one]",
					 section_names[at->kind], section_names[at->kind]);
	if (!thaw_conf_text_is_name(name))
		return thaw_conf_fail_at(
			at->build, at->line,
			"[%s %s]: a name has 1 to 64 letters, digits, '.', '_' or '-'",
			section_names[at->kind], thaw_conf_text_quote(quoted, name));
	if (at->kind == THAW_CONF_IN_ARCHIVE)
		return begin_archive(at, name);
	return begin_collection(at, name);
}

int thaw_conf_section_begin(struct thaw_conf_section *at, char *text)
{
	char *end = strchr(text, ']');
	char *word, *name;

	if (!end || end[1])
		return thaw_conf_fail_at(at->build, at->line,
					 "a section is written [like this], alone on its line");
	*end = '\0';
	word = thaw_conf_text_trim(text + 1);
	name = word + strcspn(word, " \t");
	if (*name)
		*name++ = '\0';
	name = thaw_conf_text_trim(name);
	at->kind = section_of(word);
	memset(at->seen, 0, thaw_conf_key_count * sizeof(*at->seen));
	if (at->kind == THAW_CONF_IN_NONE)
		return unknown_section(at, word);
	if (at->kind == THAW_CONF_IN_ARCHIVE || at->kind == THAW_CONF_IN_COLLECTION)
		return begin_named(at, name);
	if (*name)
		return thaw_conf_fail_at(at->build, at->line, "[%s] takes no name", word);
	return 0;
}

static void *current_base(const struct thaw_conf_section *at)
{
	struct thaw_conf *conf = at->build->conf;

	switch (at->kind) {
	case THAW_CONF_IN_ARCHIVE:
		return &conf->archives[conf->archive_count - 1];
	case THAW_CONF_IN_COLLECTION:
		return &conf->collections[conf->collection_count - 1];
	default:
		return conf;
	}
}

static int unknown_key(const struct thaw_conf_section *at, const char *key)
{
	const char *section = section_names[at->kind];
	struct thaw_conf_guess guess = {.word = key};
	char quoted[THAW_CONF_QUOTED];

	for (size_t i = 0; i < thaw_conf_key_count; i++) {
		if (strcmp(thaw_conf_keys[i].section, section) == 0)
			thaw_conf_guess_try(&guess, thaw_conf_keys[i].key);
	}
	thaw_conf_text_quote(quoted, key);
	if (guess.best)
		return thaw_conf_fail_at(at->build, at->line,
					 "[%s] has no key \"%s\"; did you mean \"%s\"?", section,
					 quoted, guess.best);
	return thaw_conf_fail_at(at->build, at->line,
				 "[%s] has no key \"%s\"; thawfs.conf(5) lists them", section,
				 quoted);
}

static int key_twice(const struct thaw_conf_section *at, const char *key, unsigned first)
{
	return thaw_conf_fail_at(at->build, at->line,
				 "%s is set already, on line %u; keep one of them", key, first);
}

static int set_known(struct thaw_conf_section *at, const struct thaw_conf_key *key,
		     const char *value)
{
	size_t row = (size_t)(key - thaw_conf_keys);
	char quoted[THAW_CONF_QUOTED];
	int rc;

	/* [daemon] and [cache] may stand in several parts, so their lines last */
	if (at->build->origins[row].line || at->seen[row])
		return key_twice(at, key->key,
				 at->seen[row] ? at->seen[row] : at->build->origins[row].line);
	rc = thaw_conf_value_set(key, current_base(at), value, at->build->err);
	if (rc == -EINVAL)
		thaw_err_prefix(at->build->err, "%s:%u: %s = %s", at->build->file, at->line,
				key->key, thaw_conf_text_quote(quoted, value));
	at->seen[row] = at->line;
	if (at->kind == THAW_CONF_IN_DAEMON || at->kind == THAW_CONF_IN_CACHE)
		at->build->origins[row].line = at->line;
	return rc;
}

/* Kept until the type of the archive is known. */
static int set_pair(struct thaw_conf_section *at, const char *key, const char *value)
{
	struct thaw_conf_archive *archive = current_base(at);

	for (size_t i = 0; i < archive->pair_count; i++) {
		if (strcmp(archive->pairs[i].key, key) == 0)
			return key_twice(at, key, archive->pairs[i].line);
	}
	return thaw_conf_add_pair(archive, key, value, at->line);
}

static int set_key(struct thaw_conf_section *at, const char *key, const char *value)
{
	const struct thaw_conf_key *row;

	if (!*key)
		return thaw_conf_fail_at(at->build, at->line, "there is no key before the '='");
	if (at->kind == THAW_CONF_IN_NONE)
		return thaw_conf_fail_at(at->build, at->line,
					 "\"%s\" stands before the first [section]", key);
	row = thaw_conf_key_find(section_names[at->kind], key);
	if (row)
		return set_known(at, row, value);
	if (at->kind == THAW_CONF_IN_ARCHIVE)
		return set_pair(at, key, value);
	return unknown_key(at, key);
}

/* "uid = 0  gid = 0": several short keys may share a line, two blanks apart.
 * Returns where the second begins, having cut it off, or NULL. */
static char *next_on_line(const char *key, char *value)
{
	static const char *const sharing[] = {"uid", "gid", "mode"};
	bool shares = false;
	char *gap;

	for (size_t i = 0; i < sizeof(sharing) / sizeof(sharing[0]); i++)
		shares |= strcmp(sharing[i], key) == 0;
	gap = shares ? strpbrk(value, " \t") : NULL;
	if (!gap || !isblank((unsigned char)gap[1]) || !strchr(gap, '='))
		return NULL;
	*gap = '\0';
	return thaw_conf_text_trim(gap + 1);
}

int thaw_conf_section_set(struct thaw_conf_section *at, const char *key, char *value)
{
	char *more = next_on_line(key, value);
	int rc = set_key(at, key, value);

	while (!rc && more) {
		char *equals = strchr(more, '=');

		if (!equals)
			return thaw_conf_fail_at(at->build, at->line, "\"%s\" is not key = value",
						 more);
		*equals = '\0';
		key = thaw_conf_text_trim(more);
		value = thaw_conf_text_trim(equals + 1);
		more = next_on_line(key, value);
		rc = set_key(at, key, value);
	}
	return rc;
}
