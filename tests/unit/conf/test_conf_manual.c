/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * thawfs.conf(5) must name every key, under its section, with the default that
 * the table has; and no key that is not there.
 */
#include <stdio.h>

#include "base/buf.h"
#include "conf/conf_table.h"
#include "scratch.h"

static char *manual;

static void read_manual(void)
{
	const char *root = getenv("THAW_SOURCE_DIR");
	char path[512], part[4096];
	struct thaw_buf text;
	size_t len;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/man/thawfs.conf.5.scd", root ? root : ".");
	file = fopen(path, "re");
	ck_assert_msg(file, "%s: not there; is THAW_SOURCE_DIR set?", path);
	thaw_buf_init(&text, 1 << 20);
	while ((len = fread(part, 1, sizeof(part), file)) > 0)
		thaw_buf_add(&text, part, len);
	(void)fclose(file);
	manual = thaw_buf_steal(&text);
}

static void forget_manual(void)
{
	free(manual);
}

/* The heading under which a section's keys stand. */
static const char *heading(const char *section)
{
	static const char *const headings[][2] = {
		{"daemon", "\n# THE [daemon] SECTION\n"},
		{"cache", "\n# THE [cache] SECTION\n"},
		{"archive", "\n# [archive NAME] SECTIONS\n"},
		{"archive posix", "\n## Type posix\n"},
		{"archive s3", "\n## Type s3\n"},
		{"collection", "\n# [collection NAME] SECTIONS\n"},
	};

	for (size_t i = 0; i < COUNT(headings); i++) {
		if (strcmp(headings[i][0], section) == 0)
			return headings[i][1];
	}
	return NULL;
}

/* The text from the section's heading to the next heading. */
static char *part_of(const char *section)
{
	const char *begin = strstr(manual, heading(section)), *end;

	ck_assert_msg(begin, "the manual has no part for [%s]", section);
	begin = strchr(begin + 1, '\n');
	end = strstr(begin, "\n#");
	return end ? strndup(begin, (size_t)(end - begin)) : strdup(begin);
}

static void is_described(void *ctx, const char *section, const char *key, const char *type,
			 const char *deflt, const char *help)
{
	char entry[128];
	char *part;

	(void)ctx, (void)type, (void)help;
	if (!heading(section)) /* options: thawfs(8) has them */
		return;
	part = part_of(section);
	(void)snprintf(entry, sizeof(entry), "\n*%s* = ", key);
	ck_assert_msg(strstr(part, entry), "the manual does not describe %s of [%s]", key, section);
	(void)snprintf(entry, sizeof(entry), "Default: %s.", deflt);
	if (thaw_conf_key_find(section, key)->deflt)
		ck_assert_msg(strstr(strstr(part, key), entry),
			      "%s of [%s]: the manual lacks \"%s\"", key, section, entry);
	free(part);
}

START_TEST(every_key_is_described)
{
	thaw_conf_each_key(is_described, NULL);
}
END_TEST

START_TEST(no_other_key_is_described)
{
	for (const char *at = manual; (at = strstr(at, "\n*"));) {
		size_t len = strcspn(at + 2, "*");
		bool known = false;

		for (size_t i = 0; i < thaw_conf_key_count; i++)
			known |= strlen(thaw_conf_keys[i].key) == len &&
				 strncmp(thaw_conf_keys[i].key, at + 2, len) == 0;
		ck_assert_msg(known || strncmp(at + 2 + len, "* = ", 4) != 0,
			      "there is no key %.*s", (int)len, at + 2);
		at += 2 + len;
	}
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, read_manual, forget_manual);
	tcase_add_test(tcase, every_key_is_described);
	tcase_add_test(tcase, no_other_key_is_described);
}

int main(void)
{
	return scratch_run("conf_manual", add);
}
