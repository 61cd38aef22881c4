/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every command against a real server over a stub engine: what is printed,
 * where, and the exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "cli/cli.h"
#include "control/control.h"
#include "stub_stage.h"
#include "../suite.h"

static struct thaw_stage *stage;
static struct thaw_control *control;
static char dir[64], path[128];
static uint64_t a, b, c, odd;
static char out[65536], err[65536]; /* of the last command */

static void start(void)
{
	struct thaw_err why = {""};

	ck_assert_msg(thaw_control_start(stage, path, &control, &why) == 0, "%s", why.text);
}

static void set_up(void)
{
	uint64_t news, sub;

	thaw_log_set_level(LOG_EMERG);
	stage = stub_new();
	news = stub_add(stage, 1, "news", THAW_TYPE_DIR, 0755, 0, 0, 0);
	a = stub_add(stage, news, "a.txt", THAW_TYPE_FILE, 0644, 0, 0, 1000);
	b = stub_add(stage, news, "b.txt", THAW_TYPE_FILE, 0644, 0, 0, 3 << 20);
	sub = stub_add(stage, news, "sub", THAW_TYPE_DIR, 0755, 0, 0, 0);
	c = stub_add(stage, sub, "c.txt", THAW_TYPE_FILE, 0644, 0, 0, 500);
	odd = stub_add(stage, 1, "odd\xff\n", THAW_TYPE_FILE, 0644, 0, 0, 1);
	snprintf(dir, sizeof(dir), "/tmp/thaw-cli-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	start();
}

static void tear_down(void)
{
	thaw_control_stop(control);
	stub_free(stage);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void slurp(FILE *file, char *text, size_t room)
{
	rewind(file);
	text[fread(text, 1, room - 1, file)] = '\0';
	fclose(file);
}

/* argv: NULL-terminated; --socket is added. */
static int run_argv(char **argv)
{
	FILE *out_file = tmpfile(), *err_file = tmpfile();
	int saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO), argc = 0, status;
	char *all[64] = {(char[]){"thaw"}, argv[0], (char[]){"--socket"}, path};

	for (argc = 4; argv[argc - 3]; argc++)
		all[argc] = argv[argc - 3];
	fflush(NULL);
	dup2(fileno(out_file), STDOUT_FILENO);
	dup2(fileno(err_file), STDERR_FILENO);
	status = thaw_cli_main(argc, all);
	fflush(NULL);
	dup2(saved_out, STDOUT_FILENO);
	dup2(saved_err, STDERR_FILENO);
	close(saved_out);
	close(saved_err);
	slurp(out_file, out, sizeof(out));
	slurp(err_file, err, sizeof(err));
	return status;
}

/* Words are divided by blanks; '@' is the mount. */
static int run(const char *line)
{
	static char copy[2048];
	char *argv[64];
	size_t n = 0, len = 0;

	for (const char *at = line; *at; at++) {
		len += (size_t)snprintf(copy + len, sizeof(copy) - len, "%s",
					*at == '@' ? "/mnt/stub" : (char[]){*at, '\0'});
	}
	for (char *at = copy, *next; at; at = next) {
		next = strchr(at, ' ');
		if (next)
			*next++ = '\0';
		argv[n++] = at;
	}
	argv[n] = NULL;
	return run_argv(argv);
}

static json_t *json(void)
{
	json_t *value = json_loads(out, JSON_REJECT_DUPLICATES, NULL);

	ck_assert_msg(value != NULL, "no JSON: %s", out);
	return value;
}

static void expect(const char *line, int status, const char *expected_out, const char *expected_err)
{
	int got = run(line);

	ck_assert_msg(got == status, "%s: exit %d: %s%s", line, got, out, err);
	if (expected_out)
		ck_assert_str_eq(out, expected_out);
	if (expected_err)
		ck_assert_str_eq(err, expected_err);
}

static bool has(const char *text, const char *part)
{
	return strstr(text, part);
}

/* --- state ---------------------------------------------------------------- */

START_TEST(state_is_like_ls)
{
	stub_at(stage, a)->state = THAW_STATE_ONLINE;
	expect("state @/news/a.txt", 0,
	       "online        1000     1000  -                     /mnt/stub/news/a.txt\n", "");
	expect("state -d @/news", 0,
	       "partial         3M     1000  -                     /mnt/stub/news/\n", "");
	expect("state @/news/", 0,
	       "partial         3M     1000  -                     /mnt/stub/news/\n"
	       "online        1000     1000  -                     /mnt/stub/news/a.txt\n"
	       "offline         3M        0  -                     /mnt/stub/news/b.txt\n"
	       "offline        500        0  -                     /mnt/stub/news/sub/\n",
	       "");
	ck_assert_int_eq(run("state -r @/"), 0);
	ck_assert(has(out, "  /mnt/stub/news/sub/c.txt\n"));
	ck_assert(has(out, "  /mnt/stub/odd\xff\n\n")); /* raw, as this is no terminal */
}
END_TEST

START_TEST(state_errors_and_exit)
{
	expect("state @/none", 1, "", "thaw: /mnt/stub/none: No such file or directory\n");
	ck_assert_int_eq(run("state @/none @/news/a.txt"), 3);
	ck_assert(has(out, "a.txt"));
	expect("state /etc/passwd", 1, "",
	       "thaw: /etc/passwd: is not in the thawfs mount at /mnt/stub\n");
}
END_TEST

START_TEST(state_as_json)
{
	json_t *doc, *files;

	ck_assert_int_eq(run("state -r --json @/news @/none @/odd\xff\n"), 3);
	doc = json();
	files = json_object_get(doc, "files");
	ck_assert_uint_eq(json_array_size(files), 6);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(files, 1), "path")),
			 "/mnt/stub/news/a.txt");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(files, 5), "path_b64")),
			 "L21udC9zdHViL29kZP8K");
	ck_assert_uint_eq(json_array_size(json_object_get(doc, "errors")), 1);
	ck_assert_str_eq(json_string_value(json_object_get(
				 json_array_get(json_object_get(doc, "errors"), 0), "code")),
			 "ENOENT");
	json_decref(doc);
}
END_TEST

