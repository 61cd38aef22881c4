/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "catalog/request.h"
#include "fixture.h"

static uint64_t a, b; /* /a with x, y and b/f; /a/b */
static char id[THAW_REQUEST_ID_TEXT];

static void setup(void)
{
	fixture_setup();
	FILL(root, dir_entry("a"), file_entry("g", "1", 1000));
	a = lookup_id(root, "a");
	FILL(a, dir_entry("b"), file_entry("x", "1", 100), file_entry("y", "1", 200));
	b = lookup_id(a, "b");
	FILL(b, file_entry("f", "1", 10));
}

static struct thaw_request get(const char *which)
{
	struct thaw_request r;

	ck_assert_int_eq(thaw_catalog_request(cat, which, &r), 0);
	return r;
}

static void new_request(uint64_t node, int64_t now)
{
	ck_assert_int_eq(thaw_catalog_request_new(cat, 1000, now, &node, 1, id), 0);
}

static void move(uint64_t seq, enum thaw_file_state state, int error, int64_t now)
{
	struct thaw_file_update u = { .seq = seq, .state = state, .error = error };

	strcpy(u.id, id);
	ck_assert_int_eq(thaw_catalog_request_update(cat, &u, 1, now), 0);
}

static bool has_open(const char *which)
{
	char ids[8][THAW_REQUEST_ID_TEXT];
	size_t n;

	ck_assert_int_eq(thaw_catalog_requests_open(cat, ids, 8, &n), 0);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(ids[i], which) == 0)
			return true;
	}
	return false;
}

