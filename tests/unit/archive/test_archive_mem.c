/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scratch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"

static struct thaw_err err;
static const struct thaw_call call = {.err = &err};

static struct thaw_archive *make(bool recalls)
{
	struct thaw_archive *ar = NULL;

	ck_assert_int_eq(thaw_archive_mem_new(recalls, &ar), 0);
	return ar;
}

static void put(struct thaw_archive *ar, const char *key, const char *text)
{
	ck_assert_int_eq(thaw_archive_mem_put(ar, thaw_key_of(key), text, strlen(text)), 0);
}

static void expect_text(struct thaw_archive *ar, const char *key, const char *text)
{
	struct taken taken = {0};
	int rc = get_all(ar, key, &taken, &err);

	ck_assert_msg(rc == 0, "%s", err.text);
	ck_assert_uint_eq(taken.len, strlen(text));
	ck_assert_int_eq(memcmp(taken.len ? (char *)taken.data : text, text, taken.len), 0);
	taken_release(&taken);
}

/* --- tree ------------------------------------------------------------------------------ */

START_TEST(files_and_directories)
{
	struct thaw_archive *ar = make(false);
	struct listed *listed;

	put(ar, "a/b/file", "text");
	put(ar, "a/empty", "");
	ck_assert_int_eq(thaw_archive_mem_put_dir(ar, thaw_key_of("d")), 0);
	ck_assert_int_eq(thaw_archive_mem_put_symlink(ar, thaw_key_of("link"), "a/b"), 0);
	expect_text(ar, "a/b/file", "text");
	expect_text(ar, "a/empty", "");
	listed = list_dir(ar, "");
	ck_assert_uint_eq(listed->n, 3);
	ck_assert_int_eq(listed_find(listed, "a")->type, THAW_TYPE_DIR);
	ck_assert_int_eq(listed_find(listed, "d")->type, THAW_TYPE_DIR);
	ck_assert_int_eq(listed_find(listed, "link")->type, THAW_TYPE_SYMLINK);
	ck_assert_str_eq(listed_find(listed, "link")->target, "a/b");
	(void)listed_free(listed);
	listed = list_dir(ar, "d");
	ck_assert_uint_eq(listed->n, 0);
	(void)listed_free(listed);
	ck_assert_int_eq(list_code(ar, "none", &err), -ENOENT);
	ck_assert_int_eq(list_code(ar, "a/empty", &err), -ENOTDIR);
	ck_assert_int_eq(list_code(ar, "a/empty/x", &err), -ENOTDIR);
	ck_assert_int_eq(stat_key(ar, "a/b").type, THAW_TYPE_DIR);
	ck_assert_uint_eq(stat_key(ar, "a/b/file").size, 4);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(many_in_any_order)
{
	struct thaw_archive *ar = make(false);
	struct listed *listed;
	char name[16];

	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "f%03u", i * 337 % 1000);
		put(ar, name, name);
	}
	listed = list_dir(ar, "");
	ck_assert_uint_eq(listed->n, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "f%03u", i);
		ck_assert_str_eq(listed->items[i].name, name);
		expect_text(ar, name, name);
	}
	(void)listed_free(listed);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(keys_are_bytes)
{
	struct thaw_archive *ar = make(false);
	const struct thaw_key key = {"\xff\n/\x01 \\", 6};

	ck_assert_int_eq(thaw_archive_mem_put(ar, key, "x", 1), 0);
	expect_text(ar, "\xff\n/\x01 \\", "x");
	ck_assert_int_eq(thaw_archive_mem_put(ar, thaw_key_of(""), "x", 1), -EINVAL);
	ck_assert_int_eq(thaw_archive_mem_put(ar, thaw_key_of("a//b"), "x", 1), -EINVAL);
	ck_assert_int_eq(thaw_archive_mem_put(ar, thaw_key_of("a/.."), "x", 1), -EINVAL);
	put(ar, "file", "x");
	ck_assert_int_eq(thaw_archive_mem_put(ar, thaw_key_of("file/x"), "x", 1), -ENOTDIR);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(versions)
{
	struct thaw_archive *ar = make(false);
	struct thaw_entry one, two;
	struct taken taken = {0};

	put(ar, "file", "one");
	one = stat_key(ar, "file");
	put(ar, "file", "two");
	two = stat_key(ar, "file");
	ck_assert(!thaw_tag_equal(&one.tag, &two.tag));
	expect_text(ar, "file", "two");
	ck_assert_int_eq(
		thaw_archive_get(ar, thaw_key_of("file"), &one.tag, 0, 3, take, &taken, &call),
		-ESTALE);
	ck_assert_int_eq(thaw_archive_mem_touch(ar, thaw_key_of("file")), 0);
	one = stat_key(ar, "file");
	ck_assert(!thaw_tag_equal(&one.tag, &two.tag));
	expect_text(ar, "file", "two");
	ck_assert_int_eq(
		thaw_archive_get(ar, thaw_key_of("file"), &one.tag, 2, 2, take, &taken, &call),
		-EIO);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(removing)
{
	struct thaw_archive *ar = make(false);
	struct thaw_entry e;

	put(ar, "a/b/c", "x");
	put(ar, "a/b2", "x");
	ck_assert_int_eq(thaw_archive_mem_remove(ar, thaw_key_of("a/b")), 0);
	ck_assert_int_eq(thaw_archive_stat(ar, thaw_key_of("a/b/c"), &e, &call), -ENOENT);
	ck_assert_int_eq(thaw_archive_mem_remove(ar, thaw_key_of("a/b")), -ENOENT);
	ck_assert_int_eq(thaw_archive_mem_remove(ar, thaw_key_of("")), -ENOENT);
	ck_assert_int_eq(thaw_archive_mem_remove(ar, thaw_key_of("x/y")), -ENOENT);
	expect_text(ar, "a/b2", "x");
	ck_assert_int_eq(thaw_archive_mem_put_dir(ar, thaw_key_of("a/b2")), 0); /* another type */
	ck_assert_int_eq(stat_key(ar, "a/b2").type, THAW_TYPE_DIR);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(links_and_attributes)
{
	const struct thaw_entry attr = {
		.mode = 0440, .uid = 5, .gid = 6, .mtime_ns = 7, .ctime_ns = 8};
	struct thaw_archive *ar = make(false);
	struct thaw_entry a, b;

	put(ar, "a", "text");
	ck_assert_uint_eq(stat_key(ar, "a").link_id, 0);
	ck_assert_int_eq(thaw_archive_mem_link(ar, thaw_key_of("d/b"), thaw_key_of("a")), 0);
	ck_assert_int_eq(thaw_archive_mem_link(ar, thaw_key_of("c"), thaw_key_of("none")), -ENOENT);
	ck_assert_int_eq(thaw_archive_mem_set_attr(ar, thaw_key_of("a"), &attr), 0);
	ck_assert_int_eq(thaw_archive_mem_set_class(ar, thaw_key_of("a"), "GLACIER"), 0);
	a = stat_key(ar, "a");
	b = stat_key(ar, "d/b");
	ck_assert_uint_ne(a.link_id, 0);
	ck_assert_uint_eq(a.link_id, b.link_id);
	ck_assert(thaw_tag_equal(&a.tag, &b.tag));
	ck_assert_uint_eq(a.mode, 0440);
	ck_assert_uint_eq(a.uid, 5);
	ck_assert_uint_eq(a.gid, 6);
	ck_assert_int_eq(a.mtime_ns, 7);
	ck_assert_int_eq(a.ctime_ns, 8);
	ck_assert_str_eq(a.storage_class, "GLACIER");
	ck_assert_int_eq(thaw_archive_mem_remove(ar, thaw_key_of("a")), 0);
	expect_text(ar, "d/b", "text");
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(patterns)
{
	struct thaw_archive *ar = make(false);
	struct taken taken = {0};
	uint8_t whole[100], part[100];
	struct thaw_entry e;

	ck_assert_int_eq(thaw_archive_mem_put_pattern(ar, thaw_key_of("big"), UINT64_C(1) << 40, 9),
			 0);
	e = stat_key(ar, "big");
	ck_assert_uint_eq(e.size, UINT64_C(1) << 40);
	ck_assert_int_eq(thaw_archive_get(ar, thaw_key_of("big"), &e.tag, e.size - 100, 100, take,
					  &taken, &call),
			 0);
	thaw_archive_mem_pattern(9, e.size - 100, whole, 100);
	ck_assert_mem_eq(taken.data, whole, 100);
	for (size_t i = 0; i < 100; i++)
		thaw_archive_mem_pattern(9, e.size - 100 + i, part + i, 1);
	ck_assert_mem_eq(part, whole, 100);
	thaw_archive_mem_pattern(10, e.size - 100, part, 100);
	ck_assert_mem_ne(part, whole, 100);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- recalls --------------------------------------------------------------------------- */

static enum thaw_avail poll_one(struct thaw_archive *ar, const char *key)
{
	const struct thaw_key k = thaw_key_of(key);
	enum thaw_avail avail;

	ck_assert_int_eq(thaw_archive_poll(ar, &k, 1, &avail, &call), 0);
	return avail;
}

START_TEST(a_recall_takes_ticks)
{
	struct thaw_archive *ar = make(true);
	const struct thaw_key keys[] = {{"a", 1}, {"b", 1}};
	struct taken taken = {0};

	put(ar, "a", "x");
	put(ar, "b", "x");
	put(ar, "c", "x");
	ck_assert_int_eq(thaw_archive_mem_set_avail(ar, keys[0], THAW_AVAIL_OFFLINE), 0);
	ck_assert_int_eq(thaw_archive_mem_set_avail(ar, thaw_key_of("c"), THAW_AVAIL_OFFLINE), 0);
	ck_assert_int_eq(stat_key(ar, "a").avail, THAW_AVAIL_OFFLINE);
	thaw_archive_mem_recall_ticks(ar, 2);
	ck_assert_int_eq(get_all(ar, "a", &taken, &err), -EINPROGRESS);
	ck_assert_int_eq(thaw_archive_recall(ar, keys, 2, &call), 0);
	ck_assert_int_eq(poll_one(ar, "a"), THAW_AVAIL_RECALLING);
	ck_assert_int_eq(poll_one(ar, "b"), THAW_AVAIL_ONLINE);
	ck_assert_uint_eq(thaw_archive_mem_tick(ar), 0);
	ck_assert_int_eq(get_all(ar, "a", &taken, &err), -EINPROGRESS);
	ck_assert_uint_eq(thaw_archive_mem_tick(ar), 1);
	ck_assert_int_eq(poll_one(ar, "a"), THAW_AVAIL_ONLINE);
	ck_assert_int_eq(poll_one(ar, "c"), THAW_AVAIL_OFFLINE);
	ck_assert_int_eq(get_all(ar, "a", &taken, &err), 0);
	ck_assert_uint_eq(thaw_archive_mem_recalls_of(ar, keys[0]), 1);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(a_batch_is_taken_whole_or_not)
{
	struct thaw_archive *ar = make(true);
	const struct thaw_key keys[] = {{"a", 1}, {"none", 4}};

	put(ar, "a", "x");
	ck_assert_int_eq(thaw_archive_mem_set_avail(ar, keys[0], THAW_AVAIL_OFFLINE), 0);
	ck_assert_int_eq(thaw_archive_recall(ar, keys, 2, &call), -ENOENT);
	ck_assert_int_eq(poll_one(ar, "a"), THAW_AVAIL_OFFLINE);
	ck_assert_int_eq(poll_one(ar, "none"), THAW_AVAIL_LOST);
	thaw_archive_mem_recall_ticks(ar, 0);
	ck_assert_int_eq(thaw_archive_recall(ar, keys, 1, &call), 0);
	ck_assert_int_eq(poll_one(ar, "a"), THAW_AVAIL_ONLINE);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(lost_objects)
{
	struct thaw_archive *ar = make(true);
	const struct thaw_key key = thaw_key_of("a");
	struct taken taken = {0};

	put(ar, "a", "x");
	ck_assert_int_eq(thaw_archive_mem_set_avail(ar, key, THAW_AVAIL_LOST), 0);
	ck_assert_int_eq(thaw_archive_recall(ar, &key, 1, &call), 0);
	(void)thaw_archive_mem_tick(ar);
	ck_assert_int_eq(poll_one(ar, "a"), THAW_AVAIL_LOST);
	ck_assert_int_eq(get_all(ar, "a", &taken, &err), -ENOENT);
	ck_assert_int_eq(thaw_archive_mem_set_avail(ar, key, THAW_AVAIL_RECALLING), 0);
	ck_assert_uint_eq(thaw_archive_mem_tick(ar), 0);
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- faults ---------------------------------------------------------------------------- */

START_TEST(failures_by_number)
{
	struct thaw_archive *ar = make(false);
	struct taken taken = {0};

	put(ar, "a", "x");
	put(ar, "b", "x");
	ck_assert_int_eq(thaw_archive_mem_fail(ar, thaw_key_of("a"), -EAGAIN, 2), 0);
	ck_assert_int_eq(thaw_archive_mem_fail(ar, thaw_key_of("none"), -EIO, 2), -ENOENT);
	ck_assert_int_eq(get_all(ar, "a", &taken, &err), -EAGAIN);
	expect_text(ar, "b", "x");
	ck_assert_int_eq(get_all(ar, "a", &taken, &err), -EAGAIN);
	expect_text(ar, "a", "x");
	thaw_archive_mem_down(ar, -EIO);
	ck_assert_int_eq(get_all(ar, "a", &taken, &err), -EIO);
	ck_assert_int_eq(list_code(ar, "", &err), -EIO);
	thaw_archive_mem_down(ar, 0);
	expect_text(ar, "a", "x");
	(void)thaw_archive_close(ar);
}
END_TEST

struct background {
	struct thaw_archive *ar;
	atomic_int cancel;
	atomic_size_t len;
	struct thaw_err err;
	struct taken taken;
	int rc;
	pthread_t thread;
};

static int take_and_count(void *ctx, uint64_t off, const void *data, size_t len)
{
	struct background *bg = ctx;
	int rc = take(&bg->taken, off, data, len);

	atomic_store(&bg->len, bg->taken.len);
	return rc;
}

static void *get_in_background(void *arg)
{
	struct background *bg = arg;
	const struct thaw_call own = {.cancel = &bg->cancel, .err = &bg->err};
	struct thaw_entry e = {0};

	bg->rc = thaw_archive_stat(bg->ar, thaw_key_of("a"), &e, &own);
	if (!bg->rc)
		bg->rc = thaw_archive_get(bg->ar, thaw_key_of("a"), &e.tag, 0, e.size,
					  take_and_count, bg, &own);
	return NULL;
}

static void begin(struct background *bg, struct thaw_archive *ar)
{
	*bg = (struct background){.ar = ar};
	ck_assert_int_eq(thaw_thread_start(&bg->thread, "get", get_in_background, bg), 0);
}

static int end(struct background *bg)
{
	(void)pthread_join(bg->thread, NULL);
	taken_release(&bg->taken);
	return bg->rc;
}

START_TEST(transfers_are_held_and_released)
{
	struct thaw_archive *ar = make(false);
	struct thaw_mem_counts counts;
	struct background bg[3];

	put(ar, "a", "0123456789");
	thaw_archive_mem_hold(ar, 4);
	for (size_t i = 0; i < 3; i++)
		begin(&bg[i], ar);
	ck_assert(thaw_archive_mem_wait_held(ar, 3));
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(atomic_load(&bg[i].len), 4);
	thaw_archive_mem_counts(ar, &counts);
	ck_assert_uint_eq(counts.running, 3);
	thaw_archive_mem_release(ar);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(end(&bg[i]), 0);
	thaw_archive_mem_counts(ar, &counts);
	ck_assert_uint_eq(counts.running, 0);
	ck_assert_uint_eq(counts.most_running, 3);
	ck_assert_uint_eq(counts.bytes, 30);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(a_held_transfer_can_be_cancelled)
{
	struct thaw_archive *ar = make(false);
	struct background bg;

	put(ar, "a", "0123456789");
	thaw_archive_mem_hold(ar, 0);
	begin(&bg, ar);
	ck_assert(thaw_archive_mem_wait_held(ar, 1));
	atomic_store(&bg.cancel, 1);
	ck_assert_int_eq(end(&bg), -ECANCELED);
	ck_assert_uint_eq(atomic_load(&bg.len), 0);
	(void)thaw_archive_close(ar);
}
END_TEST

/* At each place: before the first byte, in the middle, after the last. */
START_TEST(a_change_in_the_middle_is_stale)
{
	struct thaw_archive *ar = make(false);

	for (uint64_t after = 0; after <= 10; after += 5) {
		for (int how = 0; how < 3; how++) {
			struct background bg;

			put(ar, "a", "0123456789");
			thaw_archive_mem_hold(ar, after);
			begin(&bg, ar);
			ck_assert(thaw_archive_mem_wait_held(ar, 1));
			if (how == 0)
				put(ar, "a", "abcdefghij");
			else if (how == 1)
				ck_assert_int_eq(thaw_archive_mem_touch(ar, thaw_key_of("a")), 0);
			else
				ck_assert_int_eq(thaw_archive_mem_remove(ar, thaw_key_of("a")), 0);
			thaw_archive_mem_release(ar);
			ck_assert_int_eq(end(&bg), -ESTALE);
		}
	}
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- counts ---------------------------------------------------------------------------- */

START_TEST(calls_are_counted)
{
	struct thaw_archive *ar = make(true);
	const struct thaw_key key = thaw_key_of("a");
	struct thaw_mem_counts counts;
	struct taken taken = {0};

	put(ar, "a", "0123456789");
	thaw_archive_mem_piece(ar, 3);
	ck_assert_int_eq(get_all(ar, "a", &taken, &err), 0);
	ck_assert_uint_eq(taken.calls, 4);
	ck_assert_int_eq(list_code(ar, "", &err), 0);
	ck_assert_int_eq(thaw_archive_recall(ar, &key, 1, &call), 0);
	ck_assert_int_eq(poll_one(ar, "a"), THAW_AVAIL_ONLINE);
	thaw_archive_mem_counts(ar, &counts);
	ck_assert_uint_eq(counts.lists, 1);
	ck_assert_uint_eq(counts.stats, 1);
	ck_assert_uint_eq(counts.gets, 1);
	ck_assert_uint_eq(counts.recalls, 1);
	ck_assert_uint_eq(counts.recalled, 1);
	ck_assert_uint_eq(counts.polls, 1);
	ck_assert_uint_eq(counts.bytes, 10);
	ck_assert_uint_eq(thaw_archive_mem_gets_of(ar, key), 1);
	ck_assert_uint_eq(thaw_archive_mem_gets_of(ar, thaw_key_of("none")), 0);
	taken_release(&taken);
	(void)thaw_archive_close(ar);
}
END_TEST

static int change_while_listing(void *ctx, const struct thaw_entry *entry)
{
	struct thaw_archive *ar = ctx;

	(void)entry;
	put(ar, "new", "x"); /* no lock is held in here */
	return thaw_archive_mem_remove(ar, thaw_key_of("c")) == -ENOMEM;
}

START_TEST(the_tree_may_change_in_a_listing)
{
	struct thaw_archive *ar = make(false);

	put(ar, "a", "x");
	put(ar, "b", "x");
	put(ar, "c", "x");
	ck_assert_int_eq(thaw_archive_list(ar, thaw_key_of(""), change_while_listing, ar, &call),
			 0);
	(void)thaw_archive_close(ar);
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		files_and_directories,
		many_in_any_order,
		keys_are_bytes,
		versions,
		removing,
		links_and_attributes,
		patterns,
		a_recall_takes_ticks,
		a_batch_is_taken_whole_or_not,
		lost_objects,
		failures_by_number,
		transfers_are_held_and_released,
		a_held_transfer_can_be_cancelled,
		a_change_in_the_middle_is_stale,
		calls_are_counted,
		the_tree_may_change_in_a_listing,
	};

	return run_suite(suite_of("archive", "mem", TESTS_OF(tests)));
}
