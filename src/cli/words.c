/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void thaw_words_release(struct thaw_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->list[i]);
	free(words->list);
	*words = (struct thaw_words){0};
}

static int add(struct thaw_words *words, const char *text, size_t len)
{
	char *copy;

	if (words->count == words->room) {
		size_t room = words->room ? words->room * 2 : 256;
		char **list = reallocarray(words->list, room, sizeof(*list));

		if (!list)
			return -ENOMEM;
		words->list = list;
		words->room = room;
	}
	copy = strndup(text, len);
	if (!copy)
		return -ENOMEM;
	words->list[words->count++] = copy;
	return 0;
}

int thaw_words_read(FILE *file, char end, struct thaw_words *ret)
{
	struct thaw_words words = {0};
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int rc = 0;

	while (!rc && (len = getdelim(&line, &room, end, file)) >= 0) {
		if (len && line[len - 1] == end)
			len--;
		if (!len)
			continue;
		rc = memchr(line, '\0', (size_t)len) ? -EINVAL : add(&words, line, (size_t)len);
	}
	if (!rc && ferror(file))
		rc = -EIO;
	if (rc) {
		thaw_words_release(&words);
		return rc;
	}
	*ret = words;
	return 0;
}

int thaw_parse_fraction(const char *text, double *ret)
{
	char *end;
	double value;

	if (text[0] < '0' || text[0] > '9') /* strtod would take much more */
		return -EINVAL;
	value = strtod(text, &end);
	if (strcmp(end, "%") == 0)
		value /= 100;
	else if (*end)
		return -EINVAL;
	if (!(value > 0.0 && value <= 1.0))
		return -ERANGE;
	*ret = value;
	return 0;
}
