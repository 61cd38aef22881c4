/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server on a real socket: many peers, slow ones, silent ones, ones that
 * vanish, and everything about the socket's name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "control/control.h"
#include "control/lines.h"
#include "stub_stage.h"
#include "../suite.h"

#define PATIENCE_MS 20000
#define BIG_FILES   1500

static struct thaw_stage *stage;
static struct thaw_control *control;
static struct thaw_control_limits limits;
static char dir[64], path[128];
static uint64_t hidden;

static void set_up(void)
{
	char name[16];
	uint64_t big;

	thaw_log_set_level(LOG_EMERG);
	stage = stub_new();
	big = stub_add(stage, 1, "big", THAW_TYPE_DIR, 0755, 0, 0, 0);
	for (int i = 0; i < BIG_FILES; i++) {
		snprintf(name, sizeof(name), "file%05d", i);
		stub_add(stage, big, name, THAW_TYPE_FILE, 0644, 0, 0, 10);
	}
	hidden = stub_add(stage, 1, "hidden", THAW_TYPE_DIR, 0755, 0, 0, 0);
	stub_add(stage, hidden, "x", THAW_TYPE_FILE, 0644, 0, 0, 10);
	stub_at(stage, hidden)->node.listed = THAW_UNLISTED;
	snprintf(dir, sizeof(dir), "/tmp/thaw-control-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sub/thaw.sock", dir);
	limits = thaw_control_default_limits;
}

static void tear_down(void)
{
	control = thaw_control_stop(control);
	stub_free(stage);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	ck_assert_int_eq(rmdir(dir), 0); /* nothing is left */
}

static void start(void)
{
	struct thaw_err err = {""};

	ck_assert_msg(thaw_control_start_limited(stage, path, &limits, &control, &err) == 0, "%s",
		      err.text);
}

/* --- a client ------------------------------------------------------------- */

struct client {
	int fd;
	struct thaw_lines in;
};

