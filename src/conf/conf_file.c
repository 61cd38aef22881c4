/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_file.c - thawfs.conf(5), read through libinih.
 *
 * libinih cuts long lines, cuts section names at 49 bytes, skips empty
 * sections, takes an indented line for a continuation and knows only the
 * number of the first bad line.  So its reader callback, which is ours, hands
 * it one clean "key = value" at a time and keeps sections and line numbers.
 */
#include "conf/conf_build.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "conf/conf_section.h"
#include "conf/conf_text.h"

#define LINE_LIMIT 8192

struct reader {
	struct thaw_conf_section at; /* at.line: the line last read */
	FILE *file;
	char *text; /* of the line; owned */
	size_t room;
	int rc; /* once set, the file has no more lines */
};

/* A comment begins with ; or # at the start or behind white space. */
static void cut_comment(char *text)
{
	for (char *at = text; *at; at++) {
		if ((*at == ';' || *at == '#') && (at == text || isblank((unsigned char)at[-1]))) {
			*at = '\0';
			return;
		}
	}
}

/* libinih wants 0 for an error. */
static int on_pair(void *ctx, const char *section, const char *key, const char *value)
{
	struct reader *reader = ctx;
	_cleanup_free_ char *copy = strdup(value ? value : "");

	(void)section; /* cut short; ours is whole */
	if (!reader->rc)
		reader->rc = copy ? thaw_conf_section_set(&reader->at, key, copy) : -ENOMEM;
	return reader->rc == 0;
}

static int next_line(struct reader *reader, char *out, size_t room)
{
	ssize_t len = getline(&reader->text, &reader->room, reader->file);
	char *text = reader->text;

	out[0] = '\n';
	out[1] = '\0';
	if (len < 0)
		return ferror(reader->file) ? -EIO : 1;
	reader->at.line++;
	if (strlen(text) < (size_t)len)
		return thaw_conf_fail_at(reader->at.build, reader->at.line,
					 "has a NUL byte; this is no text file");
	if (reader->at.line == 1 && strncmp(text, "\xEF\xBB\xBF", 3) == 0)
		text += 3;
	cut_comment(text);
	text = thaw_conf_text_trim(text);
	len = (ssize_t)strlen(text);
	if (text[0] == '[')
		return thaw_conf_section_begin(&reader->at, text);
	if ((size_t)len + 2 > room)
		return thaw_conf_fail_at(reader->at.build, reader->at.line,
					 "is longer than %zu bytes", room - 2);
	if (len && text[strcspn(text, "=:")] != '=') /* libinih takes ":" too */
		return thaw_conf_fail_at(reader->at.build, reader->at.line,
					 "is neither key = value nor a [section]");
	memcpy(out, text, (size_t)len);
	out[len] = '\n';
	out[len + 1] = '\0';
	return 0;
}

static char *read_line(char *out, int room, void *ctx)
{
	struct reader *reader = ctx;
	int rc = reader->rc ? reader->rc : next_line(reader, out, (size_t)room);

	if (rc < 0)
		reader->rc = rc;
	return rc ? NULL : out;
}

static int parse(struct reader *reader)
{
	int bad;

#ifdef HAVE_INI_MAX_LINE
	ini_max_line = LINE_LIMIT; /* 200 where it cannot be set */
#endif
	bad = ini_parse_stream(read_line, reader, on_pair, reader);
	if (reader->rc == -EIO)
		return thaw_conf_fail(reader->at.build, -EIO, "%s: cannot be read",
				      reader->at.build->file);
	if (reader->rc)
		return reader->rc;
	if (bad > 0)
		return thaw_conf_fail_at(reader->at.build, (unsigned)bad,
					 "is neither key = value nor a [section]");
	return bad < 0 ? -ENOMEM : 0;
}

int thaw_conf_read_file(struct thaw_conf_build *build)
{
	struct reader reader = {.at = {.build = build}};
	int rc = -ENOMEM;

	reader.file = fopen(build->file, "re");
	if (!reader.file) {
		rc = -errno;
		return thaw_conf_fail(build, rc, "%s: %s", build->file, strerror(-rc));
	}
	reader.at.seen = calloc(thaw_conf_key_count, sizeof(*reader.at.seen));
	if (reader.at.seen)
		rc = parse(&reader);
	free(reader.at.seen);
	free(reader.text);
	(void)fclose(reader.file);
	return rc;
}
