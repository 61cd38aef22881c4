/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The wrappers against a backend that breaks the contract on purpose.
 */
#include "scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

/* --- a backend that does what the test says -------------------------------------------- */

static struct script {
	int rc;           /* what every call returns */
	const char *text; /* and says */
	struct thaw_entry entry;
	struct piece {
		uint64_t off;
		size_t len;
	} pieces[4];
	size_t piece_count;
	bool deaf; /* goes on after the sink said stop */
	unsigned calls;
} script;

static char bytes[256];

static int said(const struct thaw_call *call)
{
	script.calls++;
	if (script.text)
		(void)thaw_err_set(call->err, script.rc, "%s", script.text);
	return script.rc;
}

static int list_script(struct thaw_archive *ar, struct thaw_key dir, thaw_entry_fn *fn, void *ctx,
		       const struct thaw_call *call)
{
	int rc = script.entry.type ? fn(ctx, &script.entry) : 0;

	(void)ar;
	(void)dir;
	return rc && !script.deaf ? rc : said(call);
}

static int stat_script(struct thaw_archive *ar, struct thaw_key key, struct thaw_entry *ret,
		       const struct thaw_call *call)
{
	(void)ar;
	(void)key;
	*ret = script.entry;
	return said(call);
}

static int get_script(struct thaw_archive *ar, struct thaw_key key, const struct thaw_tag *tag,
		      uint64_t off, uint64_t len, thaw_sink_fn *sink, void *ctx,
		      const struct thaw_call *call)
{
	(void)ar;
	(void)key;
	(void)tag;
	(void)off;
	(void)len;
	for (size_t i = 0; i < script.piece_count; i++) {
		int rc = sink(ctx, script.pieces[i].off, bytes, script.pieces[i].len);

		if (rc && !script.deaf)
			return rc;
	}
	return said(call);
}

static int recall_script(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
			 const struct thaw_call *call)
{
	(void)ar;
	(void)keys;
	(void)n;
	return said(call);
}

static int poll_script(struct thaw_archive *ar, const struct thaw_key *keys, size_t n,
		       enum thaw_avail *ret, const struct thaw_call *call)
{
	(void)ar;
	(void)keys;
	for (size_t i = 0; i < n; i++)
		ret[i] = script.entry.avail;
	return said(call);
}

static void close_script(struct thaw_archive *ar)
{
	(void)ar;
	script.calls++;
}

static const struct thaw_archive_ops ops = {
	.type = "script",
	.version = THAW_ARCHIVE_VERSION,
	.list = list_script,
	.stat = stat_script,
	.recall = recall_script,
	.poll = poll_script,
	.get = get_script,
	.close = close_script,
};
static const struct thaw_archive_ops plain_ops = {
	.type = "plain",
	.version = THAW_ARCHIVE_VERSION,
	.list = list_script,
	.stat = stat_script,
	.get = get_script,
	.close = close_script,
};
static struct thaw_archive archive = {&ops}, plain = {&plain_ops};

static struct thaw_err err;
static const struct thaw_call call = {.err = &err};

static struct thaw_entry good_entry(void)
{
	return (struct thaw_entry){
		.name = "name", .name_len = 4, .type = THAW_TYPE_FILE, .mode = 0644, .size = 1};
}

static void reset(void)
{
	script = (struct script){0};
	err = (struct thaw_err){"old"};
}

/* --- transfers ------------------------------------------------------------------------- */

static int get(uint64_t off, uint64_t len, thaw_sink_fn *sink, void *ctx)
{
	static const struct thaw_tag tag = {.len = 1, .data = {7}};

	return thaw_archive_get(&archive, thaw_key_of("k"), &tag, off, len, sink, ctx, &call);
}

static int get_pieces(const struct piece *pieces, size_t n)
{
	struct taken taken = {0};
	int rc;

	reset();
	for (size_t i = 0; i < n; i++)
		script.pieces[i] = pieces[i];
	script.piece_count = n;
	rc = get(100, 10, take, &taken);
	taken_release(&taken);
	return rc;
}

