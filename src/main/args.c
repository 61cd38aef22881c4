/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "main/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "conf/conf.h"
#include "fuse/fuse.h"

static const char usage[] = "usage: thawfs SOURCE MOUNTPOINT [-f] [-d] [-o OPT,...]\n";

static const char intro[] =
	"\n"
	"Mounts archived files as a tree; what is read is brought to a local cache.\n"
	"\n"
	"SOURCE is /directory or /path/to/thawfs.conf; s3://bucket[/prefix] is reserved, this\n"
	"version has no backend for it.\n"
	"\n"
	"  -f, --foreground   stay in the foreground, log to stderr\n"
	"  -d, --debug        -f, and say what happens\n"
	"  -o OPT,...         options, below; later ones win\n"
	"  -h, --help         this\n"
	"  -V, --version      versions\n"
	"\n"
	"Keys of the configuration file, thawfs.conf(5). All of [daemon] and [cache] are options\n"
	"of -o as well, and for a directory SOURCE most others; path and size of [cache] are the\n"
	"options cache and cache_size there. [mount] lines are options of -o only, the file has\n"
	"no such section. [archive posix] stands for an [archive NAME] with type = posix.\n";

static const struct option long_options[] = {
	{"foreground", no_argument, NULL, 'f'},
	{"debug", no_argument, NULL, 'd'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static int take_option(struct thaw_args *args, int letter)
{
	size_t n = 0;

	switch (letter) {
	case 'd':
		args->debug = true;
		args->foreground = true;
		return 0;
	case 'f':
		args->foreground = true;
		return 0;
	case 'h':
		args->action = THAW_ACTION_HELP;
		return 0;
	case 'V':
		args->action = THAW_ACTION_VERSION;
		return 0;
	case 'o':
		while (args->options[n])
			n++;
		args->options[n] = optarg;
		return 0;
	default:
		return -EINVAL;
	}
}

static int wrong(struct thaw_err *err, const char *what, const char *which)
{
	return thaw_err_set(err, -EINVAL, "%s%s; thawfs --help explains", what, which);
}

static int take_names(struct thaw_args *args, int argc, char **argv, struct thaw_err *err)
{
	if (args->action != THAW_ACTION_MOUNT)
		return 0;
	if (argc - optind < 2)
		return wrong(err, argc == optind ? "no SOURCE given" : "no MOUNTPOINT given", "");
	if (argc - optind > 2)
		return wrong(err, "one argument too many: ", argv[optind + 2]);
	args->source = argv[optind];
	args->mountpoint = argv[optind + 1];
	return 0;
}

int thaw_args_parse(int argc, char **argv, struct thaw_args *ret, struct thaw_err *err)
{
	struct thaw_args args = {0};
	int letter, r = 0;

	/* There cannot be more of them than words. */
	args.options = calloc((size_t)argc + 1, sizeof(const char *));
	if (!args.options)
		return thaw_err_set(err, -ENOMEM, "out of memory");
	optind = 1;
	opterr = 0;
	while (r == 0 && (letter = getopt_long(argc, argv, ":fdo:hV", long_options, NULL)) != -1) {
		if (letter == ':')
			r = wrong(err, "an argument is missing after ", argv[optind - 1]);
		else if (take_option(&args, letter) < 0)
			r = wrong(err, "no such option: ", argv[optind - 1]);
	}
	if (r == 0)
		r = take_names(&args, argc, argv, err);
	if (r < 0) {
		thaw_args_release(&args);
		return r;
	}
	*ret = args;
	return 0;
}

void thaw_args_release(struct thaw_args *args)
{
	free((void *)args->options);
	args->options = NULL;
}

struct listing {
	FILE *out;
	const char *section;
};

static void print_key(void *ctx, const char *section, const char *key, const char *type,
		      const char *deflt, const char *help)
{
	struct listing *listing = ctx;
	int width;

	if (!listing->section || strcmp(listing->section, section) != 0)
		(void)fprintf(listing->out, "\n[%s]\n", section);
	listing->section = section;
	width = fprintf(listing->out, "  %s=%s", key, type);
	(void)fprintf(listing->out, "%*s%s", width < 27 ? 28 - width : 1, "", help);
	if (deflt && *deflt)
		(void)fprintf(listing->out, " (%s)", deflt);
	(void)fputc('\n', listing->out);
}

void thaw_args_help(FILE *out)
{
	struct listing listing = {.out = out};

	(void)fputs(usage, out);
	(void)fputs(intro, out);
	thaw_conf_each_key(print_key, &listing);
}

void thaw_args_version(FILE *out)
{
	(void)fprintf(out, "thawfs %s, libfuse %s\n", THAW_VERSION, thaw_fuse_version());
}
