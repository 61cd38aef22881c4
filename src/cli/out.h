/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * out.h - what people and scripts read: tables, names, errors, JSON.
 *
 * Names are bytes of others' making.  To a terminal one that is not printable
 * goes as \ooo, so that it cannot draw there; anywhere else bytes stay as they
 * are.  Errors are one line on stderr: "thaw: PATH: text".
 */
#ifndef THAW_CLI_OUT_H
#define THAW_CLI_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

void thaw_out_name(FILE *out, const char *name, size_t len);
/* path NULL: "thaw: text" */
void thaw_out_error(const char *path, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

struct thaw_column {
	const char *title;
	int width;  /* at least; wider cells push the rest of their line */
	bool right; /* aligned */
};

/* A line of cells, then a name (may be NULL) to the line's end.  Tables are
 * printed as they come: columns have their widths from the start. */
void thaw_out_row(FILE *out, const struct thaw_column *columns, size_t n, const char *const *cells,
		  const char *name, size_t len);
/* The titles; only on a terminal. */
void thaw_out_head(FILE *out, const struct thaw_column *columns, size_t n, const char *name_title);

/* One document: {"KEY": [item, ...], field: value, ...}, written as it comes. */
struct thaw_json_out {
	FILE *out;
	bool first;
};
void thaw_json_begin(struct thaw_json_out *json, FILE *out, const char *key);
void thaw_json_add(struct thaw_json_out *json, json_t *item);   /* takes it */
void thaw_json_end(struct thaw_json_out *json, json_t *fields); /* takes them; may be NULL */
/* A whole document and a newline; takes it. */
void thaw_json_print(FILE *out, json_t *value);

/* "anna", or the number when nobody has it. */
#define THAW_USER_TEXT 64
const char *thaw_out_user(char text[THAW_USER_TEXT], uint32_t uid);

/* "1 file", "12 files" */
#define THAW_FILES_TEXT 32
const char *thaw_out_files(char text[THAW_FILES_TEXT], uint64_t n);

/* Members of an answer, with a default where they are not as expected. */
uint64_t thaw_json_u64(const json_t *object, const char *key);
const char *thaw_json_text(const json_t *object, const char *key);

#endif