/* --- stage and requests --------------------------------------------------- */

static char id[64];

static void stage_and_keep_id(const char *line)
{
	ck_assert_int_eq(run(line), 0);
	ck_assert_int_eq(sscanf(out, "%60s", id), 1);
}

START_TEST(stage_prints_an_id)
{
	char line[128];

	stage_and_keep_id("stage @/news");
	ck_assert_uint_eq(strlen(id), 36);
	snprintf(line, sizeof(line), "requests %s", id);
	ck_assert_int_eq(run(line), 0);
	ck_assert(has(out, "state    running: 0 of 3 files, 0 of 3M\n"));
	ck_assert(has(out, "SUBMITTED     1000  /mnt/stub/news/a.txt: it waits for its turn\n"));
	snprintf(line, sizeof(line), "cancel %s", id);
	expect(line, 0, "", "");
	ck_assert_int_eq(run("requests"), 0);
	ck_assert(has(out, id) && has(out, "cancelled            0/3       3M"));
	expect("cancel nothing", 1, "", "thaw: no such request\n");
}
END_TEST

START_TEST(stage_waits)
{
	stage->step_files = 1;
	ck_assert_int_eq(run("stage @/news --wait"), 0);
	ck_assert(has(err, "3 of 3 files are there, 3M\n"));
	ck_assert_int_eq(stub_at(stage, c)->state, THAW_STATE_ONLINE);
}
END_TEST

START_TEST(stage_names_what_did_not_come)
{
	stage->step_files = 1;
	stage->fail_every = 2;
	stub_at(stage, b)->error = "digest mismatch on every copy";
	ck_assert_int_eq(run("stage @/news --wait"), 3);
	ck_assert(has(err, "thaw: /mnt/stub/news/b.txt: digest mismatch on every copy\n"));
	stage->fail_every = 1;
	ck_assert_int_eq(run("stage @/news/b.txt --wait"), 1);
	ck_assert_int_eq(run("stage @/news/b.txt @/none"), 3);
	ck_assert(has(err, "thaw: /mnt/stub/none: No such file or directory\n"));
	expect("stage @/none /tmp", 1, "",
	       "thaw: /tmp: is not in the thawfs mount at /mnt/stub\n"
	       "thaw: /mnt/stub/none: No such file or directory\n");
}
END_TEST

START_TEST(stage_is_content_with_a_share)
{
	stage->step_files = 1;
	stage->fail_every = 3;
	ck_assert_int_eq(run("stage @/news --min-fraction 60%"), 0);
	ck_assert_int_eq(run("stage @/news --min-fraction 0.9"), 3);
}
END_TEST

START_TEST(stage_as_json_has_the_wlcg_shape)
{
	json_t *doc, *files, *refused;

	stage->step_files = 3;
	ck_assert_int_eq(run("stage --json --wait @/news @/none"), 3);
	doc = json();
	files = json_object_get(doc, "files");
	ck_assert(json_is_string(json_object_get(doc, "requestId")));
	ck_assert(json_is_integer(json_object_get(doc, "createdAt")));
	ck_assert(json_is_integer(json_object_get(doc, "startedAt")));
	ck_assert(json_is_integer(json_object_get(doc, "completedAt")));
	ck_assert_uint_eq(json_array_size(files), 4);
	refused = json_array_get(files, 0);
	ck_assert_str_eq(json_string_value(json_object_get(refused, "path")), "/mnt/stub/none");
	ck_assert_str_eq(json_string_value(json_object_get(refused, "state")), "FAILED");
	ck_assert_str_eq(json_string_value(json_object_get(refused, "error")),
			 "No such file or directory");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(files, 1), "path")),
			 "/mnt/stub/news/a.txt");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(files, 1), "state")),
			 "COMPLETED");
	json_decref(doc);
	ck_assert_int_eq(run("stage --json @/none"), 1);
	doc = json();
	ck_assert_uint_eq(json_array_size(json_object_get(doc, "files")), 1);
	json_decref(doc);
}
END_TEST

