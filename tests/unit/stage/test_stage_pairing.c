/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cache belongs to one catalog, and a catalog to one cache. */
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

static struct rig rig;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void stage_one(void)
{
	rig_init(&rig, false);
	rig_put(&rig, "f", 5000, 1);
	rig_start(&rig);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "f"), 0, 5000, 1), 0);
	rig_await_idle(&rig);
	ck_assert_uint_gt(rig_space(&rig).resident, 0);
	rig_stop(&rig);
}

START_TEST(anothers_cache_is_refused)
{
	struct thaw_err err = {""};
	char *own, other[400];

	stage_one();
	own = rig.conf.catalog;
	(void)snprintf(other, sizeof(other), "%s/other.db", rig.dir);
	rig.conf.catalog = other;
	ck_assert_int_eq(rig_open(&rig, &err), -EBUSY);
	ck_assert_ptr_nonnull(strstr(err.text, own));
	ck_assert_ptr_nonnull(strstr(err.text, rig.cache));
	rig.conf.catalog = own; /* and nothing was touched */
	rig_start(&rig);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "f"), THAW_OPEN_NONBLOCK, 5000, 1),
			 0);
	rig_end(&rig);
}
END_TEST

START_TEST(cache_taken_away)
{
	stage_one();
	ck_assert_int_eq(nftw(rig.cache, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
	rig_start(&rig);
	ck_assert_uint_eq(rig_space(&rig).resident, 0);
	ck_assert_int_eq(rig_state(&rig, "f"), THAW_STATE_OFFLINE);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "f"), 0, 5000, 1), 0);
	rig_end(&rig);
}
END_TEST

/* The catalog is gone: what is in the cache belongs to nobody, and is given up. */
START_TEST(catalog_taken_away)
{
	char path[400];

	stage_one();
	ck_assert_int_eq(unlink(rig.catalog), 0);
	(void)snprintf(path, sizeof(path), "%s-wal", rig.catalog);
	(void)unlink(path);
	rig_start(&rig);
	ck_assert_uint_eq(rig_space(&rig).resident, 0);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "f"), 0, 5000, 1), 0);
	rig_end(&rig);
}
END_TEST

START_TEST(another_cache_directory)
{
	char *own, other[400];

	stage_one();
	own = rig.conf.cache_path;
	(void)snprintf(other, sizeof(other), "%s/cache2", rig.dir);
	rig.conf.cache_path = other;
	rig_start(&rig);
	ck_assert_int_eq(rig_state(&rig, "f"), THAW_STATE_OFFLINE);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "f"), 0, 5000, 1), 0);
	rig_stop(&rig);
	/* Back again: the old one is not trusted any more. */
	rig.conf.cache_path = own;
	rig_start(&rig);
	ck_assert_int_eq(rig_state(&rig, "f"), THAW_STATE_OFFLINE);
	rig_end(&rig);
}
END_TEST

START_TEST(in_use)
{
	struct thaw_stage *stage, *second = NULL;
	struct thaw_err err = {""};

	rig_init(&rig, false);
	rig_put(&rig, "f", 1, 1);
	rig_start(&rig);
	stage = rig.stage;
	ck_assert_int_eq(thaw_stage_open_all(&rig.conf, &second, &err), -EBUSY);
	ck_assert_ptr_null(second);
	ck_assert(err.text[0]);
	rig.stage = stage;
	rig_end(&rig);
}
END_TEST

/* A smaller cache than before: what is too much leaves. */
START_TEST(made_smaller)
{
	rig_init(&rig, false);
	rig_put_many(&rig, "d", 10, 1 * MIB);
	rig_start(&rig);
	for (int i = 0; i < 10; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "d/f%03d", i);
		ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, path), 0, 1 * MIB,
					      1000 + (uint64_t)i),
				 0);
	}
	rig_await_idle(&rig);
	rig_stop(&rig);
	rig.conf.cache_size = 5 * MIB;
	rig_start(&rig);
	rig_await(rig_used(&rig) <= 5 * MIB);
	rig_await_idle(&rig);
	audit(&rig);
	ck_assert_uint_gt(rig_status(&rig).resident_files, 1);
	rig_end(&rig);
}
END_TEST

RUN_TESTS("stage/pairing", anothers_cache_is_refused, cache_taken_away, catalog_taken_away,
	  another_cache_directory, in_use, made_smaller)
