/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct thaw_err err;
static const struct thaw_call call = {.err = &err};

/* --- what is shown --------------------------------------------------------------------- */

START_TEST(lists_files_directories_and_links)
{
	struct thaw_archive *ar = open_scratch();
	struct listed *listed;
	const struct thaw_entry *e;

	put_text("file", "hello");
	put_dir("dir");
	put_text("dir/below", "not listed");
	put_text(".hidden", "");
	ck_assert_int_eq(symlinkat("dir/below", scratch_fd, "link"), 0);
	listed = list_dir(ar, "");
	ck_assert_uint_eq(listed->n, 4);
	e = listed_find(listed, "file");
	ck_assert_int_eq(e->type, THAW_TYPE_FILE);
	ck_assert_uint_eq(e->size, 5);
	ck_assert_ptr_null(e->target);
	e = listed_find(listed, "dir");
	ck_assert_int_eq(e->type, THAW_TYPE_DIR);
	ck_assert_uint_eq(e->tag.len, 0);
	e = listed_find(listed, "link");
	ck_assert_int_eq(e->type, THAW_TYPE_SYMLINK);
	ck_assert_str_eq(e->target, "dir/below");
	ck_assert_uint_eq(e->target_len, 9);
	ck_assert_ptr_nonnull(listed_find(listed, ".hidden"));
	(void)listed_free(listed);
	listed = list_dir(ar, "dir");
	ck_assert_uint_eq(listed->n, 1);
	(void)listed_free(listed);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(list_and_stat_tell_the_same)
{
	struct thaw_archive *ar = open_scratch();
	struct listed *listed;

	put_text("file", "hello");
	put_dir("dir");
	ck_assert_int_eq(symlinkat("x", scratch_fd, "link"), 0);
	ck_assert_int_eq(linkat(scratch_fd, "file", scratch_fd, "same", 0), 0);
	listed = list_dir(ar, "");
	ck_assert_uint_eq(listed->n, 4);
	for (size_t i = 0; i < listed->n; i++) {
		const struct thaw_entry a = listed->items[i].entry;
		const struct thaw_entry b = stat_key(ar, a.name);

		ck_assert_int_eq(a.type, b.type);
		ck_assert_uint_eq(a.mode, b.mode);
		ck_assert_uint_eq(a.uid, b.uid);
		ck_assert_uint_eq(a.gid, b.gid);
		ck_assert_uint_eq(a.size, b.size);
		ck_assert_int_eq(a.mtime_ns, b.mtime_ns);
		ck_assert_int_eq(a.ctime_ns, b.ctime_ns);
		ck_assert_uint_eq(a.link_id, b.link_id);
		ck_assert(thaw_tag_equal(&a.tag, &b.tag));
	}
	(void)listed_free(listed);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(an_empty_directory)
{
	struct thaw_archive *ar = open_scratch();
	struct listed *listed = list_dir(ar, "");

	ck_assert_uint_eq(listed->n, 0);
	(void)listed_free(listed);
	(void)thaw_archive_close(ar);
}
END_TEST

static void put_socket(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", scratch, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	(void)close(fd);
}

START_TEST(pipes_sockets_and_devices_are_left_out)
{
	struct thaw_archive *ar = open_scratch();
	struct listed *listed;

	put_text("file", "x");
	ck_assert_int_eq(mkfifoat(scratch_fd, "pipe", 0644), 0);
	put_socket("socket");
	if (is_root()) /* may still be forbidden in a container */
		(void)mknodat(scratch_fd, "null", S_IFCHR | 0644, 0x103);
	listed = list_dir(ar, "");
	ck_assert_uint_eq(listed->n, 1);
	ck_assert_str_eq(listed->items[0].name, "file");
	(void)listed_free(listed);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(hard_links_share_an_id)
{
	struct thaw_archive *ar = open_scratch();
	struct listed *listed;

	put_dir("d");
	put_text("d/a", "x");
	put_text("d/c", "x");
	ck_assert_int_eq(linkat(scratch_fd, "d/a", scratch_fd, "d/b", 0), 0);
	put_text("d/e", "x");
	ck_assert_int_eq(linkat(scratch_fd, "d/e", scratch_fd, "d/f", 0), 0);
	listed = list_dir(ar, "d");
	ck_assert_uint_ne(listed_find(listed, "a")->link_id, 0);
	ck_assert_uint_eq(listed_find(listed, "a")->link_id, listed_find(listed, "b")->link_id);
	ck_assert_uint_eq(listed_find(listed, "c")->link_id, 0);
	ck_assert_uint_ne(listed_find(listed, "a")->link_id, listed_find(listed, "e")->link_id);
	ck_assert(thaw_tag_equal(&listed_find(listed, "a")->tag, &listed_find(listed, "b")->tag));
	(void)listed_free(listed);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(long_link_texts_are_whole)
{
	static const size_t lens[] = {1, 255, 256, 257, 1000, 4095};
	struct thaw_archive *ar = open_scratch();
	char text[4096];

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct listed *listed;

		memset(text, 'a' + (int)i, lens[i]);
		text[lens[i]] = '\0';
		ck_assert_int_eq(symlinkat(text, scratch_fd, "link"), 0);
		listed = list_dir(ar, "");
		ck_assert_uint_eq(listed->n, 1);
		ck_assert_uint_eq(listed->items[0].entry.target_len, lens[i]);
		ck_assert_str_eq(listed->items[0].target, text);
		(void)listed_free(listed);
		ck_assert_int_eq(unlinkat(scratch_fd, "link", 0), 0);
	}
	(void)thaw_archive_close(ar);
}
END_TEST

/* More than one getdents64 buffer. */
START_TEST(large_directories_are_whole)
{
	struct thaw_archive *ar = open_scratch();
	struct listed *listed;
	char name[64];
	bool seen[3000] = {false};

	for (int i = 0; i < 3000; i++) {
		(void)snprintf(name, sizeof(name), "%04d-%040d", i, i);
		ck_assert_int_eq(linkat(scratch_fd,
					i ? "0000-0000000000000000000000000000000000000000"
					  : (put_text("first", "x"), "first"),
					scratch_fd, name, 0),
				 0);
	}
	ck_assert_int_eq(unlinkat(scratch_fd, "first", 0), 0);
	listed = list_dir(ar, "");
	ck_assert_uint_eq(listed->n, 3000);
	for (size_t i = 0; i < listed->n; i++) {
		size_t n = strtoul(listed->items[i].name, NULL, 10);

		ck_assert(!seen[n]);
		seen[n] = true;
	}
	(void)listed_free(listed);
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- what is no directory -------------------------------------------------------------- */

START_TEST(what_cannot_be_listed)
{
	struct thaw_archive *ar = open_scratch();

	put_text("file", "x");
	ck_assert_int_eq(list_code(ar, "file", &err), -ENOTDIR);
	ck_assert_str_ne(err.text, "");
	ck_assert_int_eq(list_code(ar, "file/x", &err), -ENOTDIR);
	ck_assert_int_eq(list_code(ar, "none", &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "/none: open: No such file"));
	(void)thaw_archive_close(ar);
}
END_TEST

static int answer_seven(void *ctx, const struct thaw_entry *entry)
{
	(void)entry;
	(*(unsigned *)ctx)++;
	return 7;
}

START_TEST(a_listing_can_be_stopped)
{
	struct thaw_archive *ar = open_scratch();
	unsigned calls = 0;

	put_text("a", "x");
	put_text("b", "x");
	ck_assert_int_eq(thaw_archive_list(ar, thaw_key_of(""), answer_seven, &calls, &call), 7);
	ck_assert_uint_eq(calls, 1);
	(void)thaw_archive_close(ar);
}
END_TEST

/* --- while it changes ------------------------------------------------------------------ */

struct meddler {
	struct listed listed;
	void (*act)(const struct thaw_entry *first);
	atomic_int cancel;
};

/* Acts once, when the first entry is told and the others are only known by name. */
static int meddle(void *ctx, const struct thaw_entry *entry)
{
	struct meddler *m = ctx;
	int rc = list_into(&m->listed, entry);

	if (m->listed.n == 1 && m->act)
		m->act(entry);
	return rc;
}

static struct meddler *list_meddling(struct thaw_archive *ar, const char *key, int expect,
				     void (*act)(const struct thaw_entry *first))
{
	struct meddler *m = calloc(1, sizeof(*m));
	int rc;

	m->act = act;
	rc = thaw_archive_list(ar, thaw_key_of(key), meddle, m, &call);
	ck_assert_msg(rc == expect, "%d %s", rc, err.text);
	return m;
}

static void forget(struct meddler *m)
{
	for (size_t i = 0; i < m->listed.n; i++) {
		free(m->listed.items[i].name);
		free(m->listed.items[i].target);
	}
	free(m);
}

static const char *const three[] = {"d/a", "d/b", "d/c"};

static void put_three(void)
{
	put_dir("d");
	for (size_t i = 0; i < 3; i++)
		put_text(three[i], "inside");
}

static void remove_others(const struct thaw_entry *first)
{
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(three[i] + 2, first->name) != 0)
			ck_assert_int_eq(unlinkat(scratch_fd, three[i], 0), 0);
	}
}

START_TEST(entries_that_vanish_are_left_out)
{
	struct thaw_archive *ar = open_scratch();
	struct meddler *m;

	put_three();
	m = list_meddling(ar, "d", 0, remove_others);
	ck_assert_uint_eq(m->listed.n, 1);
	forget(m);
	(void)thaw_archive_close(ar);
}
END_TEST

static void put_link_in_place(const struct thaw_entry *first)
{
	(void)first;
	put_dir("other");
	for (size_t i = 0; i < 3; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "other%s", three[i] + 1);
		put_text(path, "a longer text outside");
	}
	ck_assert_int_eq(renameat(scratch_fd, "d", scratch_fd, "moved"), 0);
	ck_assert_int_eq(symlinkat("other", scratch_fd, "d"), 0);
}

START_TEST(a_directory_replaced_by_a_link_while_it_is_listed)
{
	struct thaw_archive *ar = open_scratch();
	struct meddler *m;

	put_three();
	m = list_meddling(ar, "d", 0, put_link_in_place);
	ck_assert_uint_eq(m->listed.n, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(m->listed.items[i].entry.size, strlen("inside"));
	forget(m);
	(void)thaw_archive_close(ar);
}
END_TEST

static void remove_all(const struct thaw_entry *first)
{
	(void)first;
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(unlinkat(scratch_fd, three[i], 0), 0);
	ck_assert_int_eq(unlinkat(scratch_fd, "d", AT_REMOVEDIR), 0);
}

START_TEST(a_directory_removed_while_it_is_listed)
{
	struct thaw_archive *ar = open_scratch();
	struct meddler *m;

	put_three();
	m = list_meddling(ar, "d", -ENOENT, remove_all);
	forget(m);
	(void)thaw_archive_close(ar);
}
END_TEST

START_TEST(a_root_removed_while_it_is_listed)
{
	struct thaw_archive *ar;
	struct meddler *m;

	put_three();
	ar = open_archive("posix", "path", in_scratch("d"), NULL);
	m = list_meddling(ar, "", -EAGAIN, remove_all);
	ck_assert_str_ne(err.text, "");
	forget(m);
	(void)thaw_archive_close(ar);
}
END_TEST

static void turn_to_links(const struct thaw_entry *first)
{
	remove_others(first);
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(three[i] + 2, first->name) != 0)
			ck_assert_int_eq(symlinkat("elsewhere", scratch_fd, three[i]), 0);
	}
}

