/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The protocol without a socket: what every line is answered with, and who
 * may do what.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/op.h"
#include "stub_stage.h"
#include "../suite.h"

/*
 * /open        0755 root
 *   a.txt      0644 root    100 bytes
 *   b.txt      0600 uid 7   200 bytes
 *   sub/c.txt  0644 root    300 bytes
 * /shut        0700 root
 *   d.txt      0644 root    400 bytes
 * /odd\xff     a file whose name is not UTF-8
 */
static struct thaw_stage *stage;
static struct thaw_session session;
static uint64_t open_dir, a, b, sub, c, shut, d, odd;

/* Answer to the last request: item lines and the last one. */
static json_t *items, *last;

static void set_up(void)
{
	thaw_log_set_level(LOG_WARNING);
	stage = stub_new();
	open_dir = stub_add(stage, 1, "open", THAW_TYPE_DIR, 0755, 0, 0, 0);
	a = stub_add(stage, open_dir, "a.txt", THAW_TYPE_FILE, 0644, 0, 0, 100);
	b = stub_add(stage, open_dir, "b.txt", THAW_TYPE_FILE, 0600, 7, 0, 200);
	sub = stub_add(stage, open_dir, "sub", THAW_TYPE_DIR, 0755, 0, 0, 0);
	c = stub_add(stage, sub, "c.txt", THAW_TYPE_FILE, 0644, 0, 0, 300);
	shut = stub_add(stage, 1, "shut", THAW_TYPE_DIR, 0700, 0, 0, 0);
	d = stub_add(stage, shut, "d.txt", THAW_TYPE_FILE, 0644, 0, 0, 400);
	odd = stub_add(stage, 1, "odd\xff", THAW_TYPE_FILE, 0644, 0, 0, 1);
	thaw_session_init(&session, stage);
	session.peer.privileged = true;
}

static void tear_down(void)
{
	json_decref(items);
	json_decref(last);
	items = last = NULL;
	thaw_session_release(&session);
	stub_free(stage);
}

static void become(uid_t uid)
{
	session.peer.uid = session.peer.gid = uid;
	session.peer.privileged = uid == 0;
}

static void parse_answer(void)
{
	char *at = session.out.data, *end;
	json_t *line;

	json_decref(items);
	json_decref(last);
	items = json_array();
	last = NULL;
	while ((end = strchr(at, '\n'))) {
		line = json_loadb(at, (size_t)(end - at), JSON_REJECT_DUPLICATES, NULL);
		ck_assert_ptr_nonnull(line);
		ck_assert_ptr_null(last); /* nothing comes after the last line */
		if (json_object_get(line, "item")) {
			json_array_append(items, json_object_get(line, "item"));
			json_decref(line);
		} else {
			last = line;
		}
		at = end + 1;
	}
	ck_assert_str_eq(at, "");
	thaw_buf_clear(&session.out);
}

static void send_bytes(const char *line, size_t len)
{
	thaw_session_line(&session, line, len);
	while (session.job)
		ck_assert_int_ne(thaw_session_step(&session), THAW_STEP_PARKED);
	parse_answer();
	ck_assert_ptr_nonnull(last);
}

static void say(const char *line)
{
	send_bytes(line, strlen(line));
}

static const char *code(void)
{
	return json_string_value(json_object_get(json_object_get(last, "error"), "code"));
}

static const char *text(void)
{
	return json_string_value(json_object_get(json_object_get(last, "error"), "text"));
}

static void expect_error(const char *line, const char *error)
{
	say(line);
	ck_assert_msg(code() && strcmp(code(), error) == 0, "%s: %s, not %s", line,
		      code() ? code() : "ok", error);
}

static void expect_ok(const char *line)
{
	say(line);
	ck_assert_msg(json_is_true(json_object_get(last, "ok")), "%s: %s %s", line, code(), text());
}

static const json_t *item(size_t i)
{
	ck_assert_uint_lt(i, json_array_size(items));
	return json_array_get(items, i);
}

static const char *item_text(size_t i, const char *key)
{
	return json_string_value(json_object_get(item(i), key));
}

static json_int_t number(const json_t *object, const char *key)
{
	ck_assert_msg(json_is_integer(json_object_get(object, key)), "no %s", key);
	return json_integer_value(json_object_get(object, key));
}

static const char *item_code(size_t i)
{
	return json_string_value(json_object_get(json_object_get(item(i), "error"), "code"));
}

/* --- the parser ----------------------------------------------------------- */

