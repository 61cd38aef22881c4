/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/out.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "base/cleanup.h"
#include "base/path.h"

static bool is_terminal(FILE *out)
{
	return isatty(fileno(out));
}

/* All of it characters that the locale can show. */
static bool printable(const char *name, size_t len)
{
	mbstate_t state = {0};
	wchar_t c;

	while (len) {
		size_t n = mbrtowc(&c, name, len, &state);

		if (n == 0 || n > len || !iswprint((wint_t)c))
			return false;
		name += n;
		len -= n;
	}
	return true;
}

/* Text that is safe to print there; *ret_free is what must be freed. */
static const char *safe(FILE *out, const char *text, size_t *len, char **ret_free)
{
	size_t room = 4 * *len + 1;

	*ret_free = NULL;
	if (!is_terminal(out) || printable(text, *len))
		return text;
	*ret_free = malloc(room);
	if (!*ret_free) {
		*len = 0;
		return "";
	}
	text = thaw_path_quote(*ret_free, room, text, *len);
	*len = strlen(text);
	return text;
}

void thaw_out_name(FILE *out, const char *name, size_t len)
{
	_cleanup_free_ char *quoted = NULL;

	name = safe(out, name, &len, &quoted);
	(void)fwrite(name, 1, len, out);
}

void thaw_out_error(const char *path, size_t len, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (rc < 0) {
		text = NULL;
		return;
	}
	(void)fflush(stdout); /* in order, where both go to one place */
	(void)fputs("thaw: ", stderr);
	if (path) {
		thaw_out_name(stderr, path, len);
		(void)fputs(": ", stderr);
	}
	thaw_out_name(stderr, text, (size_t)rc);
	(void)fputc('\n', stderr);
}

static void print_cell(FILE *out, const char *text, int width)
{
	_cleanup_free_ char *quoted = NULL;
	size_t len = strlen(text);

	(void)fprintf(out, "%*s", width, safe(out, text, &len, &quoted));
}

void thaw_out_row(FILE *out, const struct thaw_column *columns, size_t n, const char *const *cells,
		  const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		int width = columns[i].right ? columns[i].width : -columns[i].width;

		if (i)
			(void)fputs("  ", out);
		if (i + 1 == n && !name && !columns[i].right)
			width = 0; /* no blanks at the end */
		print_cell(out, cells[i], width);
	}
	if (name) {
		(void)fputs("  ", out);
		thaw_out_name(out, name, len);
	}
	(void)fputc('\n', out);
}

void thaw_out_head(FILE *out, const struct thaw_column *columns, size_t n, const char *name_title)
{
	const char *titles[16];

	if (!is_terminal(out) || n > sizeof(titles) / sizeof(titles[0]))
		return;
	for (size_t i = 0; i < n; i++)
		titles[i] = columns[i].title;
	thaw_out_row(out, columns, n, titles, name_title, name_title ? strlen(name_title) : 0);
}

/* A terminal gets ASCII: strings in JSON may hold what it would obey. */
static void dump(FILE *out, const json_t *value)
{
	size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | (is_terminal(out) ? JSON_ENSURE_ASCII : 0);

	(void)json_dumpf(value, out, flags);
}

void thaw_json_begin(struct thaw_json_out *json, FILE *out, const char *key)
{
	*json = (struct thaw_json_out){.out = out, .first = true};
	(void)fprintf(out, "{\"%s\":[", key);
}

void thaw_json_add(struct thaw_json_out *json, json_t *item)
{
	if (!json->first)
		(void)fputc(',', json->out);
	json->first = false;
	dump(json->out, item);
	json_decref(item);
}

void thaw_json_end(struct thaw_json_out *json, json_t *fields)
{
	const char *key;
	json_t *value;

	(void)fputc(']', json->out);
	json_object_foreach(fields, key, value)
	{
		(void)fprintf(json->out, ",\"%s\":", key);
		dump(json->out, value);
	}
	(void)fputs("}\n", json->out);
	json_decref(fields);
}

void thaw_json_print(FILE *out, json_t *value)
{
	dump(out, value);
	(void)fputc('\n', out);
	json_decref(value);
}

const char *thaw_out_user(char text[THAW_USER_TEXT], uint32_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw)
		(void)snprintf(text, THAW_USER_TEXT, "%s", pw->pw_name);
	else
		(void)snprintf(text, THAW_USER_TEXT, "%" PRIu32, uid);
	return text;
}

const char *thaw_out_files(char text[THAW_FILES_TEXT], uint64_t n)
{
	(void)snprintf(text, THAW_FILES_TEXT, "%" PRIu64 " file%s", n, n == 1 ? "" : "s");
	return text;
}

uint64_t thaw_json_u64(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value < 0 ? 0 : (uint64_t)value;
}

const char *thaw_json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}
