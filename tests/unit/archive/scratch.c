/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/conf.h"

#define NOBODY 65534

char scratch[64];
int scratch_fd = -1;

/* --- directory ------------------------------------------------------------------------- */

static void empty(int dir)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d))) {
		int sub;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0)
			continue;
		if (fchmodat(dirfd(d), e->d_name, 0700, 0) < 0)
			continue;
		sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sub >= 0)
			empty(sub);
		(void)unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	(void)closedir(d);
}

void scratch_make(void)
{
	(void)snprintf(scratch, sizeof(scratch), "/tmp/thaw-archive-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch));
	ck_assert_int_eq(chmod(scratch, 0755), 0);
	scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(scratch_fd, 0);
}

void scratch_remove(void)
{
	int fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		empty(fd);
	(void)close(scratch_fd);
	(void)rmdir(scratch);
}

const char *in_scratch(const char *path)
{
	static char texts[8][PATH_MAX];
	static unsigned next;
	char *text = texts[next++ % 8];

	(void)snprintf(text, PATH_MAX, "%s/%s", scratch, path);
	return text;
}

void put_file(const char *path, const void *data, size_t len)
{
	int fd = openat(scratch_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	ck_assert_int_eq(close(fd), 0);
}

void put_text(const char *path, const char *text)
{
	put_file(path, text, strlen(text));
}

void put_dir(const char *path)
{
	ck_assert_msg(mkdirat(scratch_fd, path, 0755) == 0, "%s: %s", path, strerror(errno));
}

/* --- archives -------------------------------------------------------------------------- */

static int open_pairs(struct thaw_archive **ret, struct thaw_err *err, const char *type, va_list ap)
{
	struct thaw_conf_pair pairs[16];
	struct thaw_conf_archive conf = {.pairs = pairs, .connections = 1, .line = 3};
	const char *key;
	int rc;

	conf.name = strdup("a");
	conf.type = strdup(type);
	while ((key = va_arg(ap, const char *))) {
		ck_assert_uint_lt(conf.pair_count, 16);
		pairs[conf.pair_count].key = strdup(key);
		pairs[conf.pair_count].value = strdup(va_arg(ap, const char *));
		pairs[conf.pair_count].line = 10 + (unsigned)conf.pair_count;
		conf.pair_count++;
	}
	rc = thaw_archive_open(&conf, ret, err);
	for (size_t i = 0; i < conf.pair_count; i++) {
		free(pairs[i].key);
		free(pairs[i].value);
	}
	free(conf.name);
	free(conf.type);
	return rc;
}

int try_archive(struct thaw_archive **ret, struct thaw_err *err, const char *type, ...)
{
	va_list ap;
	int rc;

	va_start(ap, type);
	rc = open_pairs(ret, err, type, ap);
	va_end(ap);
	return rc;
}

struct thaw_archive *open_archive(const char *type, ...)
{
	struct thaw_archive *ar = NULL;
	struct thaw_err err = {""};
	va_list ap;
	int rc;

	va_start(ap, type);
	rc = open_pairs(&ar, &err, type, ap);
	va_end(ap);
	ck_assert_msg(rc == 0, "%d %s", rc, err.text);
	return ar;
}

struct thaw_archive *open_scratch(void)
{
	return open_archive("posix", "path", scratch, NULL);
}

/* --- listing --------------------------------------------------------------------------- */

static char *copy_text(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

int list_into(void *ctx, const struct thaw_entry *entry)
{
	struct listed *listed = ctx;
	struct item *item = &listed->items[listed->n++];

	ck_assert_uint_lt(listed->n, 4096);
	item->entry = *entry;
	item->name = copy_text(entry->name, entry->name_len);
	item->entry.name = item->name;
	ck_assert_uint_eq(strlen(item->name), entry->name_len);
	if (entry->target) {
		item->target = copy_text(entry->target, entry->target_len);
		item->entry.target = item->target;
	}
	return 0;
}

struct listed *list_dir(struct thaw_archive *ar, const char *key)
{
	struct listed *listed = calloc(1, sizeof(*listed));
	struct thaw_err err = {""};
	const struct thaw_call call = {.err = &err};
	int rc = thaw_archive_list(ar, thaw_key_of(key), list_into, listed, &call);

	ck_assert_msg(rc == 0, "list %s: %d %s", key, rc, err.text);
	return listed;
}

struct listed *listed_free(struct listed *listed)
{
	for (size_t i = 0; i < listed->n; i++) {
		free(listed->items[i].name);
		free(listed->items[i].target);
	}
	free(listed);
	return NULL;
}

const struct thaw_entry *listed_find(const struct listed *listed, const char *name)
{
	for (size_t i = 0; i < listed->n; i++) {
		if (strcmp(listed->items[i].name, name) == 0)
			return &listed->items[i].entry;
	}
	return NULL;
}

static int ignore(void *ctx, const struct thaw_entry *entry)
{
	(void)ctx;
	(void)entry;
	return 0;
}

int list_code(struct thaw_archive *ar, const char *key, struct thaw_err *err)
{
	const struct thaw_call call = {.err = err};

	return thaw_archive_list(ar, thaw_key_of(key), ignore, NULL, &call);
}

struct thaw_entry stat_key(struct thaw_archive *ar, const char *key)
{
	struct thaw_entry entry = {0};
	struct thaw_err err = {""};
	const struct thaw_call call = {.err = &err};
	int rc = thaw_archive_stat(ar, thaw_key_of(key), &entry, &call);

	ck_assert_msg(rc == 0, "stat %s: %d %s", key, rc, err.text);
	return entry;
}

/* --- transfers ------------------------------------------------------------------------- */

int take(void *ctx, uint64_t off, const void *data, size_t len)
{
	struct taken *taken = ctx;

	(void)off;
	if (taken->len + len > taken->room) {
		taken->room = 2 * (taken->len + len);
		taken->data = realloc(taken->data, taken->room);
	}
	memcpy(taken->data + taken->len, data, len);
	taken->len += len;
	taken->calls++;
	return 0;
}

void taken_release(struct taken *taken)
{
	free(taken->data);
	*taken = (struct taken){0};
}

int get_all(struct thaw_archive *ar, const char *key, struct taken *taken, struct thaw_err *err)
{
	const struct thaw_call call = {.err = err};
	struct thaw_entry entry = {0};
	int rc;

	taken_release(taken);
	rc = thaw_archive_stat(ar, thaw_key_of(key), &entry, &call);
	if (rc)
		return rc;
	return thaw_archive_get(ar, thaw_key_of(key), &entry.tag, 0, entry.size, take, taken,
				&call);
}

/* --- privileges ------------------------------------------------------------------------ */

bool is_root(void)
{
	return geteuid() == 0;
}

bool private_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	/* the old descriptor leads to the tree outside of the namespace */
	(void)close(scratch_fd);
	scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(scratch_fd, 0);
	return true;
}

void as_nobody(void (*fn)(void))
{
	pid_t pid;
	int status;

	if (!is_root()) {
		fn();
		return;
	}
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
			_exit(99);
		fn();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %#x",
		      (unsigned)status);
}

/* --- suites ---------------------------------------------------------------------------- */

Suite *suite_of(const char *name, const char *case_name, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create(case_name);

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	return suite;
}

int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
