/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a configuration file and a directory, as a daemon would begin. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

static struct rig rig;
static struct thaw_conf *loaded;

static void write_file(const char *name, const char *text, uint64_t size, uint64_t seed)
{
	char path[400], *data = malloc(size + 1);
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", rig.dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_ptr_nonnull(data);
	if (text)
		memcpy(data, text, size);
	else
		thaw_archive_mem_pattern(seed, 0, data, size);
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	ck_assert_int_eq(close(fd), 0);
	free(data);
}

static void make_dir(const char *name)
{
	char path[400];

	(void)snprintf(path, sizeof(path), "%s/%s", rig.dir, name);
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void begin(void)
{
	static const char *const no_options[] = {NULL};
	char text[2000], path[400], mount[400];
	struct thaw_err err = {""};

	rig_init(&rig, false);
	thaw_archive_close(rig.mem);
	rig.mem = NULL;
	make_dir("archive");
	make_dir("archive/news");
	make_dir("archive/news/1845");
	make_dir("mnt");
	write_file("archive/news/1845/page1", NULL, 300000, 1);
	write_file("archive/news/1845/page2", NULL, 0, 2);
	write_file("archive/elsewhere", NULL, 10, 3);
	(void)snprintf(text, sizeof(text),
		       "[daemon]\ncatalog = %s\nsocket = %s/sock\nworkers = 3\n"
		       "[cache]\npath = %s\nsize = 16M\nchunk = 64K\n"
		       "[archive vault]\ntype = posix\npath = %s/archive\n"
		       "[collection papers]\narchive = vault\nprefix = news/\npath = /papers\n",
		       rig.catalog, rig.dir, rig.cache, rig.dir);
	write_file("test.conf", text, strlen(text), 0);
	(void)snprintf(path, sizeof(path), "%s/test.conf", rig.dir);
	(void)snprintf(mount, sizeof(mount), "%s/mnt", rig.dir);
	ck_assert_msg(thaw_conf_load(path, mount, no_options, &loaded, &err) == 0, "%s", err.text);
	rig.conf = *loaded;
	rig_start(&rig);
}

static void end(void)
{
	audit(&rig);
	rig_drop(&rig);
	thaw_conf_free(loaded);
}

START_TEST(a_directory)
{
	struct thaw_node node;

	begin();
	ck_assert_int_eq(rig_look(&rig, "papers/elsewhere", &node), -ENOENT);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "papers/1845/page1"), 0, 300000, 1),
			 0);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "papers/1845/page2"), 0, 0, 2), 0);
	rig_restart(&rig);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "papers/1845/page1"),
				      THAW_OPEN_NONBLOCK, 300000, 1),
			 0);
	end();
}
END_TEST

START_TEST(changed_and_removed)
{
	char path[400];
	uint64_t before;
	struct thaw_obj *obj;

	begin();
	before = rig_node(&rig, "papers/1845/page1");
	write_file("archive/news/1845/page1", NULL, 5000, 9);
	ck_assert_int_eq(open_wait(rig.stage, before, 0, &obj), -ESTALE);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "papers/1845/page1"), 0, 5000, 9),
			 0);
	(void)snprintf(path, sizeof(path), "%s/archive/news/1845/page2", rig.dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(open_wait(rig.stage, rig_node(&rig, "papers/1845/page2"), 0, &obj), -EIO);
	ck_assert_int_eq(rig_state(&rig, "papers/1845/page2"), THAW_STATE_LOST);
	end();
}
END_TEST

/* An archive that is away: what is staged stays, and nothing is said to be lost. */
START_TEST(archive_away)
{
	char path[400], aside[400];
	struct thaw_node node;
	struct thaw_import_progress p;

	begin();
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "papers/1845/page1"), 0, 300000, 1),
			 0);
	(void)snprintf(path, sizeof(path), "%s/archive", rig.dir);
	(void)snprintf(aside, sizeof(aside), "%s/aside", rig.dir);
	ck_assert_int_eq(rename(path, aside), 0);
	p = rig_import(&rig, "/", false);
	ck_assert_uint_gt(p.errors, 0);
	ck_assert_uint_eq(p.lost, 0);
	ck_assert_int_eq(rig_look(&rig, "papers/1845/page2", &node), 0);
	ck_assert(!node.lost);
	ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, "papers/1845/page1"), 0, 300000, 1),
			 0);
	ck_assert_int_eq(rename(aside, path), 0);
	ck_assert_uint_eq(rig_import(&rig, "/", false).errors, 0);
	end();
}
END_TEST

RUN_TESTS("stage/posix", a_directory, changed_and_removed, archive_away)
