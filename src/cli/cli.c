/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cli.c - from argv to a command and its exit status.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"

static int unknown(const char *name)
{
	const char *nearest = thaw_cli_nearest(name);
	char quoted[128];

	thaw_path_quote(quoted, sizeof(quoted), name, strlen(name));
	(void)fprintf(stderr, "thaw: %s: no such %s", quoted,
		      name[0] == '-' ? "option" : "command");
	if (nearest)
		(void)fprintf(stderr, "; did you mean '%s'?", nearest);
	(void)fputs("\n\n", stderr);
	thaw_cli_usage(stderr);
	return THAW_EXIT_USAGE;
}

/* How many words of argv the common option at argv[i] takes; 0: it is none. */
static int common_words(char *const *argv, int i, int argc)
{
	for (const struct thaw_option *row = thaw_common_options; row->name; row++) {
		size_t len = strlen(row->name);
		const char *word = argv[i];

		if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, row->name, len) != 0)
			continue;
		if (word[2 + len] == '\0')
			return row->arg && i + 1 < argc ? 2 : 1;
		if (word[2 + len] == '=' && row->arg)
			return 1;
	}
	return 0;
}

/* "thaw --json status" is "thaw status --json". */
static void command_first(int argc, char **argv)
{
	int at = 1, n;
	char *name;

	while (at < argc && (n = common_words(argv, at, argc)))
		at += n;
	if (at == 1 || at >= argc)
		return;
	name = argv[at];
	memmove(&argv[2], &argv[1], (size_t)(at - 1) * sizeof(*argv));
	argv[1] = name;
}

/* What was printed must have arrived: `thaw pins > /full/disk` has failed. */
static int flush_output(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	(void)fprintf(stderr, "thaw: writing the output: %s\n", strerror(errno));
	return THAW_EXIT_FAILED;
}

static int run(const struct thaw_command *command, int argc, char **argv)
{
	struct thaw_args args;

	if (!thaw_cli_parse(command, argc, argv, &args))
		return THAW_EXIT_USAGE;
	if (args.help) {
		thaw_cli_help(stdout, command);
		return THAW_EXIT_DONE;
	}
	return command->run(&args);
}

static int one_word(const char *word)
{
	if (strcmp(word, "--version") == 0)
		(void)puts("thaw " THAW_VERSION);
	else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		thaw_cli_usage(stdout);
	else if (strcmp(word, "--list-options") == 0)
		thaw_cli_list_options(stdout);
	else
		return unknown(word);
	return THAW_EXIT_DONE;
}

int thaw_cli_main(int argc, char **argv)
{
	const struct thaw_command *command;

	if (argc < 2) {
		thaw_cli_usage(stderr);
		return THAW_EXIT_USAGE;
	}
	command_first(argc, argv);
	command = thaw_cli_command(argv[1]);
	return flush_output(command ? run(command, argc - 1, argv + 1) : one_word(argv[1]));
}
