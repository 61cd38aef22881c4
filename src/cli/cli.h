/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cli.h - the thaw tool: its commands and options in one table.
 *
 * The table (table.c) is what the parser, the help texts and the hidden
 * --list-options (which a test compares with the manual) are made of.  Each
 * command is a function in its own cmd_*.c.  thaw knows the daemon by its
 * socket only (control/wire.h, thaw/control_proto.h).
 */
#ifndef THAW_CLI_CLI_H
#define THAW_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum thaw_exit {
	THAW_EXIT_DONE = 0,
	THAW_EXIT_FAILED = 1,
	THAW_EXIT_USAGE = 2,
	THAW_EXIT_PARTLY = 3,
};

struct thaw_args {
	bool json, help;
	bool recursive, directory, wait, no_wait, nul, forever, force, allow_empty, watch;
	const char *mount, *socket;
	const char *from, *min_fraction, *for_, *until, *label, *limit;
	char *const *words;
	size_t count;
};

struct thaw_option {
	char letter;      /* 0: none */
	const char *name; /* NULL ends a list */
	const char *arg;  /* what stands for its value; NULL: takes none */
	size_t offset;    /* in thaw_args: a bool, or a const char * */
	const char *help;
};

struct thaw_command {
	const char *name;  /* NULL ends the table */
	const char *words; /* "PATH..." */
	const char *summary;
	const char *text; /* what help says besides */
	const struct thaw_option *options;
	size_t min_words, max_words;
	int (*run)(const struct thaw_args *args);
};

extern const struct thaw_command thaw_commands[];
extern const struct thaw_option thaw_common_options[];

/* Everything main does; returns the exit status. */
int thaw_cli_main(int argc, char **argv);

/* parse.c: argv[0] is the command's name; complains on stderr.  False: usage. */
bool thaw_cli_parse(const struct thaw_command *command, int argc, char **argv,
		    struct thaw_args *ret);

/* help.c */
const struct thaw_command *thaw_cli_command(const char *name);
/* The command whose name is most like it; NULL when none is. */
const char *thaw_cli_nearest(const char *name);
void thaw_cli_usage(FILE *out);
void thaw_cli_help(FILE *out, const struct thaw_command *command);
void thaw_cli_list_options(FILE *out);

int thaw_cmd_import(const struct thaw_args *args);
int thaw_cmd_state(const struct thaw_args *args);
int thaw_cmd_stage(const struct thaw_args *args);
int thaw_cmd_requests(const struct thaw_args *args);
int thaw_cmd_cancel(const struct thaw_args *args);
int thaw_cmd_pin(const struct thaw_args *args);
int thaw_cmd_unpin(const struct thaw_args *args);
int thaw_cmd_pins(const struct thaw_args *args);
int thaw_cmd_evict(const struct thaw_args *args);
int thaw_cmd_status(const struct thaw_args *args);
int thaw_cmd_metrics(const struct thaw_args *args);
int thaw_cmd_help(const struct thaw_args *args);

#endif
