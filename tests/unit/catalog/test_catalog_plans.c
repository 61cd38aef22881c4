/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * No statement reads a table from end to end but those that mean to: with a
 * hundred million rows a lost index would be an outage.
 */
#include <stdio.h>

#include "catalog/catalog_impl.h"
#include "fixture.h"

static const struct {
	const char *name, *text;
} stmts[] = {
#define X(name, text) { #name, text },
#include "catalog/stmt_list.h"
#undef X
};

/* What may be read whole: small tables, and tables that are to be emptied. */
static const char *const may_scan[] = {
	"TOTALS", "COLLECTIONS_DETACH", "UNHANG_COLLECTIONS", "UNHANG_PLAIN", "PINS_ANY",
	"RESIDENCY_CLEAR", "SUPERSEDED_CLEAR", "PAST_DELETE", "REQUESTS_ANY", "REQUESTS_OPEN",
	"REQUESTS_RECOVER", "FILES_RECOVER",
};

static bool allowed(const char *name)
{
	for (size_t i = 0; i < sizeof(may_scan) / sizeof(may_scan[0]); i++) {
		if (strcmp(name, may_scan[i]) == 0)
			return true;
	}
	return false;
}

static bool is_query(const char *text)
{
	return strncmp(text, "SELECT", 6) == 0 || strncmp(text, "UPDATE", 6) == 0 ||
	       strncmp(text, "DELETE", 6) == 0 || strncmp(text, "INSERT", 6) == 0;
}

static void check_plan(size_t i)
{
	char text[2048];
	sqlite3_stmt *st;

	(void)snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %s", stmts[i].text);
	ck_assert_msg(sqlite3_prepare_v2(cat->rw->db, text, -1, &st, NULL) == SQLITE_OK, "%s: %s",
		      stmts[i].name, sqlite3_errmsg(cat->rw->db));
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(st, 3);
		bool scans = strstr(detail, "SCAN ") && !strstr(detail, "SCAN CONSTANT");
		bool sorts = strstr(detail, "TEMP B-TREE") != NULL;

		ck_assert_msg(!sorts, "%s sorts: %s", stmts[i].name, detail);
		ck_assert_msg(!scans || allowed(stmts[i].name), "%s: %s", stmts[i].name, detail);
		/* These tables are huge: even then, by an index of a few rows. */
		if (scans && (strstr(detail, "SCAN nodes") || strstr(detail, "SCAN objects")))
			ck_assert_msg(strstr(detail, "USING") != NULL, "%s: %s", stmts[i].name,
				      detail);
	}
	ck_assert_int_eq(sqlite3_finalize(st), SQLITE_OK);
}

START_TEST(all_plans)
{
	for (size_t i = 0; i < sizeof(stmts) / sizeof(stmts[0]); i++) {
		if (is_query(stmts[i].text))
			check_plan(i);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_plans");
	TCase *tc = tcase_create("plans");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_test(tc, all_plans);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