static struct client join(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct client client = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};

	memcpy(address.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(connect(client.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	thaw_lines_init(&client.in, 1 << 20);
	return client;
}

static void leave(struct client *client)
{
	close(client->fd);
	thaw_lines_release(&client->in);
}

static void say(struct client *client, const char *text)
{
	ck_assert_int_eq(send(client->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* The next line; NULL at the end of the conversation. */
static json_t *hear(struct client *client)
{
	struct pollfd pollfd = {.fd = client->fd, .events = POLLIN};
	char *line;
	size_t len, room;
	ssize_t n;

	while (!thaw_lines_next(&client->in, &line, &len)) {
		char *at = thaw_lines_room(&client->in, &room);

		ck_assert_msg(poll(&pollfd, 1, PATIENCE_MS) == 1, "no answer");
		n = recv(client->fd, at, room, 0);
		if (n <= 0)
			return NULL;
		thaw_lines_filled(&client->in, (size_t)n);
	}
	return json_loadb(line, len, 0, NULL);
}

/* Reads one answer; how many items it had, the code of an error in *code. */
static size_t hear_answer(struct client *client, char code[32])
{
	size_t items = 0;

	code[0] = '\0';
	for (;;) {
		json_t *line = hear(client);
		const json_t *error = json_object_get(line, "error");

		ck_assert_msg(line != NULL, "the server hung up");
		if (json_object_get(line, "item")) {
			json_decref(line);
			items++;
			continue;
		}
		if (error)
			snprintf(code, 32, "%s", json_string_value(json_object_get(error, "code")));
		json_decref(line);
		return items;
	}
}

static void expect_ok(struct client *client, size_t items)
{
	char code[32];

	ck_assert_uint_eq(hear_answer(client, code), items);
	ck_assert_str_eq(code, "");
}

static void expect_error(struct client *client, const char *error)
{
	char code[32];

	hear_answer(client, code);
	ck_assert_str_eq(code, error);
}

static void expect_end(struct client *client)
{
	json_t *line = hear(client);

	ck_assert_ptr_null(line);
}

static void check_alive(void)
{
	struct client client = join();

	say(&client, "{\"op\":\"ping\"}\n");
	expect_ok(&client, 0);
	leave(&client);
}

/* --- conversations -------------------------------------------------------- */

START_TEST(requests_one_after_another)
{
	struct client client;

	start();
	client = join();
	say(&client, "{\"op\":\"ping\"}\n");
	expect_ok(&client, 0);
	say(&client, "{\"op\":\"state\",\"path\":\"/big\",\"depth\":\"tree\"}\n");
	expect_ok(&client, BIG_FILES + 1);
	say(&client, "nonsense\n");
	expect_error(&client, "EINVAL");
	say(&client, "{\"op\":\"state\",\"path\":\"/none\"}\n");
	expect_error(&client, "ENOENT");
	leave(&client);
}
END_TEST

START_TEST(requests_sent_ahead_are_answered_in_order)
{
	struct client client;

	start();
	client = join();
	for (int i = 0; i < 200; i++)
		say(&client, i % 2 ? "{\"op\":\"state\",\"path\":\"/big\"}\n" : "{\"op\":\"x\"}\n");
	for (int i = 0; i < 100; i++) {
		expect_error(&client, "EOPNOTSUPP");
		expect_ok(&client, 1);
	}
	leave(&client);
}
END_TEST

START_TEST(half_lines_wait_for_the_rest)
{
	struct client client;
	const char *at = "{\"op\":\"ping\"}\n{\"op\":\"ping\"}\n";

	start();
	client = join();
	for (; *at; at++) {
		ck_assert_int_eq(send(client.fd, at, 1, 0), 1);
		if (*at == 'p')
			check_alive();
	}
	expect_ok(&client, 0);
	expect_ok(&client, 0);
	leave(&client);
}
END_TEST

START_TEST(a_line_too_long_ends_the_conversation)
{
	static char big[200000];
	struct client client;

	limits.line_max = 100000;
	start();
	client = join();
	memset(big, ' ', sizeof(big));
	memcpy(big, "{\"op\":\"ping\"", 12);
	memcpy(big + 99999, "}\n", 2);
	ck_assert_int_eq(send(client.fd, big, 100001, 0), 100001);
	expect_ok(&client, 0);
	memset(big, 'x', sizeof(big));
	(void)!send(client.fd, big, sizeof(big), MSG_NOSIGNAL);
	expect_error(&client, "EMSGSIZE");
	expect_end(&client);
	leave(&client);
	check_alive();
}
END_TEST

START_TEST(answers_come_after_the_peer_stopped_sending)
{
	struct client client;

	start();
	client = join();
	for (int i = 0; i < 20; i++)
		say(&client, "{\"op\":\"state\",\"path\":\"/big\",\"depth\":\"tree\"}\n");
	say(&client, "{\"op\":\"pi"); /* never ends */
	ck_assert_int_eq(shutdown(client.fd, SHUT_WR), 0);
	for (int i = 0; i < 20; i++)
		expect_ok(&client, BIG_FILES + 1);
	expect_end(&client);
	leave(&client);
}
END_TEST

/* --- crowds --------------------------------------------------------------- */

static void *chatter(void *arg)
{
	struct client client = join();

	(void)arg;
	for (int i = 0; i < 25; i++) {
		say(&client, "{\"op\":\"state\",\"path\":\"/big/file00007\"}\n");
		expect_ok(&client, 1);
		say(&client, "{\"op\":\"stage\",\"paths\":[\"/big/file00001\",\"/none\"]}\n");
		expect_ok(&client, 1);
		if (i % 8 == 0) {
			say(&client, "{\"op\":\"state\",\"path\":\"/big\",\"depth\":\"tree\"}\n");
			expect_ok(&client, BIG_FILES + 1);
		}
	}
	leave(&client);
	return NULL;
}

START_TEST(many_at_once)
{
	pthread_t threads[24];

	start();
	for (size_t i = 0; i < 24; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, chatter, NULL), 0);
	for (size_t i = 0; i < 24; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

/* More of them than there are workers, each owed more than sockets hold. */
START_TEST(slow_readers_hold_nobody_up)
{
	struct client slow[10];

	start();
	for (size_t i = 0; i < 10; i++) {
		slow[i] = join();
		for (int k = 0; k < 10; k++)
			say(&slow[i], "{\"op\":\"state\",\"path\":\"/big\",\"depth\":\"tree\"}\n");
	}
	for (int i = 0; i < 20; i++)
		check_alive();
	for (size_t i = 0; i < 10; i++) {
		for (int k = 0; k < 10; k++)
			expect_ok(&slow[i], BIG_FILES + 1);
		leave(&slow[i]);
	}
}
END_TEST

static unsigned open_descriptors(void)
{
	DIR *fds = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(fds))
		n++;
	closedir(fds);
	return n;
}

/* The server closes its ends in its own time. */
static void await_descriptors(unsigned n)
{
	for (int i = 0; open_descriptors() > n; i++) {
		ck_assert_msg(i < PATIENCE_MS, "connections are not closed");
		poll(NULL, 0, 1);
	}
}

START_TEST(those_who_vanish_leave_nothing)
{
	static const char *const last_words[] = {
		"",
		"{\"op\":",
		"{\"op\":\"ping\"}\n",
		"\n\n\n",
		"{\"op\":\"state\",\"path\":\"/big\",\"depth\":\"tree\"}\n",
		"{\"op\":\"stage_begin\"}\n{\"op\":\"stage_paths\",\"paths\":[\"/big\"]}\n",
	};
	unsigned before;

	start();
	check_alive();
	before = open_descriptors() - 1; /* that one may still be closing */
	for (int i = 0; i < 300; i++) {
		struct client client = join();

		/* a crowd is refused with EPIPE, which is fine here */
		(void)!send(client.fd, last_words[i % 6], strlen(last_words[i % 6]), MSG_NOSIGNAL);
		if (i % 3 == 0)
			shutdown(client.fd, SHUT_RD);
		leave(&client);
	}
	await_descriptors(before + 1);
	check_alive();
}
END_TEST

START_TEST(no_more_than_the_limit)
{
	struct client clients[4], fifth;

	limits.connections = 4;
	start();
	for (size_t i = 0; i < 4; i++) {
		clients[i] = join();
		say(&clients[i], "{\"op\":\"ping\"}\n");
		expect_ok(&clients[i], 0);
	}
	fifth = join();
	expect_error(&fifth, "EBUSY");
	expect_end(&fifth);
	leave(&fifth);
	leave(&clients[0]);
	for (bool in = false; !in; leave(&fifth)) { /* until the server saw that one go */
		json_t *line;

		fifth = join();
		(void)!send(fifth.fd, "{\"op\":\"ping\"}\n", 14, MSG_NOSIGNAL);
		line = hear(&fifth);
		in = json_object_get(line, "ok");
		json_decref(line);
	}
	for (size_t i = 1; i < 4; i++)
		leave(&clients[i]);
}
END_TEST

/* --- time ----------------------------------------------------------------- */

START_TEST(the_silent_are_cut)
{
	struct client silent, dribbling, deaf;

	limits.idle_ms = 100;
	start();
	silent = join();
	expect_end(&silent);
	leave(&silent);
	dribbling = join();
	while (send(dribbling.fd, " ", 1, MSG_NOSIGNAL) == 1)
		poll(NULL, 0, 5);
	ck_assert_int_eq(errno, EPIPE);
	leave(&dribbling);
	deaf = join();
	for (int k = 0; k < 10; k++)
		say(&deaf, "{\"op\":\"state\",\"path\":\"/big\",\"depth\":\"tree\"}\n");
	while (send(deaf.fd, "{\"op\":\"ping\"}\n", 14, MSG_NOSIGNAL | MSG_DONTWAIT) == 14)
		poll(NULL, 0, 5);
	ck_assert_int_eq(errno, EPIPE);
	leave(&deaf);
}
END_TEST

static void await_parked(void)
{
	for (int i = 0; !stub_is_waited_for(stage); i++) {
		ck_assert_int_lt(i, PATIENCE_MS);
		poll(NULL, 0, 1);
	}
}

static struct client join_and_park(void)
{
	struct client client = join();

	say(&client, "{\"op\":\"state\",\"path\":\"/hidden/x\"}\n");
	await_parked();
	return client;
}

START_TEST(a_parked_request_is_answered_when_its_time_comes)
{
	struct client client;

	start();
	client = join_and_park();
	check_alive();
	ck_assert(stub_listed(stage, 0));
	expect_ok(&client, 1);
	leave(&client);
}
END_TEST

START_TEST(a_parked_request_does_not_wait_for_ever)
{
	struct client client;

	limits.list_wait_ms = 50;
	start();
	client = join_and_park();
	expect_error(&client, "EAGAIN");
	say(&client, "{\"op\":\"ping\"}\n");
	expect_ok(&client, 0);
	ck_assert(!stub_listed(stage, 0));
	leave(&client);
}
END_TEST

START_TEST(a_parked_peer_that_vanished_is_let_go)
{
	struct client client;
	unsigned before;

	limits.list_wait_ms = 50;
	start();
	before = open_descriptors();
	client = join_and_park();
	leave(&client);
	await_descriptors(before);
	ck_assert(!stub_is_waited_for(stage));
}
END_TEST

START_TEST(stopping_ends_everything)
{
	struct client parked, busy, idle;

	start();
	idle = join();
	busy = join();
	for (int k = 0; k < 10; k++)
		say(&busy, "{\"op\":\"state\",\"path\":\"/big\",\"depth\":\"tree\"}\n");
	parked = join_and_park();
	control = thaw_control_stop(control);
	ck_assert_uint_eq(atomic_load(&stage->cancelled_waits), 1);
	ck_assert(!stub_is_waited_for(stage));
	expect_end(&parked);
	expect_end(&idle);
	leave(&parked);
	leave(&busy);
	leave(&idle);
	ck_assert_ptr_null(thaw_control_stop(NULL));
}
END_TEST

/* --- the socket's name ---------------------------------------------------- */

START_TEST(the_socket_is_open_to_all_and_goes_away)
{
	mode_t mask = umask(077);
	struct stat st;

	start();
	umask(mask);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFSOCK | 0666);
	*strrchr(path, '/') = '\0';
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFDIR | 0755);
	path[strlen(path)] = '/';
	control = thaw_control_stop(control);
	ck_assert_int_eq(lstat(path, &st), -1);
}
END_TEST

static void expect_refusal(int code, const char *word)
{
	struct thaw_control *second;
	struct thaw_err err = {""};

	ck_assert_int_eq(thaw_control_start(stage, path, &second, &err), code);
	ck_assert_msg(strstr(err.text, path) && strstr(err.text, word), "%s", err.text);
}

START_TEST(a_living_daemon_keeps_its_socket)
{
	start();
	expect_refusal(-EADDRINUSE, "another daemon");
	check_alive();
}
END_TEST

START_TEST(a_dead_daemons_socket_is_replaced)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	start();
	control = thaw_control_stop(control);
	memcpy(address.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	close(fd);
	start();
	check_alive();
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
	int fd;

	start();
	control = thaw_control_stop(control);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	expect_refusal(-EEXIST, "something else");
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

/* A successor's socket under the same name is not taken away. */
START_TEST(only_our_own_name_is_removed)
{
	struct thaw_control *first;

	start();
	first = control;
	ck_assert_int_eq(unlink(path), 0);
	start();
	thaw_control_stop(first);
	check_alive();
}
END_TEST

START_TEST(a_path_too_long_is_refused)
{
	struct thaw_control *none;
	struct thaw_err err = {""};
	char long_path[200];

	start();
	memset(long_path, 'x', sizeof(long_path));
	long_path[0] = '/';
	long_path[199] = '\0';
	ck_assert_int_eq(thaw_control_start(stage, long_path, &none, &err), -ENAMETOOLONG);
	ck_assert_ptr_nonnull(strstr(err.text, "107"));
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, requests_one_after_another);
	tcase_add_test(tcase, requests_sent_ahead_are_answered_in_order);
	tcase_add_test(tcase, half_lines_wait_for_the_rest);
	tcase_add_test(tcase, a_line_too_long_ends_the_conversation);
	tcase_add_test(tcase, answers_come_after_the_peer_stopped_sending);
	tcase_add_test(tcase, many_at_once);
	tcase_add_test(tcase, slow_readers_hold_nobody_up);
	tcase_add_test(tcase, those_who_vanish_leave_nothing);
	tcase_add_test(tcase, no_more_than_the_limit);
	tcase_add_test(tcase, the_silent_are_cut);
	tcase_add_test(tcase, a_parked_request_is_answered_when_its_time_comes);
	tcase_add_test(tcase, a_parked_request_does_not_wait_for_ever);
	tcase_add_test(tcase, a_parked_peer_that_vanished_is_let_go);
	tcase_add_test(tcase, stopping_ends_everything);
	tcase_add_test(tcase, the_socket_is_open_to_all_and_goes_away);
	tcase_add_test(tcase, a_living_daemon_keeps_its_socket);
	tcase_add_test(tcase, a_dead_daemons_socket_is_replaced);
	tcase_add_test(tcase, what_is_no_socket_is_left_alone);
	tcase_add_test(tcase, only_our_own_name_is_removed);
	tcase_add_test(tcase, a_path_too_long_is_refused);
}

int main(void)
{
	return run_suite("server", add);
}