static void write_list(const char *name, const char *text, size_t len)
{
	FILE *file = fopen(name, "we");

	ck_assert_ptr_nonnull(file);
	fwrite(text, 1, len, file);
	fclose(file);
}

START_TEST(stage_from_a_file)
{
	char list[128], line[256], *big = malloc(2000 * 30);
	size_t len = 0;

	snprintf(list, sizeof(list), "%s/list", dir);
	for (int i = 0; i < 1300; i++) /* more than one request takes */
		len += (size_t)snprintf(big + len, 30, "/mnt/stub/news/a.txt\n");
	write_list(list, big, len);
	free(big);
	snprintf(line, sizeof(line), "stage --from %s", list);
	stage_and_keep_id(line);
	ck_assert_uint_eq(stage->requests[0].count, 1300);
	write_list(list, "/mnt/stub/odd\xff\n\0/mnt/stub/news/sub\0", 36);
	snprintf(line, sizeof(line), "stage --from %s -0", list);
	stage_and_keep_id(line);
	ck_assert_uint_eq(stage->requests[1].count, 2);
	ck_assert_uint_eq(stage->requests[1].files[0].node, odd);
	write_list(list, "\n", 1);
	snprintf(line, sizeof(line), "stage --from %s", list);
	ck_assert_int_eq(run(line), 1);
	unlink(list);
	ck_assert_int_eq(run(line), 1);
	ck_assert(has(err, "No such file or directory"));
}
END_TEST

static void stage_in_child(int output)
{
	char *argv[] = {(char[]){"thaw"},
			(char[]){"stage"},
			(char[]){"--socket"},
			path,
			(char[]){"--wait"},
			(char[]){"/mnt/stub/news"},
			NULL};

	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	_exit(thaw_cli_main(6, argv));
}

/* In a child, as it dies of it. */
START_TEST(an_interrupt_leaves_the_request_running)
{
	FILE *file = tmpfile();
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0)
		stage_in_child(fileno(file));
	while (!atomic_load(&stage->request_looks)) /* it waits from now on */
		poll(NULL, 0, 1);
	ck_assert_int_eq(kill(child, SIGINT), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	slurp(file, out, sizeof(out));
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGINT);
	ck_assert(has(out, stage->requests[0].request.id));
	ck_assert(has(out, "thaw: interrupted; request 00000000-"));
	ck_assert_int_eq(stage->requests[0].request.finished, 0);
	ck_assert(!stage->requests[0].request.cancelled);
}
END_TEST

/* --- pins, evict ---------------------------------------------------------- */

START_TEST(pins)
{
	json_t *doc, *pin;

	stage->step_files = 10;
	ck_assert_int_eq(run("pin @/news --label train --wait"), 0);
	ck_assert_int_eq(run("pin @/news/a.txt --until 2286-11-20T17:46:39Z"), 0);
	expect("pins", 0,
	       "forever               root      train             /mnt/stub/news\n"
	       "2286-11-20T17:46:39Z  root                        /mnt/stub/news/a.txt\n",
	       "");
	ck_assert_int_eq(run("pins --json"), 0);
	doc = json();
	pin = json_array_get(json_object_get(doc, "pins"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(pin, "path")), "/mnt/stub/news");
	ck_assert(json_is_null(json_object_get(pin, "expires")));
	json_decref(doc);
	expect("unpin @/news/a.txt @/news/b.txt", 3, "",
	       "thaw: /mnt/stub/news/b.txt: no pin stands on it\n");
	expect("unpin @/news", 0, "", "");
	expect("pins", 0, "", "");
	stage->pins_do_not_fit = true;
	expect("pin @/news", 1, "",
	       "thaw: /mnt/stub/news: the pins would need 3T of a cache of 2T\n");
}
END_TEST

START_TEST(pin_waits_and_tells)
{
	stage->step_files = 10;
	stage->fail_every = 1;
	ck_assert_int_eq(run("pin --wait @/news/a.txt"), 3);
	ck_assert(has(err, "thaw: /mnt/stub/news/a.txt: Input/output error\n"));
}
END_TEST

