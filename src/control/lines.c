/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4096

void thaw_lines_init(struct thaw_lines *lines, size_t max)
{
	*lines = (struct thaw_lines){.max = max};
}

void thaw_lines_release(struct thaw_lines *lines)
{
	free(lines->data);
	thaw_lines_init(lines, lines->max);
}

static void move_to_front(struct thaw_lines *lines)
{
	if (lines->begin && lines->end > lines->begin)
		memmove(lines->data, lines->data + lines->begin, lines->end - lines->begin);
	lines->end -= lines->begin;
	lines->begin = 0;
}

char *thaw_lines_room(struct thaw_lines *lines, size_t *ret_room)
{
	size_t room = lines->room ? lines->room * 2 : FIRST_ROOM;
	char *data;

	move_to_front(lines);
	if (lines->end == lines->room) {
		if (room > lines->max + 1)
			room = lines->max + 1; /* a longer line never gets here */
		if (room <= lines->room)
			return NULL;
		data = realloc(lines->data, room);
		if (!data)
			return NULL;
		lines->data = data;
		lines->room = room;
	}
	*ret_room = lines->room - lines->end;
	return lines->data + lines->end;
}

void thaw_lines_filled(struct thaw_lines *lines, size_t n)
{
	lines->end += n;
}

int thaw_lines_next(struct thaw_lines *lines, char **ret_line, size_t *ret_len)
{
	size_t have = lines->end - lines->begin, len;
	char *line, *newline = NULL;

	if (!have)
		return 0;
	line = lines->data + lines->begin;
	if (have > lines->scanned)
		newline = memchr(line + lines->scanned, '\n', have - lines->scanned);
	if (!newline) {
		lines->scanned = have;
		return have > lines->max ? -EMSGSIZE : 0;
	}
	*newline = '\0';
	len = (size_t)(newline - line);
	lines->begin += len + 1;
	lines->scanned = 0;
	*ret_line = line;
	*ret_len = len;
	return 1;
}