START_TEST(whole_transfers_pass)
{
	static const struct piece one[] = {{100, 10}};
	static const struct piece three[] = {{100, 4}, {104, 0}, {104, 6}};

	ck_assert_int_eq(get_pieces(one, 1), 0);
	ck_assert_str_eq(err.text, "");
	ck_assert_int_eq(get_pieces(three, 3), 0);
}
END_TEST

START_TEST(short_long_or_disordered_transfers_fail)
{
	static const struct piece cut[] = {{100, 9}};
	static const struct piece longer[] = {{100, 10}, {110, 1}};
	static const struct piece gap[] = {{100, 4}, {105, 5}};
	static const struct piece again[] = {{100, 4}, {100, 6}};
	static const struct piece early[] = {{99, 10}};

	ck_assert_int_eq(get_pieces(NULL, 0), -EIO);
	ck_assert_ptr_nonnull(strstr(err.text, "short: 0 of 10"));
	ck_assert_int_eq(get_pieces(cut, 1), -EIO);
	ck_assert_ptr_nonnull(strstr(err.text, "short: 9 of 10"));
	ck_assert_int_eq(get_pieces(longer, 2), -EIO);
	ck_assert_ptr_nonnull(strstr(err.text, "more than was asked"));
	ck_assert_int_eq(get_pieces(gap, 2), -EIO);
	ck_assert_ptr_nonnull(strstr(err.text, "byte 105 where 104"));
	ck_assert_int_eq(get_pieces(again, 2), -EIO);
	ck_assert_int_eq(get_pieces(early, 1), -EIO);
}
END_TEST

START_TEST(nothing_bad_reaches_the_sink)
{
	struct taken taken = {0};

	reset();
	script.deaf = true;
	script.piece_count = 3;
	script.pieces[0] = (struct piece){0, 4};
	script.pieces[1] = (struct piece){5, 4};
	script.pieces[2] = (struct piece){4, 6};
	ck_assert_int_eq(get(0, 10, take, &taken), -EIO);
	ck_assert_uint_eq(taken.len, 4);
	taken_release(&taken);
}
END_TEST

static int refuse(void *ctx, uint64_t off, const void *data, size_t len)
{
	(void)off;
	(void)data;
	(void)len;
	return *(const int *)ctx;
}

START_TEST(what_a_sink_says_comes_back)
{
	static const int answers[] = {-ENOSPC, -EIO, 7, -ENOENT};

	for (size_t i = 0; i < 4; i++) {
		for (int deaf = 0; deaf < 2; deaf++) {
			int answer = answers[i];

			reset();
			script.deaf = deaf;
			script.piece_count = 1;
			script.pieces[0].len = 5;
			ck_assert_int_eq(get(0, 5, refuse, &answer), answers[i]);
			ck_assert_str_ne(err.text, "");
		}
	}
}
END_TEST

START_TEST(ranges_stay_inside_63_bits)
{
	struct taken taken = {0};

	reset();
	ck_assert_int_eq(get(UINT64_MAX, 1, take, &taken), -EIO);
	ck_assert_int_eq(get(1, INT64_MAX, take, &taken), -EIO);
	ck_assert_int_eq(get(UINT64_MAX - 1, 5, take, &taken), -EIO);
	ck_assert_uint_eq(script.calls, 0);
	ck_assert_int_eq(get(INT64_MAX, 0, take, &taken), 0);
	ck_assert_uint_eq(script.calls, 1);
}
END_TEST

START_TEST(a_cancelled_call_does_not_begin)
{
	const atomic_int cancel = 1;
	const struct thaw_call cancelled = {.cancel = &cancel, .err = &err};
	static const struct thaw_tag tag;

	reset();
	ck_assert_int_eq(
		thaw_archive_get(&archive, thaw_key_of("k"), &tag, 0, 0, take, NULL, &cancelled),
		-ECANCELED);
	ck_assert_uint_eq(script.calls, 0);
}
END_TEST

/* --- codes ----------------------------------------------------------------------------- */

static int get_code(int code, const char *text)
{
	reset();
	script.rc = code;
	script.text = text;
	return get(0, 0, take, NULL);
}