START_TEST(an_entry_is_told_as_it_is_when_it_is_looked_at)
{
	struct thaw_archive *ar = open_scratch();
	struct meddler *m;

	put_three();
	m = list_meddling(ar, "d", 0, turn_to_links);
	ck_assert_uint_eq(m->listed.n, 3);
	for (size_t i = 1; i < 3; i++) {
		ck_assert_int_eq(m->listed.items[i].entry.type, THAW_TYPE_SYMLINK);
		ck_assert_str_eq(m->listed.items[i].target, "elsewhere");
	}
	forget(m);
	(void)thaw_archive_close(ar);
}
END_TEST

static int cancel_now(void *ctx, const struct thaw_entry *entry)
{
	struct meddler *m = ctx;

	atomic_store(&m->cancel, 1);
	return list_into(&m->listed, entry);
}

START_TEST(a_listing_can_be_cancelled)
{
	struct thaw_archive *ar = open_scratch();
	struct meddler *m = calloc(1, sizeof(*m));
	const struct thaw_call cancelled = {.cancel = &m->cancel, .err = &err};

	put_three();
	ck_assert_int_eq(thaw_archive_list(ar, thaw_key_of("d"), cancel_now, m, &cancelled),
			 -ECANCELED);
	ck_assert_uint_eq(m->listed.n, 1);
	forget(m);
	(void)thaw_archive_close(ar);
}
END_TEST

