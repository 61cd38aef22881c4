/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fault_settings.c - what is to go wrong, from text.
 */
#include "archive/fault.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/units.h"

#define LINE_ROOM  512
#define ERRNO_LAST 133
#define MS_MAX     UINT64_C(1000000000)

const struct thaw_fault_settings thaw_fault_settings_none = {.stall_after = UINT64_MAX};

/* --- values ---------------------------------------------------------------------------- */

enum kind { MS, NUMBER, SIZE, SIZE_OR_NO, PERCENT, YES_NO, FAIL_KEYS };

#define FIELD(name) .key = #name, .at = offsetof(struct thaw_fault_settings, name)

static const struct row {
	const char *key;
	size_t at;
	enum kind kind;
} rows[] = {
	{FIELD(delay), .kind = MS},
	{FIELD(list_delay), .kind = MS},
	{FIELD(rate), .kind = SIZE},
	{FIELD(stall_after), .kind = SIZE_OR_NO},
	{FIELD(seed), .kind = NUMBER},
	{FIELD(endless), .kind = YES_NO},
	{FIELD(down), .kind = YES_NO},
	{FIELD(error_rate), .kind = PERCENT},
	{FIELD(eagain_rate), .kind = PERCENT},
	{FIELD(short_rate), .kind = PERCENT},
	{FIELD(flip_rate), .kind = PERCENT},
	{FIELD(stale_rate), .kind = PERCENT},
	{FIELD(fail_keys), .kind = FAIL_KEYS},
};

static const struct row *find_row(const char *key)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].key, key) == 0)
			return &rows[i];
	}
	return NULL;
}

static int parse_yes_no(const char *text, uint64_t *ret)
{
	static const char *const words[] = {"no", "yes", "off", "on", "false", "true"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret = i & 1;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_ms(const char *text, uint64_t *ret)
{
	uint64_t ms;
	int rc = thaw_parse_u64(text, &ms);

	if (rc)
		return rc;
	if (ms > MS_MAX)
		return -ERANGE;
	*ret = ms;
	return 0;
}

static int parse_percent(const char *text, uint64_t *ret)
{
	unsigned percent;
	int rc = thaw_parse_percent(text, &percent);

	if (!rc)
		*ret = percent;
	return rc;
}

/* -errno for "EIO"; 0 for what is no such name. */
static int code_of(const char *name, size_t len)
{
	for (int e = 1; e <= ERRNO_LAST; e++) {
		const char *known = thaw_err_name(e);

		if (strlen(known) == len && memcmp(known, name, len) == 0)
			return -e;
	}
	return 0;
}

/* The next "PART:ERRNO" of a list; 0 at its end or where it is wrong. */
static int next_rule(const char **list, const char **ret_part, size_t *ret_len)
{
	const char *word = *list + strspn(*list, " \t");
	size_t len = strcspn(word, " \t");
	const char *colon = memrchr(word, ':', len);

	*list = word;
	if (!colon || colon == word)
		return 0;
	*list = word + len;
	*ret_part = word;
	*ret_len = (size_t)(colon - word);
	return code_of(colon + 1, (size_t)(word + len - colon - 1));
}

static int parse_fail_keys(const char *text, char *ret)
{
	const char *rest = text, *part;
	size_t len = strlen(text), part_len;

	if (len >= THAW_FAULT_KEYS_ROOM)
		return -ERANGE;
	while (rest[strspn(rest, " \t")]) {
		if (!next_rule(&rest, &part, &part_len))
			return -EINVAL;
	}
	memcpy(ret, text, len + 1);
	return 0;
}

static int parse_value(enum kind kind, const char *text, void *ret)
{
	switch (kind) {
	case MS:
		return parse_ms(text, ret);
	case NUMBER:
		return thaw_parse_u64(text, ret);
	case SIZE_OR_NO:
		if (strcmp(text, "no") == 0) {
			*(uint64_t *)ret = UINT64_MAX;
			return 0;
		}
		return thaw_parse_size(text, ret);
	case SIZE:
		return thaw_parse_size(text, ret);
	case PERCENT:
		return parse_percent(text, ret);
	case YES_NO:
		return parse_yes_no(text, ret);
	case FAIL_KEYS:
		return parse_fail_keys(text, ret);
	}
	return -EINVAL;
}

static const char *mend_of(enum kind kind)
{
	switch (kind) {
	case MS:
		return "give milliseconds";
	case NUMBER:
		return "give a number";
	case SIZE:
		return "give a size, such as 1M";
	case SIZE_OR_NO:
		return "give a size, such as 1M, or no";
	case PERCENT:
		return "give 0 to 100";
	case YES_NO:
		return "say yes or no";
	case FAIL_KEYS:
		return "give PART:ERRNO, as in broken:EIO, with blanks between several";
	}
	return "";
}

bool thaw_fault_settings_has(const char *key)
{
	return find_row(key) != NULL;
}

int thaw_fault_settings_put(struct thaw_fault_settings *settings, const char *key,
			    const char *value, struct thaw_err *err)
{
	const struct row *row = find_row(key);

	if (!row)
		return thaw_err_set(err, -EINVAL, "unknown key \"%s\"", key);
	if (parse_value(row->kind, value, (char *)settings + row->at))
		return thaw_err_set(err, -EINVAL, "%s = %s: %s", key, value, mend_of(row->kind));
	return 0;
}

/* --- lines ----------------------------------------------------------------------------- */

static char *trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

static int parse_line(struct thaw_fault_settings *settings, char *line, struct thaw_err *err)
{
	char *equals;

	line[strcspn(line, "#")] = '\0';
	line = trim(line);
	if (!*line)
		return 0;
	equals = strchr(line, '=');
	if (!equals)
		return thaw_err_set(err, -EINVAL, "\"%s\": write key = value", line);
	*equals = '\0';
	return thaw_fault_settings_put(settings, trim(line), trim(equals + 1), err);
}

int thaw_fault_settings_parse(struct thaw_fault_settings *settings, const char *text,
			      struct thaw_err *err)
{
	char line[LINE_ROOM];

	for (unsigned n = 1; *text; n++) {
		size_t len = strcspn(text, "\n");
		int rc;

		if (len >= sizeof(line))
			return thaw_err_set(err, -EINVAL, "line %u is too long", n);
		memcpy(line, text, len);
		line[len] = '\0';
		rc = parse_line(settings, line, err);
		if (rc) {
			thaw_err_prefix(err, "line %u", n);
			return rc;
		}
		text += len + (text[len] == '\n');
	}
	return 0;
}

int thaw_fault_settings_code(const struct thaw_fault_settings *settings, struct thaw_key key)
{
	const char *rest = settings->fail_keys, *part;
	size_t len;
	int code;

	while ((code = next_rule(&rest, &part, &len))) {
		if (key.len && memmem(key.data, key.len, part, len))
			return code;
	}
	return 0;
}
