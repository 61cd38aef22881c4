/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Killed at every crash point there is.  A life in a process of its own imports,
 * reads, stages, pins, asks, evicts, meets a changed file and a wrong one, and is
 * killed at the n-th pass of a point; what it was told is done it has noted down.
 * The next start must agree with itself to the byte and keep every promise.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "audit.h"
#include "rig.h"

#define FILES 10

static const char *const points[] = {
	"open.identified", "id.written",        "id.renamed",       "claim.disowned",
	"claim.emptied",   "recover.finals",    "new.created",      "publish.begin",
	"publish.linked",  "publish.synced",    "stage.published",  "done.begin",
	"done.end",        "remove.begin",      "remove.unlinked",  "remove.synced",
	"abort.begin",     "abort.unpublished", "quarantine.begin", "quarantine.linked",
};
#define POINTS (sizeof(points) / sizeof(points[0]))

static struct rig rig;

/* ---- a life ---- */

static int notes = -1;

static void note(const char *text)
{
	ck_assert_int_eq(write(notes, text, strlen(text)), (ssize_t)strlen(text));
}

static uint64_t size_of(unsigned i)
{
	return i * 30011;
}

/* The same calls in the same order make the same tags in every process. */
static void fill_archive(void)
{
	char key[32];

	rig.conf.stream_min = 200000;
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(key, sizeof(key), "d/f%u", i);
		rig_put(&rig, key, size_of(i), i);
	}
	rig_put(&rig, "wrong", 50000, 50);
	rig_put(&rig, "broken", 50000, 51);
	rig_put(&rig, "changes", 50000, 52);
}

static void change_archive(void)
{
	rig_put(&rig, "changes", 60000, 53);
}

static int flip_wrong(struct hook *hook, struct thaw_key key, uint64_t off, void *data, size_t len)
{
	(void)hook;
	if (key_is(key, "wrong") && off == 0 && len)
		*(char *)data ^= 1;
	return 0;
}

static struct gate gate;

static int hold_changes(struct hook *hook, struct thaw_key key, uint64_t off, int r)
{
	static const struct thaw_call never = {NULL, NULL};

	(void)hook;
	(void)off;
	if (key_is(key, "changes"))
		(void)gate_pass(&gate, &never);
	return r;
}

static void read_all(void)
{
	char path[32];

	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(path, sizeof(path), "d/f%u", i);
		ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, path), 0, size_of(i), i),
				 0);
	}
}

static void stage_for_good(void)
{
	struct thaw_obj *obj;
	char text[8], path[32];

	for (unsigned i = 5; i < 8; i++) {
		(void)snprintf(path, sizeof(path), "d/f%u", i);
		ck_assert_int_eq(bulk_wait(rig.stage, rig_node(&rig, path), &obj), 0);
		thaw_stage_close(rig.stage, obj);
		(void)snprintf(text, sizeof(text), "S%u\n", i);
		note(text);
	}
}

static void pin_and_ask(void)
{
	char id[THAW_REQUEST_ID_TEXT], text[64];
	uint64_t node = rig_node(&rig, "d");

	ck_assert_int_eq(thaw_stage_pin(rig.stage, rig_node(&rig, "d/f6"), 0, THAW_PIN_FOREVER, "",
					id, NULL),
			 0);
	note("P\n");
	ck_assert_int_eq(thaw_stage_request(rig.stage, 0, &node, 1, id, NULL), 0);
	(void)snprintf(text, sizeof(text), "R%s\n", id);
	note(text);
}

/* Once right, so that the second time it is wrong. */
static void meet_a_wrong_one(void)
{
	struct thaw_evict_result sum;
	struct thaw_obj *obj;

	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "wrong"), 0, 50000, 50), 0);
	ck_assert_int_eq(thaw_stage_evict(rig.stage, rig_node(&rig, "wrong"), false, &sum), 0);
	rig.hook->on_piece = flip_wrong;
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "wrong"), 0, &obj), -EIO);
	ck_assert_int_eq(thaw_archive_mem_fail(rig.mem, thaw_key_of("broken"), -EIO, 2), 0);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "broken"), 0, &obj), -EIO);
}

/* The import comes while the last byte has and nothing is published. */
static void meet_a_change(void)
{
	struct thaw_obj *obj;
	struct waiter w;

	gate_init(&gate, true);
	rig.hook->after_get = hold_changes;
	waiter_init(&w);
	ck_assert_int_eq(thaw_stage_open(rig.stage, rig_node(&rig, "changes"), 0, &w.wait, &obj),
			 -EINPROGRESS);
	ck_assert(gate_wait_held(&gate, 1));
	change_archive();
	(void)rig_import(&rig, "/", false);
	gate_open(&gate);
	if (waiter_status(&w) == 0)
		thaw_stage_close(rig.stage, w.wait.obj);
	waiter_release(&w);
	rig_await_idle(&rig);
	rig.hook->after_get = NULL;
	gate_release(&gate);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "changes"), 0, 60000, 53), 0);
}

