/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of commands: parser, help, and the manual that must agree with it.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "../suite.h"

static struct thaw_args args;
static char shown[16384];

/* Splits at blanks; argv lives until the next call. */
static int split(const char *line, char **argv)
{
	static char copy[512];
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *at = copy, *next; at; at = next) {
		next = strchr(at, ' ');
		if (next)
			*next++ = '\0';
		argv[argc++] = at;
	}
	argv[argc] = NULL;
	return argc;
}

static bool parse(const char *line)
{
	static char *argv[64];
	int argc = split(line, argv);

	memset(&args, 0, sizeof(args));
	return thaw_cli_parse(thaw_cli_command(argv[0]), argc, argv, &args);
}

/* Runs all of it with both outputs in `shown`. */
static int run(const char *line)
{
	char *argv[64];
	int argc = split(line, argv), status, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	size_t n;

	fflush(NULL);
	dup2(fileno(file), STDOUT_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	status = thaw_cli_main(argc, argv);
	fflush(NULL);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	rewind(file);
	n = fread(shown, 1, sizeof(shown) - 1, file);
	shown[n] = '\0';
	fclose(file);
	return status;
}

static void quiet(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(null, STDERR_FILENO);
	close(null);
}

START_TEST(options_and_words_in_any_order)
{
	ck_assert(parse("stage a --wait b --mount /m -0 --min-fraction=0.5 --from - --json"));
	ck_assert(args.wait && args.nul && args.json && !args.help);
	ck_assert_str_eq(args.mount, "/m");
	ck_assert_str_eq(args.min_fraction, "0.5");
	ck_assert_str_eq(args.from, "-");
	ck_assert_uint_eq(args.count, 2);
	ck_assert_str_eq(args.words[0], "a");
	ck_assert_str_eq(args.words[1], "b");
	ck_assert(parse("pin x --for 7d --label=l -w"));
	ck_assert_str_eq(args.for_, "7d");
	ck_assert_str_eq(args.label, "l");
	ck_assert(args.wait);
	ck_assert(parse("state -r -- -x --json"));
	ck_assert(args.recursive && !args.json);
	ck_assert_uint_eq(args.count, 2);
	ck_assert_str_eq(args.words[0], "-x");
}
END_TEST

START_TEST(what_is_not_understood)
{
	quiet();
	ck_assert(!parse("state"));
	ck_assert(!parse("state --nothing x"));
	ck_assert(!parse("state -q x"));
	ck_assert(!parse("state --wait x")); /* another command's */
	ck_assert(!parse("state x --mount"));
	ck_assert(!parse("state --json=yes x"));
	ck_assert(!parse("cancel"));
	ck_assert(!parse("cancel a b"));
	ck_assert(!parse("pins x"));
	ck_assert(!parse("requests a b"));
	ck_assert(parse("cancel --help"));
	ck_assert(args.help);
}
END_TEST

START_TEST(exit_status_of_usage)
{
	ck_assert_int_eq(run("thaw"), THAW_EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(shown, "usage: thaw COMMAND"));
	ck_assert_int_eq(run("thaw stagee x"), THAW_EXIT_USAGE);
	ck_assert_ptr_nonnull(
		strstr(shown, "thaw: stagee: no such command; did you mean 'stage'?"));
	ck_assert_int_eq(run("thaw xyzzy"), THAW_EXIT_USAGE);
	ck_assert_ptr_null(strstr(shown, "did you mean"));
	ck_assert_int_eq(run("thaw --nothing"), THAW_EXIT_USAGE);
	ck_assert_int_eq(run("thaw state"), THAW_EXIT_USAGE);
	ck_assert_ptr_nonnull(strstr(shown, "Try 'thaw help state'."));
	ck_assert_int_eq(run("thaw help nothing"), THAW_EXIT_USAGE);
	ck_assert_int_eq(run("thaw stage"), THAW_EXIT_USAGE);
	ck_assert_int_eq(run("thaw stage --from x y"), THAW_EXIT_USAGE);
	ck_assert_int_eq(run("thaw stage -0 y"), THAW_EXIT_USAGE);
	ck_assert_int_eq(run("thaw stage --min-fraction 2 y"), THAW_EXIT_USAGE);
	ck_assert_int_eq(run("thaw pin y --for never"), THAW_EXIT_USAGE);
	ck_assert_int_eq(run("thaw pin y --for 0"), THAW_EXIT_USAGE);
	ck_assert_int_eq(run("thaw pin y --until tomorrow"), THAW_EXIT_USAGE);
	ck_assert_int_eq(run("thaw pin y --for 7d --forever"), THAW_EXIT_USAGE);
	ck_assert_int_eq(run("thaw pin y --label \xff"), THAW_EXIT_USAGE);
	ck_assert_int_eq(run("thaw import --wait --no-wait"), THAW_EXIT_USAGE);
}
END_TEST

START_TEST(help_in_all_its_forms)
{
	char by_help[sizeof(shown)];

	ck_assert_int_eq(run("thaw --version"), 0);
	ck_assert_int_eq(strncmp(shown, "thaw ", 5), 0);
	ck_assert_int_eq(run("thaw --help"), 0);
	ck_assert_int_eq(run("thaw help"), 0);
	for (const struct thaw_command *at = thaw_commands; at->name; at++)
		ck_assert_ptr_nonnull(strstr(shown, at->summary));
	ck_assert_int_eq(run("thaw help pin"), 0);
	memcpy(by_help, shown, sizeof(shown));
	ck_assert_ptr_nonnull(strstr(shown, "--until TIME"));
	ck_assert_ptr_nonnull(strstr(shown, "--socket FILE"));
	ck_assert_int_eq(run("thaw pin --help"), 0);
	ck_assert_str_eq(shown, by_help);
}
END_TEST

START_TEST(nearest_names)
{
	ck_assert_str_eq(thaw_cli_nearest("stat"), "state");
	ck_assert_str_eq(thaw_cli_nearest("evcit"), "evict");
	ck_assert_str_eq(thaw_cli_nearest("request"), "requests");
	ck_assert_str_eq(thaw_cli_nearest("un-pin"), "unpin");
	ck_assert_ptr_null(thaw_cli_nearest(""));
	ck_assert_ptr_null(thaw_cli_nearest("manifest"));
	ck_assert_ptr_null(thaw_cli_nearest("a-word-that-is-longer-than-any-command-there-is"));
}
END_TEST

START_TEST(common_options_may_come_first)
{
	ck_assert_int_eq(run("thaw --json --socket /nonexistent/x.sock status"), THAW_EXIT_FAILED);
	ck_assert_ptr_nonnull(strstr(shown, "/nonexistent/x.sock: the daemon cannot be reached"));
	ck_assert_int_eq(run("thaw --socket=/nonexistent/y.sock pins"), THAW_EXIT_FAILED);
	ck_assert_ptr_nonnull(strstr(shown, "/nonexistent/y.sock"));
	ck_assert_int_eq(run("thaw --json"), THAW_EXIT_USAGE);
}
END_TEST

/* --- the manual ----------------------------------------------------------- */

static char manual[65536];

static void read_manual(void)
{
	char path[4096];
	FILE *file;

	ck_assert_ptr_nonnull(getenv("THAW_SOURCE_DIR"));
	snprintf(path, sizeof(path), "%s/man/thaw.1.scd", getenv("THAW_SOURCE_DIR"));
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	manual[fread(manual, 1, sizeof(manual) - 1, file)] = '\0';
	fclose(file);
}

/* Text from "## thaw NAME" to the next heading, or "# COMMON OPTIONS". */
static const char *section_of(const char *name)
{
	static char section[16384];
	char heading[64];
	const char *at, *end;

	if (strcmp(name, "thaw") == 0)
		snprintf(heading, sizeof(heading), "\n# COMMON OPTIONS\n");
	else
		snprintf(heading, sizeof(heading), "\n## thaw %s", name);
	at = strstr(manual, heading);
	ck_assert_msg(at != NULL, "the manual has no \"%s\"", heading + 1);
	at += strlen(heading);
	ck_assert_msg(!isalnum((unsigned char)*at), "no section on %s", name);
	end = strstr(at, "\n#");
	snprintf(section, sizeof(section), "%.*s", (int)(end ? end - at : (long)strlen(at)), at);
	return section;
}

/* An option opens its paragraph: "*-w, --wait*" or "*--for* _TIME_". */
static void check_described(const char *command, const struct thaw_option *row)
{
	char expected[128];

	snprintf(expected, sizeof(expected), "\n*%s%c%s--%s*%s%s%s\n", row->letter ? "-" : "",
		 row->letter ? row->letter : '\b', row->letter ? ", " : "", row->name,
		 row->arg ? " _" : "", row->arg ? row->arg : "", row->arg ? "_" : "");
	if (!row->letter)
		memmove(expected + 2, expected + 3, strlen(expected + 3) + 1);
	ck_assert_msg(strstr(section_of(command), expected) != NULL,
		      "the manual's section on %s lacks:%s", command, expected);
}

START_TEST(the_manual_has_every_command_and_option)
{
	read_manual();
	for (const struct thaw_option *row = thaw_common_options; row->name; row++)
		check_described("thaw", row);
	for (const struct thaw_command *at = thaw_commands; at->name; at++) {
		section_of(at->name);
		for (const struct thaw_option *row = at->options; row->name; row++)
			check_described(at->name, row);
	}
}
END_TEST

static bool known_option(const char *name, size_t len)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), " --%.*s", (int)len, name);
	for (const char *at = shown; (at = strstr(at, wanted)); at++) {
		if (at[strlen(wanted)] == '\n' || at[strlen(wanted)] == ' ')
			return true;
	}
	return false;
}

