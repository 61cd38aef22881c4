/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that are wrong: each gives -EINVAL and one line that names file and
 * line, what is wrong, and how to mend it.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "scratch.h"

#define A     "[archive a]\ntype = mem\n"
#define C     "[collection c]\narchive = a\n"
#define S3    "[archive a]\ntype = s3\nbucket = b\n"
#define X64   "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X256  X64 X64 X64 X64
#define X2048 X256 X256 X256 X256 X256 X256 X256 X256
#define X8192 X2048 X2048 X2048 X2048

static const struct {
	const char *content;
	const char *message; /* behind "FILE:" */
} wrong[] = {
	/* lines */
	{"size = 1G\n", "1: \"size\" stands before the first [section]"},
	{"\n\n[cache]\nsize\n", "4: is neither key = value nor a [section]"},
	{"[cache]\n= 5\n", "2: there is no key before the '='"},
	{"[cache]\nsize: 5G\n", "2: is neither key = value"},
	{"[cache]\npath = /" X8192 "\n", "2: is longer than "},
	{"[cache]\nlow: 5 = 5\nbad\n", "2: is neither key = value"},

	/* sections */
	{"[cache\n", "1: a section is written [like this]"},
	{"[cache] x\n", "1: a section is written [like this]"},
	{"[]\n", "1: there is no section []"},
	{"[cash]\n", "1: there is no section [cash]; did you mean [cache]?"},
	{"[archives x]\n", "did you mean [archive]?"},
	{"[mount]\n", "1: there is no section [mount]; there are [daemon], [cache]"},
	{"[cache big]\n", "1: [cache] takes no name"},
	{"[archive]\n", "1: [archive] needs a name, as in [archive one]"},
	{"[archive a b]\n", "1: [archive a b]: a name has"},
	{"[collection \xc3\xa5]\n", "1: [collection \\303\\245]: a name has"},
	{"[collection " X64 "x]\n", "a name has 1 to 64"},
	{A A, "3: [archive a] is there already, on line 1"},
	{A C "\n" C, "6: [collection c] is there already, on line 3"},

	/* keys */
	{"[cache]\nsise = 1G\n", "2: [cache] has no key \"sise\"; did you mean \"size\"?"},
	{"[cache]\ncolour = red\n", "2: [cache] has no key \"colour\"; thawfs.conf(5)"},
	{"[daemon]\n\033[2J = 1\n", "2: [daemon] has no key \"\\033[2J\""},
	{"[cache]\nsize = 1G\n[daemon]\n[cache]\nsize = 2G\n", "5: size is set already, on line 2"},
	{A "connections = 1\nconnections = 2\n" C, "4: connections is set already, on line 3"},
	{S3 "bucket = c\n" C, "4: bucket is set already, on line 3"},
	{A C "archive = a\n", "5: archive is set already, on line 4"},
	{A C "uid = 0  gid = 0  gid = 1\n", "5: gid is set already, on line 5"},
	{A C "uid = 0  gid == 1\n", "5: gid = = 1: is not a whole number"},

	/* values */
	{"[cache]\nsize =\n", "2: size = : has no value"},
	{"[cache]\nsize = big\n", "2: size = big: is not a size; write 500G"},
	{"[cache]\nsize = 0\n", "2: size = 0: must be between 16M and 1024P"},
	{"[cache]\nsize = 15M\n", "must be between 16M and 1024P"},
	{"[cache]\nsize = 99999999P\n", "must be between 16M and 1024P"},
	{"[cache]\nchunk = 63K\n", "must be between 64K and 1G"},
	{"[cache]\nchunk = 2G\n", "must be between 64K and 1G"},
	{"[cache]\nhigh = 101%\n", "high = 101%: must be between 1% and 100%"},
	{"[cache]\nhigh = most\n", "is not a share; write 95%"},
	{"[cache]\npolicy = LRU\n", "policy = LRU: must be one of: lru fifo random order"},
	{"[cache]\nspace_wait = 60\n", "space_wait = 60: is not a time; write 90s"},
	{"[cache]\nspace_wait = 8d\n", "must be between 0s and 7d"},
	{"[cache]\npath = cache\n", "path = cache: must be an absolute path"},
	{"[cache]\npath = \"/cache\"\n", "must be an absolute path, without quotes"},
	{"[daemon]\nworkers = 0\n", "must be between 1 and 256"},
	{"[daemon]\nworkers = -1\n", "is not a whole number"},
	{"[daemon]\nworkers = 99999999999999999999\n", "must be between 1 and 256"},
	{"[daemon]\nlog_level = loud\n", "must be one of: error warning notice info debug"},
	{"[daemon]\nmetrics = 9469\n", "is not HOST:PORT; write 127.0.0.1:9469"},
	{"[daemon]\nmetrics = :9469\n", "is not HOST:PORT"},
	{"[daemon]\nmetrics = ::1:9469\n", "is not HOST:PORT"},
	{"[daemon]\nmetrics = http://x:9469/\n", "is not HOST:PORT"},
	{"[daemon]\nmetrics = x:0\n", "has no port between 1 and 65535"},
	{"[daemon]\nmetrics = x:65536\n", "has no port between 1 and 65535"},
	{"[daemon]\nmetrics = x:\n", "has no port"},

	/* shares of the cache */
	{"[cache]\nhigh = 90%\nlow = 90%\n" A C, "3: low: 90% is not below high (90%)"},

	/* archives */
	{"[archive a]\n" C, "1: [archive a] needs a line: type ="},
	{"[archive a]\ntype = ftp\n", "2: type = ftp: must be one of: posix s3 command fault mem"},
	{"[archive a]\ntype = posix\n" C, "1: [archive a] of type posix needs a line: path ="},
	{"[archive a]\ntype = s3\n" C, "1: [archive a] of type s3 needs a line: bucket ="},
	{"[archive a]\ntype = fault\n" C, "1: [archive a] of type fault needs a line: inner ="},
	{"[archive a]\ntype = fault\ninner = posix\n" C, "needs a line: path ="},
	{"[archive a]\ntype = posix\npath = src\n" C, "3: path = src: must be an absolute path"},
	{"[archive a]\ntype = posix\npath = @/src\nversion = 2\n" C,
	 "4: version = 2: must be one of: ctime mtime"},
	{"[archive a]\ntype = posix\npath = @/src\nverson = x\n" C,
	 "4: [archive a] of type posix has no key \"verson\"; did you mean \"version\"?"},
	{"[archive a]\ntype = posix\npath = @/src\nbucket = x\n" C,
	 "4: [archive a] of type posix has no key \"bucket\"; thawfs.conf(5)"},
	{S3 "regoin = x\n" C,
	 "4: [archive a] of type s3 has no key \"regoin\"; did you mean \"region\"?"},
	{S3 "signature = v3\n" C, "must be one of: v4 v2"},
	{S3 "restore_tier = slow\n" C, "must be one of: standard bulk expedited"},
	{S3 "restore_days = 0\n" C, "must be between 1 and 365"},
	{S3 "connections = 0\n" C, "must be between 1 and 1024"},
	{S3 "prefix = /x\n" C, "prefix = /x: must not begin with '/'"},

	/* collections */
	{A, "no [collection NAME]"},
	{"", "no [collection NAME]"},
	{A "[collection c]\n", "3: [collection c] needs a line: archive = NAME"},
	{A "[collection c]\narchive = b\n",
	 "3: [collection c]: there is no [archive b]; did you mean \"a\"?"},
	{A "[collection c]\narchive = vault\n",
	 "3: [collection c]: there is no [archive vault]; add"},
	{A "[collection c]\narchive = a,\n", "\"\" is not a name"},
	{A "[collection c]\narchive = a b\n",
	 "\"a b\" is not a name; write archive = FIRST, SECOND"},
	{A "[collection c]\narchive = a, a\n", "names \"a\" twice"},
	{A "[collection c]\narchive = 1,2,3,4,5,6,7,8,9\n", "names more than 8 archives"},
	{A C "path = c\n", "5: path = c: must begin with '/'"},
	{A C "path = /c/../d\n", "must not have empty, \".\" or \"..\" parts"},
	{A C "path = //\n", "must not have empty"},
	{A C "path = /c//d\n", "must not have empty"},
	{A C "prefix = ../secret\n",
	 "must not begin with '/' nor have empty, \".\" or \"..\" parts"},
	{A C "prefix = x//y\n", "nor have empty"},
	{A C "fixity = crc\n", "must be one of: none etag bagit ocfl manifest:FILE"},
	{A C "fixity = manifest:\n", "manifest:FILE"},
	{A C "on_offline = wait\n", "must be one of: block eagain queue eacces"},
	{A C "quota = -1\n", "is not a size"},
	{A C "uid = root\n", "uid = root: is not a whole number"},
	{A C "uid = 4294967295\n", "must be between 0 and 4294967294"},
	{A C "mode = rw\n", "is not a mode; write it in octal, like 0444"},
	{A C "mode = 1777\n", "must be between 0000 and 0777"},
	{A C "path = /x\n[collection d]\narchive = a\npath = /x/\n",
	 "6: [collection d] and [collection c] both stand at /x"},
	{A C "path = /x\n[collection d]\narchive = a\npath = /x/y\n", "one lies inside the other"},
	{A C "path = /x/y\n[collection d]\narchive = a\npath = /x\n", "one lies inside the other"},
	{A C "[collection d]\narchive = a\npath = /\n", "one lies inside the other"},
};

