/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * words.h - lists of paths from a file, and small numbers from options.
 */
#ifndef THAW_CLI_WORDS_H
#define THAW_CLI_WORDS_H

#include <stddef.h>
#include <stdio.h>

struct thaw_words {
	char **list; /* owned, each of them too */
	size_t count, room;
};

/* Paths divided by `end` ('\n' or NUL), the last with or without; empty ones
 * are skipped.  -EINVAL: a NUL inside a line. */
int thaw_words_read(FILE *file, char end, struct thaw_words *ret);
void thaw_words_release(struct thaw_words *words);

/* "0.95" or "95%"; 0 < F <= 1. */
int thaw_parse_fraction(const char *text, double *ret);

#endif
