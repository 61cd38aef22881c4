/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scratch.h - a directory for one test, and what its tests say over and over.
 *
 * Failures end the test at once (ck_assert), so nothing here returns a code.
 * Paths are relative to the scratch directory, which is also the archive's root
 * unless a test says otherwise.
 */
#ifndef TEST_ARCHIVE_SCRATCH_H
#define TEST_ARCHIVE_SCRATCH_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "archive/archive.h"
#include "archive/mem.h"
#include "base/err.h"

extern char scratch[64]; /* absolute path */
extern int scratch_fd;

/* A checked fixture. */
void scratch_make(void);
void scratch_remove(void);

void put_file(const char *path, const void *data, size_t len);
void put_text(const char *path, const char *text);
void put_dir(const char *path);
/* "SCRATCH/path", static, valid until the eighth call after. */
const char *in_scratch(const char *path);

/* An archive from pairs: "path", "/x", ..., NULL.  For what must succeed. */
struct thaw_archive *open_archive(const char *type, ...) __attribute__((sentinel));
int try_archive(struct thaw_archive **ret, struct thaw_err *err, const char *type, ...)
	__attribute__((sentinel));
/* posix over the scratch directory. */
struct thaw_archive *open_scratch(void);

/* --- listing --- */

struct listed {
	size_t n;
	struct item {
		char *name, *target;
		struct thaw_entry entry;
	} items[4096];
};
int list_into(void *ctx, const struct thaw_entry *entry); /* ctx: struct listed */
struct listed *list_dir(struct thaw_archive *ar, const char *key);
struct listed *listed_free(struct listed *listed);
/* NULL when it was not listed. */
const struct thaw_entry *listed_find(const struct listed *listed, const char *name);
/* What list() returns, whatever it lists. */
int list_code(struct thaw_archive *ar, const char *key, struct thaw_err *err);

struct thaw_entry stat_key(struct thaw_archive *ar, const char *key);

/* --- transfers --- */

struct taken {
	uint8_t *data;
	size_t len, room;
	unsigned calls;
};
int take(void *ctx, uint64_t off, const void *data, size_t len); /* ctx: struct taken */
void taken_release(struct taken *taken);
/* A whole file with the tag that stat() gives; its code. */
int get_all(struct thaw_archive *ar, const char *key, struct taken *taken, struct thaw_err *err);

/* Mounts made after this are this process's own and end with it.  False: not
 * allowed here. */
bool private_mounts(void);
/* Runs fn in a child that is no longer root; its ck_asserts count here too. */
void as_nobody(void (*fn)(void));
bool is_root(void);

Suite *suite_of(const char *name, const char *case_name, const TTest *const *tests, size_t n);
int run_suite(Suite *suite);

#define TESTS_OF(list) (list), sizeof(list) / sizeof((list)[0])

#endif