START_TEST(codes_of_the_contract_pass)
{
	static const int codes[] = {-ENOENT, -ESTALE, -EAGAIN,   -EINPROGRESS,
				    -EACCES, -EIO,    -ECANCELED};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		ck_assert_int_eq(get_code(codes[i], "why"), codes[i]);
		ck_assert_str_eq(err.text, "why");
		ck_assert_int_eq(get_code(codes[i], NULL), codes[i]);
		ck_assert_ptr_nonnull(strstr(err.text, "script archive: get failed"));
	}
}
END_TEST

START_TEST(other_codes_become_eio_and_keep_their_text)
{
	ck_assert_int_eq(get_code(-ENOMEM, "no room left"), -EIO);
	ck_assert_str_eq(err.text, "no room left");
	ck_assert_int_eq(get_code(-EPROTO, NULL), -EIO);
	ck_assert_ptr_nonnull(strstr(err.text, "Protocol error"));
	ck_assert_int_eq(get_code(1, NULL), -EIO);
	ck_assert_int_eq(get_code(-ENOTDIR, NULL), -EIO);
}
END_TEST

START_TEST(a_call_without_text_and_flag)
{
	struct thaw_entry entry;

	reset();
	script.rc = -ENOENT;
	ck_assert_int_eq(thaw_archive_stat(&archive, thaw_key_of("k"), &entry, NULL), -ENOENT);
	ck_assert_int_eq(thaw_archive_list(&archive, thaw_key_of(""), list_into, NULL, NULL),
			 -ENOENT);
	ck_assert_int_eq(thaw_archive_recall(&archive, &(struct thaw_key){"k", 1}, 1, NULL),
			 -ENOENT);
}
END_TEST

/* --- keys and entries ------------------------------------------------------------------ */

START_TEST(bad_keys_do_not_reach_a_backend)
{
	static const struct thaw_key bad[] = {{"/a", 2}, {"a/", 2}, {"/", 1}, {"a\0b", 3}};
	struct thaw_entry entry;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		reset();
		ck_assert_int_eq(thaw_archive_stat(&archive, bad[i], &entry, &call), -EIO);
		ck_assert_int_eq(thaw_archive_list(&archive, bad[i], list_into, NULL, &call), -EIO);
		ck_assert_int_eq(thaw_archive_recall(&archive, &bad[i], 1, &call), -EIO);
		ck_assert_uint_eq(script.calls, 0);
	}
}
END_TEST

static int list_entry(struct thaw_entry entry)
{
	struct listed listed = {0};
	int rc;

	reset();
	script.entry = entry;
	rc = thaw_archive_list(&archive, thaw_key_of(""), list_into, &listed, &call);
	if (listed.n) {
		ck_assert_int_eq(rc, 0);
		free(listed.items[0].name);
	}
	return rc;
}

START_TEST(entries_are_checked)
{
	static const struct {
		const char *name;
		size_t len;
	} names[] = {{"a/b", 3}, {".", 1}, {"..", 2}, {"", 0}, {"a\0b", 3}, {NULL, 0}};
	struct thaw_entry e = good_entry();

	ck_assert_int_eq(list_entry(e), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		e = good_entry();
		e.name = names[i].name;
		e.name_len = names[i].len;
		ck_assert_int_eq(list_entry(e), -EIO);
		ck_assert_str_ne(err.text, "");
	}
	e = good_entry();
	e.name = "...";
	e.name_len = 3;
	ck_assert_int_eq(list_entry(e), 0);
}
END_TEST

START_TEST(attributes_are_checked)
{
	struct thaw_entry bad[5], entry = {.size = 4711};

	for (size_t i = 0; i < 5; i++)
		bad[i] = good_entry();
	bad[0].type = 9;
	bad[1].mode = 0100644;
	bad[2].size = UINT64_MAX;
	bad[3].tag.len = THAW_TAG_MAX + 1;
	bad[4].avail = 9;
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(list_entry(bad[i]), -EIO);
		ck_assert_int_eq(thaw_archive_stat(&archive, thaw_key_of("k"), &entry, &call),
				 -EIO);
		ck_assert_uint_eq(entry.size, 4711);
	}
	bad[0] = good_entry();
	bad[0].type = THAW_TYPE_SYMLINK;
	ck_assert_int_eq(list_entry(bad[0]), -EIO);
}
END_TEST

