/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "cli/cli.h"

#define NAME_MAX_LEN 32

const struct thaw_command *thaw_cli_command(const char *name)
{
	for (const struct thaw_command *at = thaw_commands; at->name; at++) {
		if (strcmp(at->name, name) == 0)
			return at;
	}
	return NULL;
}

static size_t least(size_t a, size_t b, size_t c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* Letters to change, add, drop or swap with the next (Damerau, restricted). */
static size_t distance(const char *a, const char *b)
{
	size_t d[NAME_MAX_LEN + 1][NAME_MAX_LEN + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > NAME_MAX_LEN || lb > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (size_t i = 0; i <= la; i++) {
		for (size_t k = 0; k <= lb; k++) {
			if (!i || !k) {
				d[i][k] = i + k;
				continue;
			}
			d[i][k] = least(d[i - 1][k] + 1, d[i][k - 1] + 1,
					d[i - 1][k - 1] + (a[i - 1] != b[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
			    d[i - 2][k - 2] + 1 < d[i][k])
				d[i][k] = d[i - 2][k - 2] + 1;
		}
	}
	return d[la][lb];
}

const char *thaw_cli_nearest(const char *name)
{
	size_t best = 3; /* further is another word */
	const char *found = NULL;

	for (const struct thaw_command *at = thaw_commands; at->name; at++) {
		size_t far = distance(name, at->name);

		if (far < best && far < strlen(at->name)) {
			best = far;
			found = at->name;
		}
	}
	return found;
}

void thaw_cli_usage(FILE *out)
{
	(void)fputs("usage: thaw COMMAND [OPTION...] [ARGUMENT...]\n\n", out);
	for (const struct thaw_command *at = thaw_commands; at->name; at++)
		(void)fprintf(out, "  %-9s %-24s %s\n", at->name, at->words, at->summary);
	(void)fputs("\n'thaw help COMMAND' explains one; thaw(1) all of them.\n", out);
}

static void print_options(FILE *out, const struct thaw_option *row)
{
	char left[40];

	for (; row->name; row++) {
		(void)snprintf(left, sizeof(left), "--%s%s%s", row->name, row->arg ? " " : "",
			       row->arg ? row->arg : "");
		if (row->letter)
			(void)fprintf(out, "  -%c, %-20s %s\n", row->letter, left, row->help);
		else
			(void)fprintf(out, "      %-20s %s\n", left, row->help);
	}
}

void thaw_cli_help(FILE *out, const struct thaw_command *command)
{
	(void)fprintf(out, "usage: thaw %s [OPTION...]%s%s\n\n%s\n\n", command->name,
		      command->words[0] ? " " : "", command->words, command->summary);
	if (command->text)
		(void)fprintf(out, "%s\n\n", command->text);
	print_options(out, command->options);
	print_options(out, thaw_common_options);
}

static void list(FILE *out, const char *command, const struct thaw_option *row)
{
	for (; row->name; row++) {
		(void)fprintf(out, "%s --%s%s%s\n", command, row->name, row->arg ? " " : "",
			      row->arg ? row->arg : "");
		if (row->letter)
			(void)fprintf(out, "%s -%c\n", command, row->letter);
	}
}

void thaw_cli_list_options(FILE *out)
{
	list(out, "thaw", thaw_common_options);
	for (const struct thaw_command *at = thaw_commands; at->name; at++) {
		(void)fprintf(out, "%s\n", at->name);
		list(out, at->name, at->options);
	}
}

int thaw_cmd_help(const struct thaw_args *args)
{
	const struct thaw_command *command;

	if (!args->count) {
		thaw_cli_usage(stdout);
		return THAW_EXIT_DONE;
	}
	command = thaw_cli_command(args->words[0]);
	if (!command) {
		(void)fprintf(stderr, "thaw help: there is no such command\n");
		return THAW_EXIT_USAGE;
	}
	thaw_cli_help(stdout, command);
	return THAW_EXIT_DONE;
}