START_TEST(what_is_no_request)
{
	static const char *const lines[] = {
		"",
		" ",
		"ping",
		"{",
		"}",
		"[]",
		"1",
		"null",
		"\"ping\"",
		"{\"op\":\"ping\"} x",
		"{}",
		"{\"op\":1}",
		"{\"op\":null}",
		"{\"op\":[\"ping\"]}",
		"{\"OP\":\"ping\"}",
		"{\"op\":\"ping\",\"op\":\"status\"}",
		"{\"op\":\"ping\",}",
		"{'op':'ping'}",
		"{\"op\":\"p\\u0000\"}",
		"{\"op\":\"\xff\"}",
		"\xef\xbb\xbf{\"op\":\"ping\"}",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect_error(lines[i], "EINVAL");
	expect_ok("{\"op\":\"ping\"}");
}
END_TEST

START_TEST(garbage_is_survived)
{
	unsigned seed = 12345;
	char line[300];

	for (int i = 0; i < 20000; i++) {
		size_t len = (size_t)rand_r(&seed) % sizeof(line);

		for (size_t at = 0; at < len; at++)
			line[at] = (char)rand_r(&seed);
		send_bytes(line, len);
		ck_assert_str_eq(code(), "EINVAL");
	}
}
END_TEST

/* Every request with one byte changed: any answer, but one. */
START_TEST(near_requests_are_survived)
{
	static const char *const requests[] = {
		"{\"op\":\"state\",\"path\":\"/open\",\"depth\":\"tree\"}",
		"{\"op\":\"stage\",\"paths\":[\"/open\",{\"path_b64\":\"L29kZP8=\"}]}",
		"{\"op\":\"pin\",\"paths\":[\"/open/a.txt\"],\"for\":60,\"label\":\"x\"}",
		"{\"op\":\"import\",\"paths\":[\"/open\"],\"allow_empty\":true}",
	};
	unsigned seed = 99;
	char line[200];

	for (int i = 0; i < 20000; i++) {
		const char *request = requests[i % 4];
		size_t len = strlen(request);

		memcpy(line, request, len);
		line[(size_t)rand_r(&seed) % len] = (char)rand_r(&seed);
		send_bytes(line, len);
	}
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
	static char line[100000];

	memset(line, '[', sizeof(line));
	send_bytes(line, sizeof(line));
	ck_assert_str_eq(code(), "EINVAL");
}
END_TEST

START_TEST(unknown_ops_are_named)
{
	expect_error("{\"op\":\"defrost\\u001b[2J\"}", "EOPNOTSUPP");
	ck_assert_str_eq(text(), "unknown op \"defrost\\033[2J\"");
}
END_TEST

START_TEST(members_of_the_wrong_type)
{
	expect_error("{\"op\":\"state\"}", "EINVAL");
	expect_error("{\"op\":\"state\",\"path\":5}", "EINVAL");
	expect_error("{\"op\":\"state\",\"path\":\"/\",\"depth\":\"all\"}", "EINVAL");
	expect_error("{\"op\":\"state\",\"path\":\"/\",\"depth\":1}", "EINVAL");
	expect_error("{\"op\":\"stage\"}", "EINVAL");
	expect_error("{\"op\":\"stage\",\"paths\":\"/\"}", "EINVAL");
	expect_error("{\"op\":\"stage\",\"paths\":[]}", "EINVAL");
	expect_error("{\"op\":\"request\"}", "EINVAL");
	expect_error("{\"op\":\"request\",\"id\":1}", "EINVAL");
	expect_error("{\"op\":\"requests\",\"limit\":-1}", "EINVAL");
	expect_error("{\"op\":\"requests\",\"limit\":1.5}", "EINVAL");
	expect_error("{\"op\":\"evict\",\"paths\":[\"/\"],\"force\":1}", "EINVAL");
	expect_error("{\"op\":\"pin\",\"paths\":[\"/\"],\"for\":\"7d\"}", "EINVAL");
	expect_error("{\"op\":\"pin\",\"paths\":[\"/\"],\"for\":0}", "EINVAL");
	expect_error("{\"op\":\"pin\",\"paths\":[\"/\"],\"until\":1000}", "EINVAL");
	expect_error("{\"op\":\"pin\",\"paths\":[\"/\"],\"for\":1,\"until\":9999999999}", "EINVAL");
	expect_error("{\"op\":\"import\",\"collections\":\"x\"}", "EINVAL");
	expect_error("{\"op\":\"import_progress\"}", "EINVAL");
}
END_TEST

/* --- state ---------------------------------------------------------------- */

START_TEST(state_of_a_file)
{
	stub_at(stage, a)->state = THAW_STATE_ONLINE;
	expect_ok("{\"op\":\"state\",\"path\":\"//open/./a.txt\"}");
	ck_assert_uint_eq(json_array_size(items), 1);
	ck_assert_str_eq(item_text(0, "path"), "/open/a.txt");
	ck_assert_str_eq(item_text(0, "state"), "online");
	ck_assert_str_eq(item_text(0, "type"), "file");
	ck_assert_str_eq(item_text(0, "pin"), "none");
	ck_assert_int_eq(number(item(0), "size"), 100);
	ck_assert_int_eq(number(item(0), "cached_bytes"), 100);
	expect_error("{\"op\":\"state\",\"path\":\"/open/nothing\"}", "ENOENT");
	expect_error("{\"op\":\"state\",\"path\":\"/open/a.txt/x\"}", "ENOTDIR");
	expect_error("{\"op\":\"state\",\"path\":\"/open/../shut\"}", "EINVAL");
}
END_TEST

static void expect_paths(const char *const *paths, size_t n)
{
	ck_assert_uint_eq(json_array_size(items), n);
	for (size_t i = 0; i < n; i++)
		ck_assert_str_eq(item_text(i, "path"), paths[i]);
}

START_TEST(state_of_a_directory_at_three_depths)
{
	static const char *const tree[] = {"/open", "/open/a.txt", "/open/b.txt", "/open/sub",
					   "/open/sub/c.txt"};

	stub_at(stage, c)->state = THAW_STATE_ONLINE;
	expect_ok("{\"op\":\"state\",\"path\":\"/open\"}");
	expect_paths(tree, 1);
	ck_assert_str_eq(item_text(0, "state"), "partial");
	ck_assert_int_eq(number(item(0), "files"), 3);
	ck_assert_int_eq(number(item(0), "online_files"), 1);
	expect_ok("{\"op\":\"state\",\"path\":\"/open/\",\"depth\":\"children\"}");
	expect_paths(tree, 4);
	expect_ok("{\"op\":\"state\",\"path\":\"open\",\"depth\":\"tree\"}");
	expect_paths(tree, 5);
	ck_assert_int_eq(number(last, "done"), 5);
}
END_TEST

START_TEST(state_of_the_root_and_of_odd_names)
{
	expect_ok("{\"op\":\"state\",\"path\":\"/\",\"depth\":\"children\"}");
	ck_assert_uint_eq(json_array_size(items), 4);
	ck_assert_str_eq(item_text(0, "path"), "/");
	ck_assert_str_eq(item_text(1, "path"), "/open");
	ck_assert_ptr_null(item_text(3, "path"));
	ck_assert_str_eq(item_text(3, "path_b64"), "L29kZP8=");
	expect_ok("{\"op\":\"state\",\"path_b64\":\"L29kZP8=\"}");
	ck_assert_str_eq(item_text(0, "path_b64"), "L29kZP8=");
}
END_TEST

START_TEST(state_of_a_large_tree_comes_page_by_page)
{
	uint64_t big = stub_add(stage, 1, "big", THAW_TYPE_DIR, 0755, 0, 0, 0);
	char name[20];

	for (int i = 0; i < 700; i++) {
		snprintf(name, sizeof(name), "f%04d", i);
		stub_add(stage, big, name, THAW_TYPE_FILE, 0644, 0, 0, 1);
	}
	expect_ok("{\"op\":\"state\",\"path\":\"/big\",\"depth\":\"tree\"}");
	ck_assert_uint_eq(json_array_size(items), 701);
	for (size_t i = 0; i < 700; i++) {
		snprintf(name, sizeof(name), "/big/f%04zu", i);
		ck_assert_str_eq(item_text(i + 1, "path"), name);
	}
}
END_TEST

START_TEST(others_see_what_the_kernel_would_show)
{
	become(1000);
	expect_ok("{\"op\":\"state\",\"path\":\"/shut\"}");
	expect_error("{\"op\":\"state\",\"path\":\"/shut/d.txt\"}", "EACCES");
	expect_error("{\"op\":\"state\",\"path\":\"/shut/nothing\"}", "EACCES");
	expect_ok("{\"op\":\"state\",\"path\":\"/\",\"depth\":\"tree\"}");
	ck_assert_uint_eq(json_array_size(items), 9);
	ck_assert_str_eq(item_text(6, "path"), "/shut");
	ck_assert_str_eq(item_text(7, "path"), "/shut");
	ck_assert_str_eq(item_code(7), "EACCES");
	ck_assert_int_eq(number(last, "failed"), 1);
}
END_TEST

/* --- directories nobody has listed ---------------------------------------- */

static void ask_for_c_and_park(void)
{
	static const char line[] = "{\"op\":\"state\",\"path\":\"/open/sub/c.txt\"}";

	thaw_session_line(&session, line, sizeof(line) - 1);
	ck_assert_int_eq(thaw_session_step(&session), THAW_STEP_PARKED);
}

START_TEST(an_unlisted_directory_parks)
{
	stub_at(stage, sub)->node.listed = THAW_UNLISTED;
	ask_for_c_and_park();
	ck_assert(stub_is_waited_for(stage));
	ck_assert_uint_eq(stage->waiting_dir, sub);
	stub_at(stage, sub)->node.listed = THAW_LISTED;
	ck_assert_int_eq(thaw_session_step(&session), THAW_STEP_MORE);
	ck_assert_int_eq(thaw_session_step(&session), THAW_STEP_DONE);
	parse_answer();
	ck_assert_str_eq(item_text(0, "path"), "/open/sub/c.txt");
}
END_TEST

static void wake_with(int status, const char *expected)
{
	stub_at(stage, sub)->node.listed = THAW_UNLISTED;
	ask_for_c_and_park();
	session.wake_status = status;
	ck_assert_int_eq(thaw_session_step(&session), THAW_STEP_DONE);
	parse_answer();
	ck_assert_str_eq(code(), expected);
}

START_TEST(a_listing_that_fails_is_not_absence)
{
	wake_with(-EIO, "EIO");
	wake_with(-ETIMEDOUT, "EAGAIN");
	wake_with(-ESHUTDOWN, "ESHUTDOWN");
	stub_at(stage, sub)->node.listed = THAW_LISTED;
	expect_error("{\"op\":\"state\",\"path\":\"/open/sub/x\"}", "ENOENT");
}
END_TEST

START_TEST(a_walk_lists_as_it_goes)
{
	stage->list_at_once = true;
	stub_at(stage, open_dir)->node.listed = THAW_UNLISTED;
	stub_at(stage, sub)->node.listed = THAW_UNLISTED;
	expect_ok("{\"op\":\"state\",\"path\":\"/open\",\"depth\":\"tree\"}");
	ck_assert_uint_eq(json_array_size(items), 5);
}
END_TEST

/* --- stage, requests, cancel ---------------------------------------------- */

static char id[THAW_REQUEST_ID_TEXT];

static void stage_paths(const char *line)
{
	expect_ok(line);
	ck_assert_ptr_nonnull(json_string_value(json_object_get(last, "requestId")));
	snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(last, "requestId")));
}

