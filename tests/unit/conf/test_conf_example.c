/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * etc/thawfs.conf must load: as it is, and with every setting that it shows
 * but leaves out.
 */
#include <ctype.h>
#include <stdio.h>

#include "base/buf.h"
#include "scratch.h"

#define SECRET "/etc/thawfs/nb.credentials"

/* ";key" and ";[section" come in; "; words" and "# words" stay out. */
static const char *in_force(const char *line)
{
	return line[0] == ';' && (isalpha((unsigned char)line[1]) || line[1] == '[') ? line + 1
										     : line;
}

static char *read_example(bool all)
{
	const char *root = getenv("THAW_SOURCE_DIR");
	char path[512], line[512];
	struct thaw_buf text;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/etc/thawfs.conf", root ? root : ".");
	file = fopen(path, "re");
	ck_assert_msg(file, "%s: not there; is THAW_SOURCE_DIR set?", path);
	thaw_buf_init(&text, 65536);
	while (fgets(line, sizeof(line), file)) {
		const char *out = all ? in_force(line) : line;
		const char *secret = strstr(out, SECRET);

		if (secret)
			thaw_buf_addf(&text, "%.*s@/key%s", (int)(secret - out), out,
				      secret + strlen(SECRET));
		else
			thaw_buf_adds(&text, out);
	}
	(void)fclose(file);
	return thaw_buf_steal(&text);
}

static void load(bool all)
{
	char *text = read_example(all);
	int rc;

	scratch_touch("@/key", 0600);
	rc = scratch_load_file(text, NULL);
	ck_assert_msg(rc == 0, "%s", scratch_err.text);
	free(text);
}

START_TEST(as_it_is)
{
	load(false);
	ck_assert_uint_eq(scratch_conf->archive_count, 1);
	ck_assert_uint_eq(scratch_conf->collection_count, 1);
}
END_TEST

START_TEST(with_all_that_it_shows)
{
	load(true);
	ck_assert_uint_eq(scratch_conf->archive_count, 2);
	ck_assert_uint_eq(scratch_conf->collection_count, 2);
	ck_assert_str_eq(scratch_conf->metrics, "127.0.0.1:9469");
	ck_assert_uint_eq(thaw_conf_archive_named(scratch_conf, "nb-tape")->connections, 64);
	ck_assert_int_eq(scratch_conf->collections[1].mode, 0444);
}
END_TEST

static void has(void *ctx, const char *section, const char *key, const char *type,
		const char *deflt, const char *help)
{
	char wanted[64];

	(void)type, (void)deflt, (void)help;
	(void)snprintf(wanted, sizeof(wanted), "\n%s = ", key);
	if (strcmp(section, "mount") != 0)
		ck_assert_msg(strstr(ctx, wanted), "the example does not show %s of [%s]", key,
			      section);
}

START_TEST(it_shows_every_key)
{
	char *text = read_example(true);

	thaw_conf_each_key(has, text);
	free(text);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, as_it_is);
	tcase_add_test(tcase, with_all_that_it_shows);
	tcase_add_test(tcase, it_shows_every_key);
}

int main(void)
{
	return scratch_run("conf_example", add);
}