static void live(const char *dir)
{
	char path[400];
	struct thaw_evict_result sum;

	rig_init_in(&rig, false, dir);
	(void)snprintf(path, sizeof(path), "%s/notes", dir);
	notes = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ge(notes, 0);
	fill_archive();
	rig_start(&rig);
	read_all();
	ck_assert_int_eq(thaw_stage_evict(rig.stage, rig_node(&rig, "d"), false, &sum), 0);
	meet_a_wrong_one();
	meet_a_change();
	stage_for_good();
	pin_and_ask();
	rig_await_idle(&rig);
	rig_leave(&rig);
}

/* ---- and what is left of it ---- */

enum end { WHOLE, KILLED, BROKEN };

static enum end run_life(const char *dir, const char *crash_at)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (crash_at)
			(void)setenv("THAW_CRASH_AT", crash_at, 1);
		else
			(void)unsetenv("THAW_CRASH_AT");
		(void)setenv("CK_FORK", "no", 1);
		(void)execl("/proc/self/exe", "test", "life", dir, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGKILL ? KILLED : BROKEN;
	return WEXITSTATUS(status) == 0 ? WHOLE : BROKEN;
}

static int any_pin(void *ctx, const struct thaw_pin *pin)
{
	(void)pin;
	*(bool *)ctx = true;
	return 0;
}

static void check_note(const char *line)
{
	struct thaw_request request;
	char path[128];
	bool pinned = false;

	switch (*line) {
	case 'S': /* safe: there before anybody asks the archive */
		(void)snprintf(path, sizeof(path), "d/f%s", line + 1);
		ck_assert_int_eq(rig_state(&rig, path), THAW_STATE_ONLINE);
		break;
	case 'P':
		ck_assert_int_eq(thaw_stage_pins(rig.stage, any_pin, &pinned), 0);
		ck_assert(pinned);
		break;
	case 'R':
		rig_await(thaw_stage_request_get(rig.stage, line + 1, &request) == 0 &&
			  request.finished);
		ck_assert_uint_eq(request.files[THAW_FILE_COMPLETED], FILES);
		break;
	default:
		ck_abort_msg("note: %s", line);
	}
}

static void check_notes(const char *dir)
{
	char path[400], line[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/notes", dir);
	f = fopen(path, "re");
	if (!f)
		return; /* it did not come so far */
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		check_note(line);
	}
	(void)fclose(f);
}

static void check_what_is_left(const char *dir)
{
	rig_init_in(&rig, false, dir);
	fill_archive();
	change_archive();
	rig_start(&rig);
	check_notes(dir);
	audit(&rig);
	(void)rig_import(&rig, "/", false);
	read_all();
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "changes"), 0, 60000, 53), 0);
	rig_end(&rig);
}

static void make_dir(char dir[64])
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(dir, 64, "%s/thaw-crash-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

START_TEST(killed_at)
{
	static const int passes[] = {1, 2, 4, 9};
	bool killed = false;

	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
		char dir[64], plan[64];
		enum end end;

		make_dir(dir);
		(void)snprintf(plan, sizeof(plan), "%s:%d", points[_i], passes[i]);
		end = run_life(dir, plan);
		ck_assert_msg(end != BROKEN, "%s", plan);
		killed |= end == KILLED;
		if (end == KILLED && i % 2) /* and once more, as it recovers */
			ck_assert_int_eq(run_life(dir, "recover.finals"), KILLED);
		check_what_is_left(dir);
		if (end == WHOLE)
			break;
	}
	ck_assert_msg(killed, "%s is never passed", points[_i]);
}
END_TEST

START_TEST(whole)
{
	char dir[64];

	make_dir(dir);
	ck_assert_int_eq(run_life(dir, NULL), WHOLE);
	check_what_is_left(dir);
}
END_TEST

START_TEST(life)
{
	live(getenv("THAW_TEST_LIFE"));
}
END_TEST

static SRunner *make_runner(bool is_life)
{
	Suite *suite = suite_create("stage/crash");
	TCase *tc = tcase_create("crash");

	if (is_life) {
		tcase_add_test(tc, life);
	} else {
		tcase_add_test(tc, whole);
#ifdef THAW_CRASH_POINTS
		tcase_add_loop_test(tc, killed_at, 0, POINTS);
#else
		(void)killed_at;
#endif
	}
	suite_add_tcase(suite, tc);
	return srunner_create(suite);
}

int main(int argc, char **argv)
{
	bool is_life = argc == 3 && strcmp(argv[1], "life") == 0;
	SRunner *runner;
	int failed;

	if (is_life)
		(void)setenv("THAW_TEST_LIFE", argv[2], 1);
	runner = make_runner(is_life);
	srunner_run_all(runner, is_life ? CK_SILENT : CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
