/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scratch.h - a directory to try configurations in: src/, mnt/ and cache/, and
 * HOME set to it.
 */
#ifndef TESTS_UNIT_CONF_SCRATCH_H
#define TESTS_UNIT_CONF_SCRATCH_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "conf/conf.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Of the test that runs. */
extern char *scratch_dir;              /* absolute, free of links */
extern struct thaw_conf *scratch_conf; /* of the last load that worked */
extern struct thaw_err scratch_err;    /* of the last one that did not */

void scratch_make(void);
void scratch_remove(void);

/* "@" stands for scratch_dir in all texts below.  The result is good until the
 * next call but three. */
const char *scratch_path(const char *text);
/* Writes @/t.conf. */
void scratch_write(const char *content);
/* A file with this mode. */
void scratch_touch(const char *path, unsigned mode);

/* Loads SOURCE for @/mnt; options: one -o string or NULL. */
int scratch_load(const char *source, const char *options);
/* Writes @/t.conf and loads it. */
int scratch_load_file(const char *content, const char *options);

static inline int scratch_run(const char *name, void (*add)(TCase *tcase))
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
	add(tcase);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
