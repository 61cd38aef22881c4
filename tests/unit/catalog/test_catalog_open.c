/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "catalog/catalog_impl.h"
#include "catalog/pin.h"
#include "catalog/schema.h"
#include "fixture.h"

static struct thaw_err err;

static int try_open(void)
{
	int rc;

	cat = NULL;
	rc = thaw_catalog_open(fixture_path, &cat, &err);
	if (rc) {
		ck_assert_ptr_null(cat);
		ck_assert_msg(strstr(err.text, "catalog.db") != NULL, "%s", err.text);
		ck_assert_ptr_null(strchr(err.text, '\n'));
	}
	return rc;
}

static void make_sound(void)
{
	fixture_setup();
	for (int i = 0; i < 50; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "dir%d", i);
		FILL(root, dir_entry(name), file_entry("file", "1", 100));
	}
	cat = thaw_catalog_close(cat);
}

static void run_sql(const char *text)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(fixture_path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static void write_at(off_t off, const void *data, size_t len)
{
	int fd = open(fixture_path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, data, len, off), (ssize_t)len);
	close(fd);
}

static off_t file_size(void)
{
	struct stat st;

	ck_assert_int_eq(stat(fixture_path, &st), 0);
	return st.st_size;
}

START_TEST(new_one)
{
	struct stat st;
	char lock[128];

	fixture_dir_setup();
	strcpy(fixture_path + strlen(fixture_dir), "/a/b/catalog.db");
	ck_assert_int_eq(try_open(), 0);
	ck_assert_str_eq(thaw_catalog_file(cat), fixture_path);
	ck_assert_int_eq(stat(fixture_path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	(void)snprintf(lock, sizeof(lock), "%s-wal", fixture_path);
	ck_assert_int_eq(stat(lock, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	(void)snprintf(lock, sizeof(lock), "%s.lock", fixture_path);
	ck_assert_int_eq(stat(lock, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	(void)snprintf(lock, sizeof(lock), "%s/a/b", fixture_dir);
	ck_assert_int_eq(stat(lock, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0700);
	cat = thaw_catalog_close(cat);
	ck_assert_int_eq(unlink(fixture_path), 0);
	strcat(fixture_path, ".lock");
	ck_assert_int_eq(unlink(fixture_path), 0);
	ck_assert_int_eq(rmdir(lock), 0);
	(void)snprintf(lock, sizeof(lock), "%s/a", fixture_dir);
	ck_assert_int_eq(rmdir(lock), 0);
	fixture_dir_teardown();
}
END_TEST

/* A daemon that has the catalog; killed by the caller. */
static pid_t start_holder(bool stopping)
{
	int pipes[2];
	char byte = 0;
	pid_t child;

	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	child = fork();
	if (!child) {
		if (thaw_catalog_open(fixture_path, &cat, NULL))
			_exit(1);
		if (stopping)
			thaw_catalog_stopping(cat);
		if (write(pipes[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(pipes[1]);
	ck_assert_int_eq(read(pipes[0], &byte, 1), 1);
	close(pipes[0]);
	return child;
}

static void end_holder(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
}

START_TEST(second_daemon)
{
	char pid[32];
	pid_t child;

	fixture_dir_setup();
	child = start_holder(false);
	ck_assert_int_eq(try_open(), -EBUSY);
	(void)snprintf(pid, sizeof(pid), "pid %ld)", (long)child);
	ck_assert_msg(strstr(err.text, pid) != NULL, "%s", err.text);
	end_holder(child);
	ck_assert_int_eq(try_open(), 0);
	cat = thaw_catalog_close(cat);
	fixture_dir_teardown();
}
END_TEST

static void *end_later(void *arg)
{
	/* Longer than a daemon that does not say it is stopping is waited for. */
	(void)nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 500 * THAW_NS_PER_MS }, NULL);
	kill(*(const pid_t *)arg, SIGKILL);
	return NULL;
}

START_TEST(stopping_daemon_is_waited_for)
{
	pthread_t thread;
	pid_t child;

	fixture_dir_setup();
	child = start_holder(true);
	ck_assert_int_eq(thaw_thread_start(&thread, "end", end_later, &child), 0);
	ck_assert_int_eq(try_open(), 0);
	pthread_join(thread, NULL);
	end_holder(child);
	cat = thaw_catalog_close(cat);
	fixture_dir_teardown();
}
END_TEST

START_TEST(meta)
{
	char *value;

	ck_assert_int_eq(thaw_catalog_meta_get(cat, "cache.uuid", &value), -ENOENT);
	ck_assert_int_eq(thaw_catalog_meta_set(cat, "cache.uuid", "one"), 0);
	ck_assert_int_eq(thaw_catalog_meta_set(cat, "cache.uuid", "two"), 0);
	fixture_reopen();
	ck_assert_int_eq(thaw_catalog_meta_get(cat, "cache.uuid", &value), 0);
	ck_assert_str_eq(value, "two");
	free(value);
}
END_TEST

static void expect_damaged(void)
{
	ck_assert_int_eq(try_open(), -EUCLEAN);
	ck_assert_msg(strstr(err.text, "import again") != NULL, "%s", err.text);
	fixture_dir_teardown();
}

START_TEST(damaged_empty)
{
	make_sound();
	ck_assert_int_eq(truncate(fixture_path, 0), 0);
	expect_damaged();
}
END_TEST

START_TEST(damaged_cut)
{
	static const off_t keep[] = { 1, 99, 100, 512, 4096, 8192, -4096, -1 };

	make_sound();
	ck_assert_int_eq(truncate(fixture_path,
				  keep[_i] > 0 ? keep[_i] : file_size() + keep[_i]), 0);
	expect_damaged();
}
END_TEST

START_TEST(damaged_zeroed)
{
	char zeros[4096] = { 0 };
	off_t size;

	make_sound();
	size = file_size();
	for (off_t off = _i ? 4096 : 0; off < size; off += 4096)
		write_at(off, zeros, sizeof(zeros));
	expect_damaged();
}
END_TEST

/* One page in the middle: found because the file is small enough to be read whole. */
START_TEST(damaged_page)
{
	char junk[4096];

	memset(junk, 0xa5, sizeof(junk));
	make_sound();
	write_at(file_size() / 4096 / 2 * 4096, junk, sizeof(junk));
	expect_damaged();
}
END_TEST

START_TEST(damaged_garbage)
{
	char junk[10000];
	FILE *f;

	fixture_dir_setup();
	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (char)(i * 7919 >> 3);
	f = fopen(fixture_path, "we");
	ck_assert_uint_eq(fwrite(junk, 1, sizeof(junk), f), sizeof(junk));
	fclose(f);
	expect_damaged();
}
END_TEST

START_TEST(other_database)
{
	fixture_dir_setup();
	run_sql("CREATE TABLE t(a); PRAGMA user_version = 3;");
	ck_assert_int_eq(try_open(), -EUCLEAN);
	ck_assert_ptr_nonnull(strstr(err.text, "not a catalog"));
	fixture_dir_teardown();
}
END_TEST

/* It says it has been through all steps but has no tables. */
START_TEST(tables_missing)
{
	char text[128];

	fixture_dir_setup();
	(void)snprintf(text, sizeof(text),
		       "PRAGMA application_id = %d; PRAGMA user_version = %zu;",
		       THAW_CATALOG_APPLICATION_ID, thaw_schema_step_count);
	run_sql(text);
	expect_damaged();
}
END_TEST

START_TEST(log_without_file)
{
	char wal[128];
	FILE *f;

	fixture_dir_setup();
	(void)snprintf(wal, sizeof(wal), "%s-wal", fixture_path);
	f = fopen(wal, "we");
	fputs("frames", f);
	fclose(f);
	expect_damaged();
}
END_TEST

START_TEST(unfinished_new)
{
	char name[128];
	FILE *f;

	fixture_dir_setup();
	(void)snprintf(name, sizeof(name), "%s.new", fixture_path);
	f = fopen(name, "we");
	fputs("half of a file", f);
	fclose(f);
	ck_assert_int_eq(try_open(), 0);
	cat = thaw_catalog_close(cat);
	fixture_dir_teardown();
}
END_TEST

START_TEST(newer_version)
{
	char text[64];
	off_t size;

	make_sound();
	(void)snprintf(text, sizeof(text), "PRAGMA user_version = %zu", thaw_schema_step_count + 1);
	run_sql(text);
	size = file_size();
	ck_assert_int_eq(try_open(), -EPROTO);
	ck_assert_int_eq(file_size(), size);
	fixture_dir_teardown();
}
END_TEST

/* A file that has our id and nothing else yet. */
START_TEST(version_0)
{
	char text[64];

	fixture_dir_setup();
	(void)snprintf(text, sizeof(text), "PRAGMA application_id = %d",
		       THAW_CATALOG_APPLICATION_ID);
	run_sql(text);
	ck_assert_int_eq(try_open(), 0);
	check_catalog();
	cat = thaw_catalog_close(cat);
	fixture_dir_teardown();
}
END_TEST

/* A file that stopped at an older version, with rows in it. */
START_TEST(older_version)
{
	char text[128];
	struct thaw_node node;

	fixture_dir_setup();
	(void)snprintf(text, sizeof(text), "PRAGMA application_id = %d; PRAGMA user_version = 1;",
		       THAW_CATALOG_APPLICATION_ID);
	run_sql(thaw_schema_steps[0]);
	run_sql(text);
	run_sql("INSERT INTO meta VALUES ('kept', 'yes');"
		"UPDATE counters SET value = 77 WHERE name = 'next_node';");
	ck_assert_int_eq(try_open(), 0);
	ck_assert_int_eq(thaw_catalog_node(cat, 1, &node), 0);
	ck_assert_uint_eq(cat->next.node, 77);
	ck_assert(!thaw_catalog_has_pins(cat));
	check_catalog();
	cat = thaw_catalog_close(cat);
	fixture_dir_teardown();
}
END_TEST

/* A step that fails leaves the file as it was. */
START_TEST(failing_step)
{
	static const char *const steps[] = { NULL, NULL, NULL, "CREATE TABLE extra(a) STRICT" };
	static const char *const good[] = { NULL, NULL, NULL,
					    "CREATE TABLE extra(a INTEGER) STRICT;"
					    "INSERT INTO extra SELECT count(*) FROM nodes" };
	int64_t n;

	ck_assert_uint_eq(thaw_schema_step_count, 3);
	ck_assert_int_ne(thaw_schema_migrate(cat->rw, steps, 4, NULL), 0);
	ck_assert_int_eq(thaw_sql_exec_value(cat->rw, "PRAGMA user_version", &n), 0);
	ck_assert_int_eq(n, 3);
	ck_assert_int_eq(thaw_schema_migrate(cat->rw, good, 4, NULL), 0);
	ck_assert_int_eq(thaw_sql_exec_value(cat->rw, "SELECT a FROM extra", &n), 0);
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(thaw_sql_exec_value(cat->rw, "PRAGMA user_version", &n), 0);
	ck_assert_int_eq(n, 4);
}
END_TEST

START_TEST(check_finds)
{
	static const char *const harm[] = {
		"UPDATE nodes SET nlink = 7 WHERE type = 1",
		"UPDATE collections SET files = files + 1",
		"DELETE FROM objects",
		"INSERT INTO residency VALUES (99, 1, 1, 1, 1, 1, 0)",
		"UPDATE counters SET value = 5 WHERE name = 'resident_bytes'",
		"UPDATE counters SET value = 2 WHERE name = 'next_node'",
	};

	FILL(root, file_entry("a", "1", 10), dir_entry("d"));
	check_catalog();
	ck_assert_int_eq(thaw_sql_exec(cat->rw, harm[_i]), 0);
	ck_assert_int_eq(thaw_catalog_check(cat, &err), -EUCLEAN);
	ck_assert_uint_ne(strlen(err.text), 0);
	cat = thaw_catalog_close(cat);
	fixture_dir_teardown();
}
END_TEST

static TCase *with_catalog(void)
{
	TCase *tc = tcase_create("catalog");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_test(tc, meta);
	tcase_add_test(tc, failing_step);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("catalog_open");
	TCase *tc = tcase_create("files");
	TCase *harmed = tcase_create("harmed");

	tcase_add_test(tc, new_one);
	tcase_add_test(tc, second_daemon);
	tcase_add_test(tc, stopping_daemon_is_waited_for);
	tcase_add_test(tc, damaged_empty);
	tcase_add_loop_test(tc, damaged_cut, 0, 8);
	tcase_add_loop_test(tc, damaged_zeroed, 0, 2);
	tcase_add_test(tc, damaged_page);
	tcase_add_test(tc, damaged_garbage);
	tcase_add_test(tc, other_database);
	tcase_add_test(tc, tables_missing);
	tcase_add_test(tc, log_without_file);
	tcase_add_test(tc, unfinished_new);
	tcase_add_test(tc, newer_version);
	tcase_add_test(tc, version_0);
	tcase_add_test(tc, older_version);
	suite_add_tcase(suite, tc);
	suite_add_tcase(suite, with_catalog());
	tcase_add_checked_fixture(harmed, fixture_setup, NULL);
	tcase_add_loop_test(harmed, check_finds, 0, 6);
	suite_add_tcase(suite, harmed);
	return run_tests(suite);
}
