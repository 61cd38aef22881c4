/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_value.c - from the text of a value to a field: numbers, words and the
 * choice between them.  Values with a shape of their own are in conf_text.c.
 */
#include "conf/conf_table.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/units.h"
#include "conf/conf.h"
#include "conf/conf_text.h"

static_assert(sizeof(enum thaw_offline) == sizeof(int), "enums are stored as int");

static void *field(const struct thaw_conf_key *key, void *base)
{
	return (char *)base + key->offset;
}

#define BOUND_TEXT 24

/* A bound in the unit it would be written in. */
static const char *bound_text(char text[BOUND_TEXT], enum thaw_conf_type type, uint64_t bound)
{
	if (type == THAW_CONF_SIZE)
		return thaw_format_size(text, bound);
	if (type == THAW_CONF_DURATION && bound >= 86400)
		(void)snprintf(text, BOUND_TEXT, "%" PRIu64 "d", bound / 86400);
	else if (type == THAW_CONF_DURATION)
		(void)snprintf(text, BOUND_TEXT, "%" PRIu64 "s", bound);
	else if (type == THAW_CONF_MODE)
		(void)snprintf(text, BOUND_TEXT, "%04" PRIo64, bound);
	else
		(void)snprintf(text, BOUND_TEXT, "%" PRIu64 "%s", bound,
			       type == THAW_CONF_PERCENT ? "%" : "");
	return text;
}

static int out_of_range(const struct thaw_conf_key *key, struct thaw_err *err)
{
	char min[BOUND_TEXT], max[BOUND_TEXT];

	return thaw_err_set(err, -EINVAL, "must be between %s and %s",
			    bound_text(min, key->type, key->min),
			    bound_text(max, key->type, key->max));
}

static const char *number_shape(enum thaw_conf_type type)
{
	switch (type) {
	case THAW_CONF_SIZE:
		return "is not a size; write 500G or 64M (K M G T P)";
	case THAW_CONF_DURATION:
		return "is not a time; write 90s, 15m, 12h or 7d";
	case THAW_CONF_PERCENT:
		return "is not a share; write 95%";
	case THAW_CONF_MODE:
		return "is not a mode; write it in octal, like 0444";
	default:
		return "is not a whole number";
	}
}

static int read_number(const struct thaw_conf_key *key, const char *text, uint64_t *ret)
{
	unsigned percent = 0;
	uint32_t mode = 0;
	int64_t seconds = 0;
	int rc;

	switch (key->type) {
	case THAW_CONF_SIZE:
		return thaw_parse_size(text, ret);
	case THAW_CONF_DURATION:
		rc = thaw_parse_duration(text, &seconds);
		*ret = (uint64_t)seconds;
		return rc;
	case THAW_CONF_PERCENT:
		rc = thaw_parse_percent(text, &percent);
		*ret = percent;
		return rc;
	case THAW_CONF_MODE:
		rc = thaw_parse_mode(text, &mode);
		*ret = mode;
		return rc;
	default:
		return thaw_parse_u64(text, ret);
	}
}

static void store_number(const struct thaw_conf_key *key, void *base, uint64_t number)
{
	switch (key->type) {
	case THAW_CONF_SIZE:
		*(uint64_t *)field(key, base) = number;
		return;
	case THAW_CONF_PERCENT:
	case THAW_CONF_UINT:
		*(unsigned *)field(key, base) = (unsigned)number;
		return;
	default:
		*(int64_t *)field(key, base) = (int64_t)number;
	}
}

static int set_number(const struct thaw_conf_key *key, void *base, const char *text,
		      struct thaw_err *err)
{
	uint64_t number = 0;
	int rc = read_number(key, text, &number);

	if (rc == -EINVAL)
		return thaw_err_set(err, rc, "%s", number_shape(key->type));
	if (rc || number < key->min || number > key->max)
		return out_of_range(key, err);
	if (key->offset != THAW_CONF_NO_FIELD)
		store_number(key, base, number);
	return 0;
}

/* "must be one of: lru fifo random order" */
static int not_a_word(const struct thaw_conf_word *words, struct thaw_err *err)
{
	char list[128] = "";
	size_t len = 0;

	for (; words->word && len < sizeof(list); words++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, " %s", words->word);
	return thaw_err_set(err, -EINVAL, "must be one of:%s", list);
}

static int set_word(const struct thaw_conf_key *key, void *base, const char *text,
		    struct thaw_err *err)
{
	const struct thaw_conf_word *word = key->words;

	while (word->word && strcmp(word->word, text) != 0)
		word++;
	if (!word->word)
		return not_a_word(key->words, err);
	if (key->offset == THAW_CONF_NO_FIELD)
		return 0;
	if (key->type == THAW_CONF_WORD)
		return thaw_conf_text_keep(field(key, base), text);
	*(int *)field(key, base) = word->value;
	return 0;
}

static int set_bool(const struct thaw_conf_key *key, void *base, const char *text,
		    struct thaw_err *err)
{
	static const struct thaw_conf_word words[] = {
		{"yes", 1}, {"no", 0}, {"on", 1}, {"off", 0}, {"true", 1}, {"false", 0}, {NULL, 0},
	};

	for (size_t i = 0; words[i].word; i++) {
		if (strcmp(words[i].word, text) == 0) {
			*(bool *)field(key, base) = words[i].value;
			return 0;
		}
	}
	return not_a_word(words, err);
}

static int set_text(const struct thaw_conf_key *key, void *base, const char *text,
		    struct thaw_err *err)
{
	char **kept = key->offset == THAW_CONF_NO_FIELD ? NULL : field(key, base);

	switch (key->type) {
	case THAW_CONF_PATH:
		return thaw_conf_text_path(kept, text, err);
	case THAW_CONF_HOSTPORT:
		return thaw_conf_text_hostport(kept, text, err);
	case THAW_CONF_PLACE:
		return thaw_conf_text_place(kept, text, err);
	case THAW_CONF_PREFIX:
		return thaw_conf_text_prefix(kept, text, err);
	case THAW_CONF_FIXITY:
		return thaw_conf_text_fixity(kept, text, err);
	default:
		return thaw_conf_text_keep(kept, text);
	}
}

int thaw_conf_value_set(const struct thaw_conf_key *key, void *base, const char *value,
			struct thaw_err *err)
{
	if (!*value && key->type != THAW_CONF_PREFIX)
		return thaw_err_set(err, -EINVAL, "has no value; give one or leave it out");
	switch (key->type) {
	case THAW_CONF_SIZE:
	case THAW_CONF_DURATION:
	case THAW_CONF_PERCENT:
	case THAW_CONF_UINT:
	case THAW_CONF_ID:
	case THAW_CONF_MODE:
		return set_number(key, base, value, err);
	case THAW_CONF_BOOL:
		return set_bool(key, base, value, err);
	case THAW_CONF_ENUM:
	case THAW_CONF_WORD:
		return set_word(key, base, value, err);
	case THAW_CONF_ARCHIVES:
		return thaw_conf_text_archives(base, value, err);
	default:
		return set_text(key, base, value, err);
	}
}

int thaw_conf_value_defaults(const char *section, void *base)
{
	for (size_t i = 0; i < thaw_conf_key_count; i++) {
		const struct thaw_conf_key *key = &thaw_conf_keys[i];
		int rc;

		if (!key->deflt || strcmp(key->section, section) != 0)
			continue;
		rc = thaw_conf_value_set(key, base, key->deflt, NULL);
		if (rc)
			return rc;
	}
	return 0;
}