static int stop_at_first(void *ctx, const struct thaw_entry *entry)
{
	(void)entry;
	return *(const int *)ctx;
}

START_TEST(an_entry_function_ends_the_listing)
{
	for (int deaf = 0; deaf < 2; deaf++) {
		int answer = -EXDEV;

		reset();
		script.entry = good_entry();
		script.deaf = deaf;
		ck_assert_int_eq(
			thaw_archive_list(&archive, thaw_key_of(""), stop_at_first, &answer, &call),
			-EXDEV);
	}
}
END_TEST

START_TEST(a_listing_may_find_no_directory)
{
	reset();
	script.rc = -ENOTDIR;
	ck_assert_int_eq(list_code(&archive, "k", &err), -ENOTDIR);
}
END_TEST

/* --- recalls, locate, life ------------------------------------------------------------- */

START_TEST(an_archive_without_recall_is_online)
{
	const struct thaw_key keys[2] = {{"a", 1}, {"b", 1}};
	enum thaw_avail avail[2] = {THAW_AVAIL_LOST, THAW_AVAIL_LOST};

	reset();
	ck_assert(!thaw_archive_recalls(&plain));
	ck_assert(thaw_archive_recalls(&archive));
	ck_assert_int_eq(thaw_archive_recall(&plain, keys, 2, &call), 0);
	ck_assert_int_eq(thaw_archive_poll(&plain, keys, 2, avail, &call), 0);
	ck_assert_int_eq(avail[0], THAW_AVAIL_ONLINE);
	ck_assert_int_eq(avail[1], THAW_AVAIL_ONLINE);
	ck_assert_uint_eq(script.calls, 0);
}
END_TEST

START_TEST(a_poll_must_give_states_there_are)
{
	const struct thaw_key key = {"a", 1};
	enum thaw_avail avail;

	reset();
	script.entry.avail = 17;
	ck_assert_int_eq(thaw_archive_poll(&archive, &key, 1, &avail, &call), -EIO);
	script.entry.avail = THAW_AVAIL_RECALLING;
	ck_assert_int_eq(thaw_archive_poll(&archive, &key, 1, &avail, &call), 0);
	ck_assert_int_eq(avail, THAW_AVAIL_RECALLING);
}
END_TEST

START_TEST(places_are_unknown_at_first)
{
	char text[32] = "old";

	reset();
	ck_assert_int_eq(thaw_archive_locate(&archive, thaw_key_of("k"), text, sizeof(text), &call),
			 0);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(unknown_types_are_refused)
{
	struct thaw_archive *ar = NULL;

	ck_assert_int_eq(try_archive(&ar, &err, "tape", NULL), -EINVAL);
	ck_assert_ptr_null(ar);
	ck_assert_str_eq(err.text, "archive a, line 3: there is no type = tape");
}
END_TEST

START_TEST(closing_nothing)
{
	ck_assert_ptr_null(thaw_archive_close(NULL));
	reset();
	ck_assert_ptr_null(thaw_archive_close(&archive));
	ck_assert_uint_eq(script.calls, 1);
	ck_assert_int_eq(thaw_archive_start(&archive, &err), 0);
	ck_assert_str_eq(err.text, "");
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		whole_transfers_pass,
		short_long_or_disordered_transfers_fail,
		nothing_bad_reaches_the_sink,
		what_a_sink_says_comes_back,
		ranges_stay_inside_63_bits,
		a_cancelled_call_does_not_begin,
		codes_of_the_contract_pass,
		other_codes_become_eio_and_keep_their_text,
		a_call_without_text_and_flag,
		bad_keys_do_not_reach_a_backend,
		entries_are_checked,
		attributes_are_checked,
		an_entry_function_ends_the_listing,
		a_listing_may_find_no_directory,
		an_archive_without_recall_is_online,
		a_poll_must_give_states_there_are,
		places_are_unknown_at_first,
		unknown_types_are_refused,
		closing_nothing,
	};

	return run_suite(suite_of("archive", "wrappers", TESTS_OF(tests)));
}