/* Names can be read, but nothing behind them (r without x). */
static void list_names_only(void)
{
	struct thaw_archive *ar = open_scratch();

	ck_assert_int_eq(list_code(ar, "names", &err), -EACCES);
	ck_assert_ptr_nonnull(strstr(err.text, "\"fi\\012le\" in "));
	ck_assert_ptr_nonnull(strstr(err.text, "/names: Permission denied"));
	(void)thaw_archive_close(ar);
}

START_TEST(an_entry_that_cannot_be_looked_at_fails_the_listing)
{
	put_dir("names");
	put_text("names/fi\nle", "x");
	ck_assert_int_eq(fchmodat(scratch_fd, "names", 0444, 0), 0);
	as_nobody(list_names_only);
}
END_TEST

int main(void)
{
	const TTest *tests[] = {
		lists_files_directories_and_links,
		list_and_stat_tell_the_same,
		an_empty_directory,
		pipes_sockets_and_devices_are_left_out,
		hard_links_share_an_id,
		long_link_texts_are_whole,
		large_directories_are_whole,
		what_cannot_be_listed,
		a_listing_can_be_stopped,
		entries_that_vanish_are_left_out,
		a_directory_replaced_by_a_link_while_it_is_listed,
		a_directory_removed_while_it_is_listed,
		a_root_removed_while_it_is_listed,
		an_entry_is_told_as_it_is_when_it_is_looked_at,
		a_listing_can_be_cancelled,
		an_entry_that_cannot_be_looked_at_fails_the_listing,
	};

	return run_suite(suite_of("archive", "posix_list", TESTS_OF(tests)));
}
