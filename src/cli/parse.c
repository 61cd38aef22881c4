/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"

#define OPTIONS_MAX 24
#define FIRST_LONG  1000 /* val of the first option; above any letter */

/* What getopt_long wants, made from the two lists of the table. */
struct spec {
	const struct thaw_option *rows[OPTIONS_MAX];
	struct option longs[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 2];
	size_t count;
};

static void add_rows(struct spec *spec, const struct thaw_option *rows)
{
	char *end = spec->letters + strlen(spec->letters);

	for (; rows->name && spec->count < OPTIONS_MAX; rows++, spec->count++) {
		spec->rows[spec->count] = rows;
		spec->longs[spec->count] = (struct option){
			.name = rows->name,
			.has_arg = rows->arg ? required_argument : no_argument,
			.val = FIRST_LONG + (int)spec->count,
		};
		if (rows->letter) {
			*end++ = rows->letter;
			if (rows->arg)
				*end++ = ':';
		}
	}
}

static const struct thaw_option *row_of(const struct spec *spec, int val)
{
	if (val >= FIRST_LONG)
		return spec->rows[val - FIRST_LONG];
	for (size_t i = 0; i < spec->count; i++) {
		if (spec->rows[i]->letter == val)
			return spec->rows[i];
	}
	return NULL;
}

static void set(struct thaw_args *args, const struct thaw_option *row, const char *value)
{
	char *at = (char *)args + row->offset;

	if (row->arg)
		*(const char **)(void *)at = value;
	else
		*(bool *)at = true;
}

static bool hint(const char *name)
{
	(void)fprintf(stderr, "Try 'thaw help %s'.\n", name);
	return false;
}

static bool check_words(const struct thaw_command *command, const struct thaw_args *args)
{
	if (args->help || (args->count >= command->min_words && args->count <= command->max_words))
		return true;
	(void)fprintf(stderr, "thaw %s: %s\n", command->name,
		      args->count < command->min_words ? "an argument is missing"
						       : "too many arguments");
	return hint(command->name);
}

bool thaw_cli_parse(const struct thaw_command *command, int argc, char **argv,
		    struct thaw_args *ret)
{
	struct spec spec = {.letters = ":"};
	struct thaw_args args = {0};
	int val;

	add_rows(&spec, command->options);
	add_rows(&spec, thaw_common_options);
	optind = 0; /* from the start, whoever used it before */
	opterr = 0;
	while ((val = getopt_long(argc, argv, spec.letters, spec.longs, NULL)) != -1) {
		const struct thaw_option *row = row_of(&spec, val);

		if (!row) {
			(void)fprintf(stderr, "thaw %s: %s: %s\n", command->name, argv[optind - 1],
				      val == ':' ? "needs a value" : "no such option");
			return hint(command->name);
		}
		set(&args, row, optarg);
	}
	args.words = argv + optind;
	args.count = (size_t)(argc - optind);
	if (!check_words(command, &args))
		return false;
	*ret = args;
	return true;
}