static void ask(const char *fmt)
{
	char line[200];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(line, sizeof(line), fmt, id);
#pragma GCC diagnostic pop
	say(line);
}

START_TEST(stage_names_what_it_could_not_take)
{
	stage_paths("{\"op\":\"stage\",\"paths\":[\"/open/a.txt\",\"/none\",5,"
		    "{\"path_b64\":\"L29kZP8=\"}]}");
	ck_assert_uint_eq(json_array_size(items), 2);
	ck_assert_int_eq(number(item(0), "index"), 1);
	ck_assert_str_eq(item_text(0, "path"), "/none");
	ck_assert_str_eq(item_code(0), "ENOENT");
	ck_assert_str_eq(item_code(1), "EINVAL");
	ck_assert_int_eq(number(last, "paths"), 2);
	expect_error("{\"op\":\"stage\",\"paths\":[\"/none\",\"/open/a.txt/x\"]}", "ENOENT");
	ck_assert_uint_eq(json_array_size(items), 2);
}
END_TEST

START_TEST(stage_needs_read)
{
	become(1000);
	stage_paths("{\"op\":\"stage\",\"paths\":[\"/open/a.txt\",\"/open/b.txt\","
		    "\"/shut/d.txt\",\"/shut\"]}");
	ck_assert_uint_eq(json_array_size(items), 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(item_code(i), "EACCES");
	become(7);
	expect_ok("{\"op\":\"stage\",\"paths\":[\"/open/b.txt\"]}");
}
END_TEST

/* The second path of a directory takes a shorter way; it must see the same. */
START_TEST(files_of_one_directory_are_each_checked)
{
	become(1000);
	stage_paths("{\"op\":\"stage\",\"paths\":[\"/open/a.txt\",\"/open/b.txt\",\"/open/none\","
		    "\"/open/a.txt\",\"/open/sub\",\"/open/.\",\"/open/\",\"/open//a.txt\","
		    "\"/open/a.txt/\"]}");
	ck_assert_uint_eq(json_array_size(items), 2);
	ck_assert_str_eq(item_code(0), "EACCES");
	ck_assert_str_eq(item_code(1), "ENOENT");
	ck_assert_int_eq(number(last, "paths"), 7);
	become(7);
	stage_paths("{\"op\":\"stage\",\"paths\":[\"/open/b.txt\"]}"); /* nothing was kept */
	stub_at(stage, open_dir)->node.mode = 0700;
	expect_error("{\"op\":\"stage\",\"paths\":[\"/open/b.txt\"]}", "EACCES");
}
END_TEST

START_TEST(a_name_in_a_directory_that_became_unlisted_is_waited_for)
{
	stage->list_at_once = true;
	stub_at(stage, sub)->node.listed = THAW_UNLISTED;
	expect_ok("{\"op\":\"stage\",\"paths\":[\"/open/sub/c.txt\",\"/open/sub/none\"]}");
	ck_assert_uint_eq(json_array_size(items), 1);
	ck_assert_str_eq(item_code(0), "ENOENT");
}
END_TEST

START_TEST(stage_in_many_lines)
{
	expect_error("{\"op\":\"stage_paths\",\"paths\":[\"/open\"]}", "EINVAL");
	expect_error("{\"op\":\"stage_end\"}", "EINVAL");
	expect_ok("{\"op\":\"stage_begin\"}");
	expect_error("{\"op\":\"stage_begin\"}", "EBUSY");
	expect_error("{\"op\":\"stage\",\"paths\":[\"/open\"]}", "EBUSY");
	for (int i = 0; i < 100; i++)
		expect_ok("{\"op\":\"stage_paths\",\"paths\":[\"/open/a.txt\",\"/none\"]}");
	ck_assert_int_eq(number(last, "done"), 1);
	ck_assert_int_eq(number(last, "failed"), 1);
	stage_paths("{\"op\":\"stage_end\"}");
	ck_assert_int_eq(number(last, "paths"), 100);
	expect_ok("{\"op\":\"stage_begin\"}");
	expect_error("{\"op\":\"stage_end\"}", "ENOENT");
	expect_error("{\"op\":\"stage_end\"}", "EINVAL");
}
END_TEST

START_TEST(a_request_has_the_wlcg_shape)
{
	stage->step_files = 1;
	stage->fail_every = 2;
	stub_at(stage, b)->error = "digest mismatch on every copy";
	stage_paths("{\"op\":\"stage\",\"paths\":[\"/open\"]}");
	ask("{\"op\":\"request\",\"id\":\"%s\"}");
	ck_assert_str_eq(json_string_value(json_object_get(last, "requestId")), id);
	ck_assert_int_eq(number(last, "createdAt"), 1700000000000);
	ck_assert_int_eq(number(last, "startedAt"), 1700000000000);
	ck_assert_ptr_null(json_object_get(last, "completedAt"));
	ck_assert_uint_eq(json_array_size(items), 3);
	ck_assert_str_eq(item_text(0, "path"), "/open/a.txt");
	ck_assert_str_eq(item_text(0, "state"), "COMPLETED");
	ck_assert_str_eq(item_text(1, "state"), "SUBMITTED");
	ck_assert_str_eq(item_text(1, "waits"), "offline");
	ask("{\"op\":\"request\",\"id\":\"%s\",\"files\":false}");
	ck_assert_uint_eq(json_array_size(items), 0);
	ask("{\"op\":\"request\",\"id\":\"%s\"}");
	ck_assert_int_eq(number(last, "completedAt"), 1700000060000);
	ck_assert_str_eq(item_text(1, "state"), "FAILED");
	ck_assert_str_eq(item_text(1, "error"), "digest mismatch on every copy");
	ck_assert_str_eq(item_text(1, "code"), "EIO");
	ck_assert_int_eq(number(json_object_get(last, "counts"), "COMPLETED"), 2);
}
END_TEST

START_TEST(files_come_in_pages)
{
	stage_paths("{\"op\":\"stage\",\"paths\":[\"/open\"]}");
	ask("{\"op\":\"request\",\"id\":\"%s\",\"limit\":2}");
	ck_assert_uint_eq(json_array_size(items), 2);
	ck_assert_int_eq(number(last, "next"), 2);
	ask("{\"op\":\"request\",\"id\":\"%s\",\"limit\":2,\"after\":2}");
	ck_assert_uint_eq(json_array_size(items), 1);
	ck_assert_str_eq(item_text(0, "path"), "/open/sub/c.txt");
	ck_assert_ptr_null(json_object_get(last, "next"));
}
END_TEST

START_TEST(requests_are_their_owners)
{
	become(1000);
	stage_paths("{\"op\":\"stage\",\"paths\":[\"/open/a.txt\"]}");
	become(2000);
	ask("{\"op\":\"request\",\"id\":\"%s\"}");
	ck_assert_str_eq(code(), "EPERM");
	ask("{\"op\":\"cancel\",\"id\":\"%s\"}");
	ck_assert_str_eq(code(), "EPERM");
	expect_ok("{\"op\":\"requests\"}");
	ck_assert_uint_eq(json_array_size(items), 0);
	become(0);
	expect_ok("{\"op\":\"requests\"}");
	ck_assert_uint_eq(json_array_size(items), 1);
	become(1000);
	expect_ok("{\"op\":\"requests\"}");
	ck_assert_uint_eq(json_array_size(items), 1);
	ask("{\"op\":\"cancel\",\"id\":\"%s\"}");
	ck_assert_ptr_null(code());
	ask("{\"op\":\"request\",\"id\":\"%s\"}");
	ck_assert_str_eq(item_text(0, "state"), "CANCELLED");
	expect_error("{\"op\":\"cancel\",\"id\":\"nothing\"}", "ENOENT");
	expect_error("{\"op\":\"request\",\"id\":\"0123456789012345678901234567890123456789\"}",
		     "ENOENT");
}
END_TEST

START_TEST(requests_are_listed_newest_first_up_to_the_limit)
{
	for (int i = 0; i < 5; i++)
		stage_paths("{\"op\":\"stage\",\"paths\":[\"/open/a.txt\"]}");
	expect_ok("{\"op\":\"requests\",\"limit\":2}");
	ck_assert_uint_eq(json_array_size(items), 2);
	ck_assert_str_eq(item_text(0, "requestId"), id);
}
END_TEST

START_TEST(files_the_owner_cannot_reach_have_no_name)
{
	become(1000);
	stage_paths("{\"op\":\"stage\",\"paths\":[\"/\"]}");
	ask("{\"op\":\"request\",\"id\":\"%s\"}");
	ck_assert_uint_eq(json_array_size(items), 5);
	ck_assert_str_eq(item_text(0, "path"), "/open/a.txt");
	ck_assert_ptr_null(item_text(3, "path"));
}
END_TEST

/* --- pins ----------------------------------------------------------------- */

START_TEST(pins_come_and_go)
{
	int64_t now = thaw_clock_real_s();

	expect_ok("{\"op\":\"pin\",\"paths\":[\"/open\"],\"label\":\"train 7\"}");
	ck_assert_ptr_nonnull(item_text(0, "requestId"));
	ck_assert_int_eq(stage->pins[0].expires, THAW_PIN_FOREVER);
	expect_ok("{\"op\":\"pin\",\"paths\":[\"/shut/d.txt\"],\"for\":3600}");
	ck_assert_int_ge(stage->pins[1].expires, now + 3600);
	ck_assert_int_le(stage->pins[1].expires, now + 3660);
	expect_ok("{\"op\":\"pin\",\"paths\":[\"/shut/d.txt\"],\"until\":9999999999}");
	ck_assert_int_eq(stage->pins[1].expires, 9999999999);
	expect_ok("{\"op\":\"pins\"}");
	ck_assert_uint_eq(json_array_size(items), 2);
	ck_assert_str_eq(item_text(0, "path"), "/open");
	ck_assert_str_eq(item_text(0, "label"), "train 7");
	ck_assert(json_is_null(json_object_get(item(0), "expires")));
	ck_assert_int_eq(number(item(1), "expires"), 9999999999);
	expect_ok("{\"op\":\"state\",\"path\":\"/open/a.txt\"}");
	ck_assert_str_eq(item_text(0, "pin"), "forever");
	expect_ok("{\"op\":\"state\",\"path\":\"/shut/d.txt\"}");
	ck_assert_str_eq(item_text(0, "pin"), "2286-11-20T17:46:39Z");
	expect_ok("{\"op\":\"unpin\",\"paths\":[\"/open\",\"/open\"]}");
	ck_assert_uint_eq(json_array_size(items), 1);
	ck_assert_str_eq(item_code(0), "ENODATA");
	ck_assert_uint_eq(stage->pin_count, 1);
}
END_TEST

START_TEST(a_pin_is_its_owners)
{
	become(1000);
	expect_ok("{\"op\":\"pin\",\"paths\":[\"/open/a.txt\"]}");
	become(2000);
	expect_ok("{\"op\":\"unpin\",\"paths\":[\"/open/a.txt\"]}");
	ck_assert_str_eq(item_code(0), "EPERM");
	/* nor may it be made shorter by setting it again */
	expect_ok("{\"op\":\"pin\",\"paths\":[\"/open/a.txt\"],\"for\":1}");
	ck_assert_str_eq(item_code(0), "EPERM");
	ck_assert_int_eq(stage->pins[0].expires, THAW_PIN_FOREVER);
	become(1000);
	expect_ok("{\"op\":\"pin\",\"paths\":[\"/open/a.txt\"],\"for\":1000}");
	expect_ok("{\"op\":\"unpin\",\"paths\":[\"/open/a.txt\"]}");
	ck_assert_uint_eq(json_array_size(items), 0);
	ck_assert_uint_eq(stage->pin_count, 0);
}
END_TEST

START_TEST(pins_are_shown_to_those_who_could_see_them)
{
	expect_ok("{\"op\":\"pin\",\"paths\":[\"/shut/d.txt\",\"/open/b.txt\"]}");
	become(1000);
	expect_ok("{\"op\":\"pins\"}");
	ck_assert_uint_eq(json_array_size(items), 1);
	ck_assert_str_eq(item_text(0, "path"), "/open/b.txt");
	expect_ok("{\"op\":\"pin\",\"paths\":[\"/shut/d.txt\",\"/open/b.txt\"]}");
	ck_assert_str_eq(item_code(0), "EACCES");
	ck_assert_str_eq(item_code(1), "EACCES");
}
END_TEST

START_TEST(what_does_not_fit_says_so)
{
	stage->pins_do_not_fit = true;
	expect_ok("{\"op\":\"pin\",\"paths\":[\"/open\"]}");
	ck_assert_str_eq(item_code(0), "ENOSPC");
	ck_assert_str_eq(
		json_string_value(json_object_get(json_object_get(item(0), "error"), "text")),
		"the pins would need 3T of a cache of 2T");
}
END_TEST

/* --- evict, import, status ------------------------------------------------ */

START_TEST(evict_counts)
{
	stub_at(stage, a)->state = stub_at(stage, c)->state = THAW_STATE_ONLINE;
	expect_ok("{\"op\":\"pin\",\"paths\":[\"/open/a.txt\"]}");
	expect_ok("{\"op\":\"evict\",\"paths\":[\"/open/a.txt\",\"/open/sub\"]}");
	ck_assert(!stage->last_force);
	ck_assert_uint_eq(json_array_size(items), 2);
	ck_assert_int_eq(number(item(0), "pinned_files"), 1);
	ck_assert_int_eq(number(item(1), "evicted_bytes"), 300);
	ck_assert_int_eq(number(last, "evicted_files"), 1);
	ck_assert_int_eq(number(last, "pinned_files"), 1);
	expect_ok("{\"op\":\"evict\",\"paths\":[\"/open/a.txt\"],\"force\":true}");
	ck_assert(stage->last_force);
	ck_assert_int_eq(number(last, "evicted_files"), 1);
}
END_TEST

START_TEST(imports)
{
	struct thaw_conf_collection news = {.name = (char[]){"news"}, .path = (char[]){"/open"}};

	stage->conf.collections = &news;
	stage->conf.collection_count = 1;
	expect_ok("{\"op\":\"import\"}");
	ck_assert_uint_eq(stage->last_import, 1);
	ck_assert(!stage->last_allow_empty);
	ck_assert_int_eq(number(item(0), "ticket"), 42);
	expect_ok("{\"op\":\"import\",\"collections\":[\"news\"],\"allow_empty\":true}");
	ck_assert_uint_eq(stage->last_import, open_dir);
	ck_assert(stage->last_allow_empty);
	expect_error("{\"op\":\"import\",\"collections\":[\"olds\"]}", "ENOENT");
	expect_ok("{\"op\":\"import_progress\",\"ticket\":42}");
	ck_assert(json_is_true(json_object_get(last, "running")));
	ck_assert_int_eq(number(last, "entries"), 1000);
	expect_error("{\"op\":\"import_progress\",\"ticket\":1}", "ENOENT");
}
END_TEST

START_TEST(what_only_root_may_do)
{
	become(1000);
	expect_error("{\"op\":\"evict\",\"paths\":[\"/open/a.txt\"]}", "EPERM");
	expect_error("{\"op\":\"import\"}", "EPERM");
	expect_error("{\"op\":\"import_progress\",\"ticket\":42}", "EPERM");
	expect_ok("{\"op\":\"status\"}");
	session.peer.privileged = true; /* the daemon's own user */
	expect_ok("{\"op\":\"evict\",\"paths\":[\"/open/a.txt\"]}");
}
END_TEST

START_TEST(a_mount_that_is_not_shared)
{
	stage->conf.allow_other = false;
	become(1000);
	expect_error("{\"op\":\"state\",\"path\":\"/open/a.txt\"}", "EACCES");
	expect_error("{\"op\":\"stage\",\"paths\":[\"/open/a.txt\"]}", "EACCES");
	expect_error("{\"op\":\"pins\"}", "EACCES");
	expect_ok("{\"op\":\"ping\"}");
	become(0);
	expect_ok("{\"op\":\"state\",\"path\":\"/open/a.txt\"}");
}
END_TEST

START_TEST(ping_and_status)
{
	expect_ok("{\"op\":\"ping\"}");
	ck_assert_int_eq(number(last, "protocol"), 1);
	ck_assert_str_eq(json_string_value(json_object_get(last, "mountpoint")), "/mnt/stub");
	expect_ok("{\"op\":\"status\"}");
	ck_assert_int_eq(number(last, "size"), 1000);
	ck_assert_uint_eq(json_array_size(json_object_get(last, "archives")), 2);
	become(1000); /* everybody may */
	stage->conf.allow_other = false;
	expect_ok("{\"op\":\"metrics\"}");
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(last, "text")),
				     "\nthawfs_cache_used_bytes 600\n"));
	stage->status_error = -EIO;
	expect_error("{\"op\":\"metrics\"}", "EIO");
}
END_TEST

