/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be said of files and directories: states, attributes, figures. */
#include <errno.h>

#include "audit.h"
#include "base/buf.h"
#include "rig.h"
#include "run.h"

static struct rig rig;

static const char *get(const char *path, const char *name)
{
	static char text[1024];
	struct thaw_buf value;
	int r;

	thaw_buf_init(&value, sizeof(text) - 1);
	r = thaw_stage_xattr_get(rig.stage, rig_node(&rig, path), name, &value);
	if (r < 0)
		(void)snprintf(text, sizeof(text), "%s", strerror(-r));
	else
		(void)snprintf(text, sizeof(text), "%s", value.data ? value.data : "");
	thaw_buf_release(&value);
	return text;
}

static int set(const char *path, const char *name, const char *value)
{
	return thaw_stage_xattr_set(rig.stage, rig_node(&rig, path), name, value, strlen(value), 3);
}

static const char *nodata(void)
{
	return strerror(ENODATA);
}

static char listed[1024];

static void add_name(void *ctx, const char *name)
{
	(void)ctx;
	strncat(listed, name, sizeof(listed) - strlen(listed) - 2);
	strncat(listed, " ", sizeof(listed) - strlen(listed) - 1);
}

static const char *list(const char *path)
{
	listed[0] = '\0';
	ck_assert_int_eq(thaw_stage_xattr_list(rig.stage, rig_node(&rig, path), add_name, NULL), 0);
	return listed;
}

static void begin(void)
{
	static char socket[] = "/run/here.sock";

	rig_init(&rig, false);
	rig.conf.socket = socket;
	rig_put(&rig, "d/a", 1000, 1);
	rig_put(&rig, "d/b", 500000, 2);
	ck_assert_int_eq(thaw_archive_mem_put_dir(rig.mem, thaw_key_of("empty")), 0);
	ck_assert_int_eq(thaw_archive_mem_put_symlink(rig.mem, thaw_key_of("link"), "d/a"), 0);
	rig_start(&rig);
}

START_TEST(attributes)
{
	begin();
	ck_assert_str_eq(get("d/a", "state"), "offline");
	ck_assert_str_eq(get("d/a", "verified"), "never");
	ck_assert_str_eq(get("d/a", "sha256"), nodata());
	ck_assert_str_eq(get("d/a", "digest.source"), nodata());
	ck_assert_str_eq(get("d/a", "error"), nodata());
	ck_assert_str_eq(get("d/a", "cached_bytes"), "0");
	ck_assert_str_eq(get("d/a", "stage"), "none");
	ck_assert_str_eq(get("d/a", "pin"), "none");
	ck_assert_str_eq(get("d/a", "version"), "1");
	ck_assert_str_eq(get("d/a", "socket"), "/run/here.sock");
	ck_assert_str_eq(get("d/a", "location"), "copy=1 archive=store");
	ck_assert_str_eq(get("d/a", "no such"), nodata());
	ck_assert_str_eq(get("d", "version"), nodata());
	ck_assert_str_eq(get("d", "state"), "offline");
	ck_assert_str_eq(get("empty", "state"), "online");
	ck_assert_str_eq(get("link", "state"), "online");

	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/a"), 0, 1000, 1), 0);
	ck_assert_str_eq(get("d/a", "state"), "online");
	rig_await_idle(&rig);
	ck_assert_uint_eq(strlen(get("d/a", "sha256")), 64);
	ck_assert_str_eq(get("d/a", "digest.source"), "staged");
	ck_assert_ptr_nonnull(strstr(get("d/a", "verified"), "Z ok"));
	ck_assert_str_eq(get("d/a", "cached_bytes"), "1000");
	ck_assert_str_eq(get("d", "state"), "partial");
	ck_assert_str_eq(get("d", "cached_bytes"), "1000");
	rig_end(&rig);
}
END_TEST

