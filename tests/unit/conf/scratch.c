/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

#define TEXTS 4

char *scratch_dir;
struct thaw_conf *scratch_conf;
struct thaw_err scratch_err;

static char *texts[TEXTS];

void scratch_make(void)
{
	char template[] = "/tmp/thaw-conf-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(template));
	scratch_dir = realpath(template, NULL);
	ck_assert_int_eq(chmod(scratch_dir, 0755), 0);
	ck_assert_int_eq(chdir(scratch_dir), 0);
	ck_assert_int_eq(mkdir("src", 0755) | mkdir("mnt", 0755) | mkdir("cache", 0755), 0);
	(void)setenv("HOME", scratch_dir, 1);
	(void)unsetenv("XDG_CACHE_HOME");
	(void)unsetenv("XDG_STATE_HOME");
	(void)unsetenv("XDG_RUNTIME_DIR");
}

void scratch_remove(void)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", scratch_dir);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(system(command), 0);
	scratch_conf = thaw_conf_free(scratch_conf);
	for (size_t i = 0; i < TEXTS; i++) {
		free(texts[i]);
		texts[i] = NULL;
	}
	free(scratch_dir);
}

const char *scratch_path(const char *text)
{
	static size_t next;
	char **kept = &texts[next++ % TEXTS];
	struct thaw_buf buf;

	thaw_buf_init(&buf, 1 << 20);
	for (; *text; text++) {
		if (*text == '@')
			thaw_buf_adds(&buf, scratch_dir);
		else
			thaw_buf_add(&buf, text, 1);
	}
	free(*kept);
	*kept = thaw_buf_steal(&buf);
	ck_assert_ptr_nonnull(*kept);
	return *kept;
}

void scratch_write(const char *content)
{
	FILE *file = fopen("t.conf", "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(scratch_path(content), file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

void scratch_touch(const char *path, unsigned mode)
{
	int fd = open(scratch_path(path), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	(void)close(fd);
}

int scratch_load(const char *source, const char *options)
{
	const char *list[] = {options ? scratch_path(options) : NULL, NULL};
	int rc;

	scratch_conf = thaw_conf_free(scratch_conf);
	scratch_err.text[0] = '\0';
	rc = thaw_conf_load(scratch_path(source), scratch_path("@/mnt"), list, &scratch_conf,
			    &scratch_err);
	ck_assert_msg(rc == 0 || (!scratch_conf && scratch_err.text[0]), "failed without a word");
	return rc;
}

int scratch_load_file(const char *content, const char *options)
{
	scratch_write(content);
	return scratch_load("@/t.conf", options);
}