START_TEST(fresh)
{
	struct thaw_request r;
	struct thaw_request_file file;
	size_t n = 9;

	new_request(a, 50);
	ck_assert_uint_eq(strlen(id), 36);
	ck_assert_int_eq(id[14], '4');
	fixture_reopen();
	r = get(id);
	ck_assert_str_eq(r.id, id);
	ck_assert_uint_eq(r.owner, 1000);
	ck_assert_int_eq(r.created, 50);
	ck_assert_int_eq(r.finished, 0);
	ck_assert(!r.expanded && !r.cancelled);
	ck_assert(has_open(id));
	ck_assert_int_eq(thaw_catalog_request_next(cat, id, 0, &file, 1, &n), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(thaw_catalog_request(cat, "none", &r), -ENOENT);
	ck_assert_int_eq(thaw_catalog_request_next(cat, "none", 0, &file, 1, &n), -ENOENT);
	ck_assert_int_eq(thaw_catalog_request_expand(cat, "none", 1), -ENOENT);
	ck_assert_int_eq(thaw_catalog_request_cancel(cat, "none", 1), -ENOENT);
}
END_TEST

START_TEST(expanding)
{
	uint64_t roots[] = { lookup_id(a, "y"), a, 9999, lookup_id(root, "g") };
	struct thaw_request_file file[8];
	struct thaw_request r;
	size_t n;

	publish(lookup(a, "x").object, 4096, 1);
	FILL(b, );
	ck_assert_int_eq(thaw_catalog_request_new(cat, 0, 10, roots, 4, id), 0);
	ck_assert_int_eq(thaw_catalog_request_expand(cat, id, 20), 0);
	r = get(id);
	ck_assert(r.expanded);
	ck_assert_int_eq(r.finished, 0);
	ck_assert_uint_eq(r.files[THAW_FILE_SUBMITTED], 2);
	ck_assert_uint_eq(r.files[THAW_FILE_COMPLETED], 1);
	ck_assert_uint_eq(r.files[THAW_FILE_FAILED], 1);
	ck_assert_uint_eq(r.bytes, 1310);
	ck_assert_uint_eq(r.done_bytes, 100);
	ck_assert_int_eq(thaw_catalog_request_next(cat, id, 0, file, 8, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(file[0].node, roots[0]); /* each once, in the order of the roots */
	ck_assert_uint_eq(file[0].size, 200);
	ck_assert_uint_eq(file[1].node, roots[3]);
	ck_assert_int_eq(thaw_catalog_request_next(cat, id, file[0].seq, file, 8, &n), 0);
	ck_assert_uint_eq(n, 1);
	/* again changes nothing */
	ck_assert_int_eq(thaw_catalog_request_expand(cat, id, 30), 0);
	ck_assert_uint_eq(get(id).bytes, 1310);
}
END_TEST

START_TEST(nothing_to_do)
{
	FILL(root, dir_entry("empty"), dir_entry("a"), file_entry("g", "1", 1000));
	new_request(lookup_id(root, "empty"), 10);
	ck_assert_int_eq(thaw_catalog_request_expand(cat, id, 20), 0);
	ck_assert_int_eq(get(id).finished, 20);
	ck_assert(!has_open(id));
}
END_TEST

START_TEST(from_start_to_end)
{
	struct thaw_request r;

	new_request(a, 10);
	ck_assert_int_eq(thaw_catalog_request_expand(cat, id, 20), 0);
	move(1, THAW_FILE_STARTED, 0, 30);
	move(2, THAW_FILE_STARTED, 0, 30);
	r = get(id);
	ck_assert_uint_eq(r.files[THAW_FILE_STARTED], 2);
	ck_assert_uint_eq(r.files[THAW_FILE_SUBMITTED], 1);
	move(1, THAW_FILE_COMPLETED, 0, 31);
	move(2, THAW_FILE_SUBMITTED, 0, 31);
	move(2, THAW_FILE_STARTED, 0, 31);
	move(2, THAW_FILE_FAILED, -EIO, 32);
	move(1, THAW_FILE_STARTED, 0, 33); /* ended ones stay */
	move(2, THAW_FILE_COMPLETED, 0, 33);
	move(99, THAW_FILE_COMPLETED, 0, 33); /* no such file */
	ck_assert_int_eq(get(id).finished, 0);
	move(3, THAW_FILE_COMPLETED, 0, 40);
	r = get(id);
	ck_assert_int_eq(r.finished, 40);
	ck_assert_uint_eq(r.files[THAW_FILE_COMPLETED], 2);
	ck_assert_uint_eq(r.files[THAW_FILE_FAILED], 1);
	ck_assert_uint_eq(r.done_bytes, 10 + 200);
	ck_assert(!has_open(id));
	ck_assert_int_eq(thaw_catalog_request_cancel(cat, id, 50), 0);
	r = get(id);
	ck_assert(!r.cancelled);
	ck_assert_int_eq(r.finished, 40);
}
END_TEST

START_TEST(cancelling)
{
	struct thaw_request r;

	new_request(a, 10);
	ck_assert_int_eq(thaw_catalog_request_expand(cat, id, 20), 0);
	move(1, THAW_FILE_COMPLETED, 0, 30);
	move(2, THAW_FILE_STARTED, 0, 30);
	ck_assert_int_eq(thaw_catalog_request_cancel(cat, id, 35), 0);
	r = get(id);
	ck_assert(r.cancelled);
	ck_assert_int_eq(r.finished, 35);
	ck_assert_uint_eq(r.files[THAW_FILE_COMPLETED], 1);
	ck_assert_uint_eq(r.files[THAW_FILE_CANCELLED], 2);
	move(2, THAW_FILE_COMPLETED, 0, 36);
	ck_assert_uint_eq(get(id).files[THAW_FILE_CANCELLED], 2);
}
END_TEST

START_TEST(cancelled_before_it_is_expanded)
{
	new_request(a, 10);
	ck_assert_int_eq(thaw_catalog_request_cancel(cat, id, 15), 0);
	ck_assert_int_eq(thaw_catalog_request_expand(cat, id, 20), 0);
	ck_assert(!get(id).expanded);
	ck_assert_uint_eq(get(id).files[THAW_FILE_SUBMITTED], 0);
	ck_assert_int_eq(get(id).finished, 15);
}
END_TEST

START_TEST(recovering)
{
	struct thaw_request_file file;
	size_t n;

	new_request(a, 10);
	ck_assert_int_eq(thaw_catalog_request_expand(cat, id, 20), 0);
	move(1, THAW_FILE_STARTED, 0, 30);
	move(2, THAW_FILE_COMPLETED, 0, 30);
	fixture_reopen();
	ck_assert_int_eq(thaw_catalog_requests_recover(cat), 0);
	ck_assert_uint_eq(get(id).files[THAW_FILE_STARTED], 0);
	ck_assert_uint_eq(get(id).files[THAW_FILE_SUBMITTED], 2);
	ck_assert_int_eq(thaw_catalog_request_next(cat, id, 0, &file, 1, &n), 0);
	ck_assert_uint_eq(file.seq, 1);
}
END_TEST

static int collect(void *ctx, const struct thaw_request *r)
{
	char (*ids)[THAW_REQUEST_ID_TEXT] = ctx;
	int n = 0;

	while (ids[n][0])
		n++;
	strcpy(ids[n], r->id);
	return 0;
}

START_TEST(listing_and_pruning)
{
	char ids[101][THAW_REQUEST_ID_TEXT] = { "" }, made[100][THAW_REQUEST_ID_TEXT];
	struct thaw_request r;

	for (int i = 0; i < 100; i++) {
		new_request(a, i);
		strcpy(made[i], id);
	}
	ck_assert_int_eq(thaw_catalog_requests(cat, 1000, collect, ids), 0);
	for (int i = 0; i < 100; i++)
		ck_assert_str_eq(ids[i], made[99 - i]);
	memset(ids, 0, sizeof(ids));
	ck_assert_int_eq(thaw_catalog_requests(cat, 3, collect, ids), 0);
	ck_assert_str_eq(ids[2], made[97]);
	ck_assert_str_eq(ids[3], "");
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(thaw_catalog_request_expand(cat, made[i], 100), 0);
		ck_assert_int_eq(thaw_catalog_request_cancel(cat, made[i], 100 + i), 0);
	}
	ck_assert_int_eq(thaw_catalog_requests_prune(cat, 103), 0);
	ck_assert_int_eq(thaw_catalog_request(cat, made[2], &r), -ENOENT);
	ck_assert_int_eq(thaw_catalog_request(cat, made[3], &r), 0);
	ck_assert_int_eq(thaw_catalog_request(cat, made[50], &r), 0);
}
END_TEST

struct files {
	uint64_t n, last;
};

static int count_file(void *ctx, const struct thaw_request_file *f)
{
	struct files *files = ctx;

	ck_assert_uint_gt(f->seq, files->last);
	files->last = f->seq;
	files->n++;
	return 0;
}

START_TEST(many_files)
{
	struct thaw_listing *l = thaw_listing_new(spec.id, b);
	struct files files = { 0 };
	struct thaw_request r;

	for (int i = 0; i < 9000; i++) {
		struct thaw_entry e;
		char name[16];

		(void)snprintf(name, sizeof(name), "f%05d", i);
		e = file_entry(name, "1", 2);
		ck_assert_int_eq(thaw_listing_add(l, &e), 0);
	}
	ck_assert_int_eq(thaw_catalog_ingest(cat, &l, 1), 0);
	thaw_listing_free(l);
	new_request(b, 1);
	ck_assert_int_eq(thaw_catalog_request_expand(cat, id, 2), 0);
	r = get(id);
	ck_assert_uint_eq(r.files[THAW_FILE_SUBMITTED], 9000);
	ck_assert_uint_eq(r.files[THAW_FILE_FAILED], 1);
	ck_assert_int_eq(thaw_catalog_request_files(cat, id, 0, SIZE_MAX, count_file, &files), 0);
	ck_assert_uint_eq(files.n, 9001);
	ck_assert_int_eq(thaw_catalog_request_files(cat, id, 0, 0, count_file, &files), 0);
	files = (struct files){ 0 };
	ck_assert_int_eq(thaw_catalog_request_files(cat, id, 8990, 300, count_file, &files), 0);
	ck_assert_uint_eq(files.n, 11);
}
END_TEST

static const char *request_of(uint64_t node)
{
	static char text[THAW_REQUEST_ID_TEXT];

	return thaw_catalog_request_of(cat, node, text) ? "none" : text;
}

START_TEST(whose)
{
	char older[THAW_REQUEST_ID_TEXT];
	uint64_t f = lookup_id(b, "f");

	ck_assert_str_eq(request_of(f), "none");
	new_request(a, 1);
	strcpy(older, id);
	ck_assert_str_eq(request_of(f), older); /* not expanded yet */
	ck_assert_str_eq(request_of(b), older);
	ck_assert_str_eq(request_of(a), older);
	ck_assert_str_eq(request_of(root), "none");
	ck_assert_str_eq(request_of(lookup_id(root, "g")), "none");
	ck_assert_int_eq(thaw_catalog_request_expand(cat, older, 2), 0);
	ck_assert_str_eq(request_of(f), older);
	ck_assert_str_eq(request_of(b), older);
	new_request(b, 3);
	ck_assert_str_eq(request_of(f), id);
	ck_assert_str_eq(request_of(a), older);
	ck_assert_int_eq(thaw_catalog_request_cancel(cat, id, 4), 0);
	ck_assert_str_eq(request_of(f), older);
	/* listed later: not one of the files */
	FILL(b, file_entry("f", "1", 10), file_entry("late", "1", 1));
	ck_assert_str_eq(request_of(lookup_id(b, "late")), "none");
	ck_assert_int_eq(thaw_catalog_request_cancel(cat, older, 4), 0);
	ck_assert_str_eq(request_of(f), "none");
	ck_assert_str_eq(request_of(9999), "none");
}
END_TEST

START_TEST(bad_state)
{
	struct thaw_file_update u = { .seq = 1, .state = THAW_FILE_STATES };

	ck_assert_int_eq(thaw_catalog_request_update(cat, &u, 1, 1), -EINVAL);
	ck_assert_int_eq(thaw_catalog_request_update(cat, &u, 0, 1), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_request");
	TCase *tc = tcase_create("request");

	tcase_add_checked_fixture(tc, setup, fixture_teardown);
	tcase_add_test(tc, fresh);
	tcase_add_test(tc, expanding);
	tcase_add_test(tc, nothing_to_do);
	tcase_add_test(tc, from_start_to_end);
	tcase_add_test(tc, cancelling);
	tcase_add_test(tc, cancelled_before_it_is_expanded);
	tcase_add_test(tc, recovering);
	tcase_add_test(tc, listing_and_pruning);
	tcase_add_test(tc, many_files);
	tcase_add_test(tc, whose);
	tcase_add_test(tc, bad_state);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