/* Exactly those that have a value. */
START_TEST(lists_what_has_a_value)
{
	static const char *const all[] = {
		"state",  "pin", "stage",         "cached_bytes", "socket", "version", "sha256",
		"sha512", "md5", "digest.source", "verified",     "error",  "hits",    "location"};
	static const char *const paths[] = {"d", "d/a", "d/b", "link", "/"};

	begin();
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/a"), 0, 1000, 1), 0);
	ck_assert_int_eq(thaw_archive_mem_fail(rig.mem, thaw_key_of("d/b"), -EIO, 100), 0);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "d/b"), 0, &(struct thaw_obj *){NULL}),
			 -EIO);
	rig_await_idle(&rig);
	for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++) {
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
			char full[64];
			bool has = strcmp(get(paths[p], all[i]), nodata()) != 0;

			(void)snprintf(full, sizeof(full), "user.thaw.%s ", all[i]);
			ck_assert_msg(!strstr(list(paths[p]), full) == !has, "%s of %s", all[i],
				      paths[p]);
		}
	}
	ck_assert_ptr_nonnull(strstr(get("d/b", "error"), "EIO"));
	ck_assert_str_eq(get("d/b", "state"), "failed");
	rig_end(&rig);
}
END_TEST

START_TEST(pin_by_attribute)
{
	begin();
	ck_assert_int_eq(set("d", "pin", "7d\n"), 0);
	ck_assert_ptr_nonnull(strstr(get("d/a", "pin"), "Z"));
	rig_await(rig_state(&rig, "d") == THAW_STATE_ONLINE);
	ck_assert_int_eq(set("d", "pin", "forever"), 0);
	ck_assert_str_eq(get("d/a", "pin"), "forever");
	ck_assert_int_eq(set("d", "pin", "9223372036854775807s"), 0);
	ck_assert_str_eq(get("d/a", "pin"), "forever");
	ck_assert_int_eq(set("d", "pin", "2001-01-01T00:00:00Z"), -EINVAL);
	ck_assert_int_eq(set("d", "pin", "soon"), -EINVAL);
	ck_assert_int_eq(set("d", "pin", ""), -EINVAL);
	ck_assert_int_eq(set("d", "pin", "0"), 0);
	ck_assert_int_eq(set("d", "pin", "0"), 0); /* idempotent */
	ck_assert_str_eq(get("d/a", "pin"), "none");
	ck_assert_int_eq(set("d/a", "pin", "2120-01-02T03:04:05Z"), 0);
	ck_assert_str_eq(get("d/a", "pin"), "2120-01-02T03:04:05Z");
	ck_assert_int_eq(thaw_stage_xattr_remove(rig.stage, rig_node(&rig, "d/a"), "pin", 0), 0);
	ck_assert_int_eq(thaw_stage_xattr_remove(rig.stage, rig_node(&rig, "d/a"), "pin", 0),
			 -ENODATA);
	ck_assert_int_eq(set("d", "state", "online"), -EPERM);
	ck_assert_int_eq(set("d", "nonsense", "1"), -ENODATA);
	ck_assert_int_eq(thaw_stage_xattr_set(rig.stage, rig_node(&rig, "d"), "pin", "a\0b", 3, 0),
			 -EINVAL);
	rig_end(&rig);
}
END_TEST

START_TEST(stage_by_attribute)
{
	char first[64];

	begin();
	thaw_archive_mem_hold(rig.mem, 10);
	ck_assert_int_eq(set("d", "stage", "1"), 0);
	(void)snprintf(first, sizeof(first), "%s", get("d/b", "stage"));
	ck_assert_uint_eq(strlen(first), 36);
	ck_assert_int_eq(set("d/b", "stage", "1"), 0); /* asking twice is asking once */
	ck_assert_str_eq(get("d/b", "stage"), first);
	ck_assert(thaw_archive_mem_wait_held(rig.mem, 4)); /* more than d/a has chunks */
	ck_assert_str_eq(get("d/b", "state"), "fetching");
	ck_assert_int_eq(set("d", "stage", "cancel"), 0);
	ck_assert_str_eq(get("d/b", "stage"), "none");
	thaw_archive_mem_release(rig.mem);
	ck_assert_int_eq(set("d/b", "stage", "1"), 0);
	rig_await(strcmp(get("d/b", "state"), "online") == 0);
	ck_assert_int_eq(set("d/b", "stage", "2"), -EINVAL);
	rig_end(&rig);
}
END_TEST