/* The document has a heading for every op, and no other. */
START_TEST(the_document_has_every_op)
{
	const char *source = getenv("THAW_SOURCE_DIR");
	char path[4096], line[1000], name[64];
	unsigned described = 0, ops = 0;
	FILE *file;

	if (!source)
		return;
	snprintf(path, sizeof(path), "%s/docs/control-protocol.md", source);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "### `%63[a-z_]`", name) != 1)
			continue;
		ck_assert_msg(thaw_op_named(name), "%s is no op", name);
		described++;
	}
	fclose(file);
	for (const struct thaw_op *op = thaw_ops; op->name; op++)
		ops += strcmp(op->name, "version") != 0; /* stands with ping */
	ck_assert_uint_eq(described, ops);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, what_is_no_request);
	tcase_add_test(tcase, garbage_is_survived);
	tcase_add_test(tcase, near_requests_are_survived);
	tcase_add_test(tcase, deep_nesting_is_refused);
	tcase_add_test(tcase, unknown_ops_are_named);
	tcase_add_test(tcase, members_of_the_wrong_type);
	tcase_add_test(tcase, state_of_a_file);
	tcase_add_test(tcase, state_of_a_directory_at_three_depths);
	tcase_add_test(tcase, state_of_the_root_and_of_odd_names);
	tcase_add_test(tcase, state_of_a_large_tree_comes_page_by_page);
	tcase_add_test(tcase, others_see_what_the_kernel_would_show);
	tcase_add_test(tcase, an_unlisted_directory_parks);
	tcase_add_test(tcase, a_listing_that_fails_is_not_absence);
	tcase_add_test(tcase, a_walk_lists_as_it_goes);
	tcase_add_test(tcase, stage_names_what_it_could_not_take);
	tcase_add_test(tcase, stage_needs_read);
	tcase_add_test(tcase, files_of_one_directory_are_each_checked);
	tcase_add_test(tcase, a_name_in_a_directory_that_became_unlisted_is_waited_for);
	tcase_add_test(tcase, stage_in_many_lines);
	tcase_add_test(tcase, a_request_has_the_wlcg_shape);
	tcase_add_test(tcase, files_come_in_pages);
	tcase_add_test(tcase, requests_are_their_owners);
	tcase_add_test(tcase, requests_are_listed_newest_first_up_to_the_limit);
	tcase_add_test(tcase, files_the_owner_cannot_reach_have_no_name);
	tcase_add_test(tcase, pins_come_and_go);
	tcase_add_test(tcase, a_pin_is_its_owners);
	tcase_add_test(tcase, pins_are_shown_to_those_who_could_see_them);
	tcase_add_test(tcase, what_does_not_fit_says_so);
	tcase_add_test(tcase, evict_counts);
	tcase_add_test(tcase, imports);
	tcase_add_test(tcase, what_only_root_may_do);
	tcase_add_test(tcase, a_mount_that_is_not_shared);
	tcase_add_test(tcase, ping_and_status);
	tcase_add_test(tcase, the_document_has_every_op);
}

int main(void)
{
	return run_suite("session", add);
}