START_TEST(evict)
{
	stub_at(stage, a)->state = stub_at(stage, b)->state = THAW_STATE_ONLINE;
	stub_at(stage, c)->state = THAW_STATE_ONLINE;
	ck_assert_int_eq(run("pin @/news/a.txt"), 0);
	expect("evict @/news", 3, "evicted 2 files, 3M\n",
	       "thaw: /mnt/stub/news: 1 file, pinned, stayed (--force drops them too)\n");
	expect("evict @/news/a.txt", 1, "evicted 0 files, 0\n", NULL);
	expect("evict @/news/a.txt --force", 0, "evicted 1 file, 1000\n", "");
	expect("evict @/news", 0, "evicted 0 files, 0\n", ""); /* nothing to do is done */
}
END_TEST

/* --- import, status ------------------------------------------------------- */

START_TEST(import)
{
	struct thaw_conf_collection news = {.name = (char[]){"news"}, .path = (char[]){"/news"}};

	stage->conf.collections = &news;
	stage->conf.collection_count = 1;
	ck_assert_int_eq(run("import"), 0);
	ck_assert_uint_eq(stage->last_import, 1);
	ck_assert(has(out, "3 directories, 1000 entries: 990 added, 4 changed, 1 lost, "
			   "0 found again, 0 errors;"));
	ck_assert_int_eq(run("import --allow-empty news"), 0);
	ck_assert_uint_eq(stage->last_import, 2);
	ck_assert(stage->last_allow_empty);
	ck_assert_int_eq(run("import @/news/sub --no-wait"), 0);
	ck_assert_uint_eq(stage->last_import, stub_at(stage, c)->node.parent);
	stage->import_errors = 2;
	ck_assert_int_eq(run("import"), 3);
	ck_assert(has(
		err, "thaw: /mnt/stub: 2 could not be taken, the first: a/b: Permission denied\n"));
	ck_assert_int_eq(run("import olds"), 1);
	ck_assert(has(err, "thaw: no collection is called \"olds\"\n"));
}
END_TEST

START_TEST(status)
{
	json_t *doc;

	ck_assert_int_eq(run("status"), 0);
	ck_assert(has(out, "cache     600 of 1000 used (60%)"));
	ck_assert(has(out, "archive   vault (posix): reachable"));
	ck_assert(has(out, "archive   tape (s3): NOT REACHABLE, 0 calls run; last error "
			   "2023-11-14T22:13:20Z: connection refused\n"));
	ck_assert_int_eq(run("status --json"), 0);
	doc = json();
	ck_assert_int_eq(json_integer_value(json_object_get(doc, "used")), 600);
	json_decref(doc);
}
END_TEST

START_TEST(metrics)
{
	json_t *doc;

	ck_assert_int_eq(run("metrics"), 0);
	ck_assert(has(out, "\n# TYPE thawfs_cache_used_bytes gauge\nthawfs_cache_used_bytes 600\n"));
	ck_assert_int_eq(run("metrics --json"), 0);
	doc = json();
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(doc, "text")),
				     "\nthawfs_cache_size_bytes 1000\n"));
	json_decref(doc);
}
END_TEST

START_TEST(no_daemon)
{
	control = thaw_control_stop(control);
	ck_assert_int_eq(run("status"), 1);
	ck_assert(has(err,
		      "the daemon cannot be reached: No such file or directory (does it run?)\n"));
	start();
	ck_assert_int_eq(run("status"), 0);
}
END_TEST

START_TEST(output_that_cannot_be_written)
{
	char *argv[] = {(char[]){"thaw"}, (char[]){"status"}, (char[]){"--socket"}, path, NULL};
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC),
	    null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	close(full);
	close(null);
	ck_assert_int_eq(thaw_cli_main(4, argv), THAW_EXIT_FAILED);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, state_is_like_ls);
	tcase_add_test(tcase, state_errors_and_exit);
	tcase_add_test(tcase, state_as_json);
	tcase_add_test(tcase, stage_prints_an_id);
	tcase_add_test(tcase, stage_waits);
	tcase_add_test(tcase, stage_names_what_did_not_come);
	tcase_add_test(tcase, stage_is_content_with_a_share);
	tcase_add_test(tcase, stage_as_json_has_the_wlcg_shape);
	tcase_add_test(tcase, stage_from_a_file);
	tcase_add_test(tcase, an_interrupt_leaves_the_request_running);
	tcase_add_test(tcase, pins);
	tcase_add_test(tcase, pin_waits_and_tells);
	tcase_add_test(tcase, evict);
	tcase_add_test(tcase, import);
	tcase_add_test(tcase, status);
	tcase_add_test(tcase, metrics);
	tcase_add_test(tcase, no_daemon);
	tcase_add_test(tcase, output_that_cannot_be_written);
}

int main(void)
{
	return run_suite("commands", add);
}