START_TEST(the_manual_has_no_other_option)
{
	read_manual();
	ck_assert_int_eq(run("thaw --list-options"), 0);
	for (const char *at = manual; (at = strstr(at, "--"));) {
		size_t len = strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-");

		if (len && strncmp(at + 2, "version", len) != 0)
			ck_assert_msg(known_option(at + 2, len), "the manual has --%.*s", (int)len,
				      at + 2);
		at += 2 + len;
	}
	for (const char *at = manual; (at = strstr(at, "\n## thaw ")); at += 9) {
		char name[32] = "";

		ck_assert_int_eq(sscanf(at, "\n## thaw %31[a-z]", name), 1);
		ck_assert_msg(thaw_cli_command(name), "the manual has a command %s", name);
	}
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, options_and_words_in_any_order);
	tcase_add_test(tcase, what_is_not_understood);
	tcase_add_test(tcase, exit_status_of_usage);
	tcase_add_test(tcase, help_in_all_its_forms);
	tcase_add_test(tcase, nearest_names);
	tcase_add_test(tcase, common_options_may_come_first);
	tcase_add_test(tcase, the_manual_has_every_command_and_option);
	tcase_add_test(tcase, the_manual_has_no_other_option);
}

int main(void)
{
	return run_suite("parse", add);
}
