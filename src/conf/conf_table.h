/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_table.h - the one table of keys, and how a value's text becomes a field.
 *
 * Private to conf.  A row says where a key may stand (a section of the file,
 * an -o option, or both), what its value looks like and which field it fills.
 */
#ifndef THAW_CONF_CONF_TABLE_H
#define THAW_CONF_CONF_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thaw_err;

/* Behind each: the field it fills. */
enum thaw_conf_type {
	THAW_CONF_SIZE,     /* uint64_t */
	THAW_CONF_DURATION, /* int64_t, seconds */
	THAW_CONF_PERCENT,  /* unsigned */
	THAW_CONF_UINT,     /* unsigned */
	THAW_CONF_ID,       /* int64_t: a uid or gid */
	THAW_CONF_MODE,     /* int64_t */
	THAW_CONF_BOOL,     /* bool */
	THAW_CONF_ENUM,     /* int or an enum: the value of one of words */
	THAW_CONF_WORD,     /* char *: one of words; the rest are char * too */
	THAW_CONF_PATH,     /* absolute */
	THAW_CONF_PLACE,    /* a path under the mount */
	THAW_CONF_PREFIX,   /* of keys: "" or ends in '/' */
	THAW_CONF_HOSTPORT,
	THAW_CONF_FIXITY,
	THAW_CONF_STRING,
	THAW_CONF_ARCHIVES, /* struct thaw_conf_collection's two fields */
};

/* From where on a key is an -o option. */
enum thaw_conf_scope {
	THAW_CONF_ALWAYS,
	THAW_CONF_NO_FILE, /* SOURCE is a directory or s3:// */
	THAW_CONF_S3_ONLY, /* SOURCE is s3:// */
};

/* For keys that backends read: kept as text, the value is only checked. */
#define THAW_CONF_NO_FIELD SIZE_MAX

struct thaw_conf_word {
	const char *word; /* NULL ends the list */
	int value;
};

struct thaw_conf_key {
	const char *section; /* "cache", "archive", "archive s3"; "mount": options only */
	const char *key;
	const char *option; /* what -o calls it; NULL: no option */
	enum thaw_conf_scope scope;
	enum thaw_conf_type type;
	size_t offset;          /* in thaw_conf, or in the struct of its section */
	const char *deflt;      /* as text, parsed like any other value; NULL: none */
	const char *deflt_help; /* what to print where deflt is NULL */
	uint64_t min, max;      /* of numbers */
	const struct thaw_conf_word *words;
	const char *help;
};

extern const struct thaw_conf_key thaw_conf_keys[];
extern const size_t thaw_conf_key_count;

const struct thaw_conf_key *thaw_conf_key_find(const char *section, const char *key);
const struct thaw_conf_key *thaw_conf_key_option(const char *option);
const char *thaw_conf_type_name(enum thaw_conf_type type);

/* Checks the text and fills the key's field of *base, if it has one.  -EINVAL
 * with a text that says what the value should look like. */
int thaw_conf_value_set(const struct thaw_conf_key *key, void *base, const char *value,
			struct thaw_err *err);
/* Gives every key of the section that has a default its default. */
int thaw_conf_value_defaults(const char *section, void *base);

/* "did you mean": keeps the candidate that is nearest to `word`. */
struct thaw_conf_guess {
	const char *word;
	const char *best; /* NULL: nothing near enough */
	unsigned distance;
};
void thaw_conf_guess_try(struct thaw_conf_guess *guess, const char *candidate);

#endif