/* The collection's word over the archive's. */
START_TEST(dressed)
{
	struct thaw_entry attr = {.mode = 0600, .uid = 11, .gid = 12, .mtime_ns = 5};
	struct thaw_node node;

	rig_init(&rig, false);
	rig.collection.uid = 100;
	rig.collection.mode = 0440;
	rig_put(&rig, "d/a", 10, 1);
	ck_assert_int_eq(thaw_archive_mem_set_attr(rig.mem, thaw_key_of("d/a"), &attr), 0);
	rig_start(&rig);
	ck_assert_int_eq(rig_look(&rig, "d/a", &node), 0);
	ck_assert_uint_eq(node.uid, 100);
	ck_assert_uint_eq(node.gid, 12);
	ck_assert_uint_eq(node.mode, 0440);
	ck_assert_int_eq(rig_look(&rig, "d", &node), 0);
	ck_assert_uint_eq(node.mode, 0550);
	rig_end(&rig);
}
END_TEST

START_TEST(figures)
{
	struct thaw_status s;
	struct thaw_node node;
	struct thaw_view view;

	begin();
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "d/b"), 0, 500000, 2), 0);
	rig_await_idle(&rig);
	s = rig_status(&rig);
	ck_assert_uint_eq(s.files, 2);
	ck_assert_uint_eq(s.bytes, 501000);
	ck_assert_uint_eq(s.resident_files, 1);
	ck_assert_uint_eq(s.used, s.resident_bytes + s.overhead_bytes);
	ck_assert_uint_eq(s.queue, 0);
	ck_assert_uint_eq(s.flights, 0);
	ck_assert_int_eq(rig_look(&rig, "d", &node), 0);
	ck_assert_int_eq(thaw_stage_view(rig.stage, &node, &view), 0);
	ck_assert_uint_eq(view.files, 2);
	ck_assert_uint_eq(view.online_files, 1);
	ck_assert_uint_eq(view.size, 501000);
	ck_assert_int_eq(view.state, THAW_STATE_PARTIAL);
	/* With more chunks under way than files, the queue is not less than empty. */
	rig_put(&rig, "wide", 40 * 64 * KIB, 3);
	(void)rig_import(&rig, "/", false);
	thaw_archive_mem_hold(rig.mem, 10);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "wide"), THAW_OPEN_NONBLOCK,
				   &(struct thaw_obj *){NULL}),
			 -EAGAIN);
	ck_assert(thaw_archive_mem_wait_held(rig.mem, 4));
	ck_assert_uint_eq(rig_status(&rig).queue, 0);
	ck_assert_uint_eq(rig_status(&rig).flights, 1);
	thaw_archive_mem_release(rig.mem);
	rig_end(&rig);
}
END_TEST

static int note_archive(void *ctx, const struct thaw_archive_status *s)
{
	*(struct thaw_archive_status *)ctx = *s;
	return 0;
}

START_TEST(health_of_the_archive)
{
	struct thaw_archive_status s;

	begin();
	ck_assert_int_eq(thaw_stage_archives(rig.stage, note_archive, &s), 0);
	ck_assert(s.reachable);
	ck_assert_str_eq(s.name, "store");
	thaw_archive_mem_down(rig.mem, -EAGAIN);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "d/a"), THAW_OPEN_NONBLOCK,
				   &(struct thaw_obj *){NULL}),
			 -EAGAIN);
	rig_await(thaw_stage_archives(rig.stage, note_archive, &s) == 0 && !s.reachable);
	ck_assert(s.error[0]);
	ck_assert_int_gt(s.error_at, 0);
	thaw_archive_mem_down(rig.mem, 0);
	rig_await(thaw_stage_archives(rig.stage, note_archive, &s) == 0 && s.reachable);
	rig_end(&rig);
}
END_TEST

RUN_TESTS("stage/view", attributes, lists_what_has_a_value, pin_by_attribute, stage_by_attribute,
	  dressed, figures, health_of_the_archive)
