/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_guess.c - the nearest known word, for "did you mean".
 */
#include "conf/conf_table.h"

#include <string.h>

#define WORD_MAX 32

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Letters to change, add or drop (Levenshtein), one row of the matrix at a
 * time. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned row[WORD_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned above = row[j];

			row[j] =
				least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[b_len];
}

void thaw_conf_guess_try(struct thaw_conf_guess *guess, const char *candidate)
{
	size_t len = strlen(guess->word), candidate_len = strlen(candidate);
	unsigned limit = len < 4 ? 1 : len < 9 ? 2 : 3;
	unsigned far;

	if (len > WORD_MAX || candidate_len > WORD_MAX)
		return;
	far = distance(guess->word, len, candidate, candidate_len);
	if (far > limit || (guess->best && far >= guess->distance))
		return;
	guess->best = candidate;
	guess->distance = far;
}