START_TEST(wrong_files)
{
	int rc = scratch_load_file(wrong[_i].content, NULL);

	ck_assert_msg(rc == -EINVAL, "row %d: code %d, %s", _i, rc, scratch_err.text);
	ck_assert_msg(strstr(scratch_err.text, wrong[_i].message), "row %d: %s", _i,
		      scratch_err.text);
	ck_assert_msg(
		strncmp(scratch_err.text, scratch_path("@/t.conf:"), strlen(scratch_dir) + 8) == 0,
		"row %d: no file: %s", _i, scratch_err.text);
	ck_assert_ptr_null(strchr(scratch_err.text, '\n'));
}
END_TEST

START_TEST(a_nul_byte_is_no_text)
{
	FILE *file = fopen("t.conf", "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite("[cache]\nsize\0= 1G\n", 1, 18, file), 18);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(scratch_load("@/t.conf", NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(scratch_err.text, "t.conf:2: has a NUL byte"));
}
END_TEST

START_TEST(secrets_must_be_kept)
{
	static const unsigned bad[] = {0640, 0604, 0620, 0601, 0644, 0666};
	static const char content[] = S3 "credentials = @/key\n" C;

	for (size_t i = 0; i < COUNT(bad); i++) {
		scratch_touch("@/key", bad[i]);
		ck_assert_int_eq(scratch_load_file(content, NULL), -EINVAL);
		ck_assert_msg(strstr(scratch_err.text, scratch_path("open to others (mode 0")) &&
				      strstr(scratch_err.text, scratch_path("run chmod 600 @/key")),
			      "%s", scratch_err.text);
	}
	scratch_touch("@/key", 0400);
	ck_assert_int_eq(scratch_load_file(content, NULL), 0);
}
END_TEST

START_TEST(secrets_must_be_there)
{
	ck_assert_int_eq(scratch_load_file(S3 "credentials = @/key\n" C, NULL), -ENOENT);
	ck_assert_ptr_nonnull(strstr(scratch_err.text, "t.conf:1: credentials file"));
	ck_assert_int_eq(mkdir("dir", 0700), 0);
	ck_assert_int_eq(scratch_load_file(S3 "credentials = @/dir\n" C, NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(scratch_err.text, "is not a file"));
}
END_TEST

START_TEST(the_first_mistake_is_told)
{
	ck_assert_int_eq(scratch_load_file("[cache]\nbad\nsize = x\n[nonsense]\n", NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(scratch_err.text, "t.conf:2:"));
	ck_assert_int_eq(scratch_load_file("[cache]\nsize = x\nbad\n[nonsense]\n", NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(scratch_err.text, "t.conf:2:"));
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_loop_test(tcase, wrong_files, 0, COUNT(wrong));
	tcase_add_test(tcase, a_nul_byte_is_no_text);
	tcase_add_test(tcase, secrets_must_be_kept);
	tcase_add_test(tcase, secrets_must_be_there);
	tcase_add_test(tcase, the_first_mistake_is_told);
}

int main(void)
{
	return scratch_run("conf_bad_file", add);
}
