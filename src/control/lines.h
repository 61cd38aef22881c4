/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lines.h - cutting a stream of bytes into lines of bounded length.
 *
 * The owner reads into thaw_lines_room(), tells how much came, and takes lines
 * until there is none.  Memory stays below twice the longest line.
 */
#ifndef THAW_CONTROL_LINES_H
#define THAW_CONTROL_LINES_H

#include <stddef.h>

struct thaw_lines {
	char *data;
	size_t room;
	size_t begin, end; /* bytes not yet taken */
	size_t scanned;    /* from begin: no newline there */
	size_t max;        /* longest line, without its newline */
};

void thaw_lines_init(struct thaw_lines *lines, size_t max);
void thaw_lines_release(struct thaw_lines *lines);

/* At least one byte to write to, *ret_room of them; NULL on OOM.  Only after
 * thaw_lines_next() said 0. */
char *thaw_lines_room(struct thaw_lines *lines, size_t *ret_room);
void thaw_lines_filled(struct thaw_lines *lines, size_t n);

/* 1: a line, NUL in the newline's place, valid until the next call of any
 * function here; 0: none whole yet; -EMSGSIZE: longer than max. */
int thaw_lines_next(struct thaw_lines *lines, char **ret_line, size_t *ret_len);

#endif
