/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_table.c - every key there is.  The manual, --help and the parsers all
 * follow from here; a test holds thawfs.conf(5) against it.
 */
#include "conf/conf_table.h"

#include <string.h>
#include <syslog.h>

#include "conf/conf.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define PIB (1024 * 1024 * GIB)
#define DAY 86400

#define ROW(section_, key_, option_, type_, offset_, help_, ...)                                \
	{                                                                                       \
		.section = section_, .key = key_, .option = option_, .type = THAW_CONF_##type_, \
		.offset = offset_, .help = help_, __VA_ARGS__                                   \
	}
#define IN_CONF(section, key, option, type, field, ...) \
	ROW(section, key, option, type, offsetof(struct thaw_conf, field), __VA_ARGS__)

/* Daemon and mount keys are options under their own name. */
#define DAEMON(key, ...)        IN_CONF("daemon", key, key, __VA_ARGS__)
#define MOUNT(key, ...)         IN_CONF("mount", key, key, __VA_ARGS__)
#define CACHE(key, option, ...) IN_CONF("cache", key, option, __VA_ARGS__)
#define ARCHIVE(key, option, type, field, ...)                                                    \
	ROW("archive", key, option, type, offsetof(struct thaw_conf_archive, field), __VA_ARGS__, \
	    .scope = THAW_CONF_NO_FILE)
#define POSIX(key, option, type, ...)                                            \
	ROW("archive posix", key, option, type, THAW_CONF_NO_FIELD, __VA_ARGS__, \
	    .scope = THAW_CONF_NO_FILE)
#define S3(key, option, type, ...)                                            \
	ROW("archive s3", key, option, type, THAW_CONF_NO_FIELD, __VA_ARGS__, \
	    .scope = THAW_CONF_S3_ONLY)
#define COLLECTION(key, option, type, field, ...)                                          \
	ROW("collection", key, option, type, offsetof(struct thaw_conf_collection, field), \
	    __VA_ARGS__, .scope = THAW_CONF_NO_FILE)

#define DEFAULT(text)     .deflt = (text)
#define OTHERWISE(text)   .deflt_help = (text) /* a default that is no value */
#define WORDS(list)       .words = (list)
#define RANGE(min_, max_) .min = (min_), .max = (max_)

static const struct thaw_conf_word level_words[] = {
	{"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
	{"info", LOG_INFO}, {"debug", LOG_DEBUG},     {NULL, 0},
};

static const struct thaw_conf_word policy_words[] = {
	{"lru", THAW_EVICT_LRU},
	{"fifo", THAW_EVICT_FIFO},
	{"random", THAW_EVICT_RANDOM},
	{"order", THAW_EVICT_ORDER},
	{NULL, 0},
};

static const struct thaw_conf_word offline_words[] = {
	{"block", THAW_OFFLINE_BLOCK},
	{"eagain", THAW_OFFLINE_EAGAIN},
	{"queue", THAW_OFFLINE_QUEUE},
	{"eacces", THAW_OFFLINE_EACCES},
	{NULL, 0},
};

static const struct thaw_conf_word tristate_words[] = {
	{"auto", THAW_AUTO},
	{"on", THAW_ON},
	{"off", THAW_OFF},
	{NULL, 0},
};

/* Of keys that backends read, only the words count. */
static const struct thaw_conf_word type_words[] = {
	{"posix", 0}, {"s3", 0}, {"command", 0}, {"fault", 0}, {"mem", 0}, {NULL, 0},
};
static const struct thaw_conf_word version_words[] = {{"ctime", 0}, {"mtime", 0}, {NULL, 0}};
static const struct thaw_conf_word signature_words[] = {{"v4", 0}, {"v2", 0}, {NULL, 0}};
static const struct thaw_conf_word addressing_words[] = {
	{"auto", 0},
	{"path", 0},
	{"virtual", 0},
	{NULL, 0},
};
static const struct thaw_conf_word tier_words[] = {
	{"standard", 0},
	{"bulk", 0},
	{"expedited", 0},
	{NULL, 0},
};

const struct thaw_conf_key thaw_conf_keys[] = {
	/* clang-format off */
	DAEMON("catalog", PATH, catalog, "the catalog, an SQLite file",
	       OTHERWISE("/var/lib/thawfs/NAME.db")),
	DAEMON("socket", PATH, socket, "where thaw(1) finds the daemon",
	       OTHERWISE("/run/thawfs/NAME.sock")),
	DAEMON("metrics", HOSTPORT, metrics, "HOST:PORT that serves Prometheus metrics",
	       OTHERWISE("off")),
	DAEMON("workers", UINT, workers, "transfers at once, all archives together",
	       DEFAULT("8"), RANGE(1, 256)),
	DAEMON("import_workers", UINT, import_workers, "directories an import lists at once",
	       DEFAULT("8"), RANGE(1, 256)),
	DAEMON("log_level", ENUM, log_level, "least important message to log",
	       DEFAULT("info"), WORDS(level_words)),

	CACHE("path", "cache", PATH, cache_path, "directory of the staged files, on flash",
	      OTHERWISE("/var/cache/thawfs/NAME")),
	CACHE("size", "cache_size", SIZE, cache_size, "most bytes it may hold",
	      DEFAULT("10G"), RANGE(16 * MIB, 1024 * PIB)),
	CACHE("high", "high", PERCENT, high, "share of size at which eviction starts",
	      DEFAULT("95%"), RANGE(1, 100)),
	CACHE("low", "low", PERCENT, low, "share of size at which eviction stops",
	      DEFAULT("90%"), RANGE(0, 99)),
	CACHE("policy", "policy", ENUM, policy, "what is evicted first",
	      DEFAULT("lru"), WORDS(policy_words)),
	CACHE("stream_min", "stream_min", SIZE, stream_min,
	      "files at least this large are read while they arrive",
	      DEFAULT("256M"), RANGE(0, 1024 * PIB)),
	CACHE("chunk", "chunk", SIZE, chunk, "bytes of one transfer of a large file",
	      DEFAULT("8M"), RANGE(64 * KIB, GIB)),
	CACHE("space_wait", "space_wait", DURATION, space_wait,
	      "how long an open waits for room in the cache",
	      DEFAULT("60s"), RANGE(0, 7 * DAY)),

	MOUNT("ro", BOOL, ro, "mount read-only: no pins through setfattr", DEFAULT("no")),
	MOUNT("allow_other", BOOL, allow_other, "let other users in", DEFAULT("no")),
	MOUNT("on_offline", ENUM, on_offline, "what an open of an offline file does",
	      DEFAULT("block"), WORDS(offline_words)),
	MOUNT("io_uring", ENUM, io_uring, "talk to the kernel through io_uring",
	      DEFAULT("auto"), WORDS(tristate_words)),
	MOUNT("passthrough", ENUM, passthrough, "let the kernel read staged files itself",
	      DEFAULT("auto"), WORDS(tristate_words)),

	ARCHIVE("type", NULL, WORD, type, "kind of store",
		OTHERWISE("required"), WORDS(type_words)),
	ARCHIVE("connections", "connections", UINT, connections, "most transfers from it at once",
		DEFAULT("16"), RANGE(1, 1024)),

	POSIX("path", NULL, PATH, "directory that holds the archive", OTHERWISE("required")),
	POSIX("version", "version", ENUM, "the time that tells a changed file",
	      OTHERWISE("ctime"), WORDS(version_words)),

	S3("endpoint", "endpoint", STRING, "URL of the service", OTHERWISE("AWS, from region")),
	S3("bucket", NULL, STRING, "the bucket", OTHERWISE("required")),
	S3("prefix", NULL, PREFIX, "put before every key of this archive", OTHERWISE("none")),
	S3("region", "region", STRING, "region that requests are signed for",
	   OTHERWISE("us-east-1")),
	S3("signature", "signature", ENUM, "v2 is for old gateways",
	   OTHERWISE("v4"), WORDS(signature_words)),
	S3("addressing", "addressing", ENUM, "bucket in the path or in the host name",
	   OTHERWISE("auto"), WORDS(addressing_words)),
	S3("credentials", "credentials", PATH, "AWS shared-credentials file",
	   OTHERWISE("none: requests are not signed")),
	S3("profile", "profile", STRING, "section of the credentials file", OTHERWISE("default")),
	S3("ca_file", "ca_file", PATH, "certificates that the endpoint is checked with",
	   OTHERWISE("the system's")),
	S3("restore_tier", "restore_tier", ENUM, "how fast, and dear, a restore is",
	   OTHERWISE("standard"), WORDS(tier_words)),
	S3("restore_days", "restore_days", UINT, "how long a restored copy stays online",
	   OTHERWISE("7"), RANGE(1, 365)),

	COLLECTION("archive", NULL, ARCHIVES, archives, "archives that hold it, best first",
		   OTHERWISE("required")),
	COLLECTION("prefix", NULL, PREFIX, prefix, "part of the archive that is shown",
		   OTHERWISE("all of it")),
	COLLECTION("path", NULL, PLACE, path, "where it stands under the mount",
		   OTHERWISE("/NAME")),
	COLLECTION("fixity", "fixity", FIXITY, fixity, "where digests come from", DEFAULT("none")),
	COLLECTION("on_offline", NULL, ENUM, on_offline, "what an open of an offline file does",
		   OTHERWISE("as -o on_offline"), WORDS(offline_words)),
	COLLECTION("quota", "quota", SIZE, quota, "most bytes of it in the cache; 0: no limit",
		   DEFAULT("0"), RANGE(0, 1024 * PIB)),
	COLLECTION("uid", "uid", ID, uid, "owner of everything in it, a number",
		   OTHERWISE("as archived"), RANGE(0, UINT32_MAX - 1)),
	COLLECTION("gid", "gid", ID, gid, "group of everything in it, a number",
		   OTHERWISE("as archived"), RANGE(0, UINT32_MAX - 1)),
	COLLECTION("mode", "mode", MODE, mode, "permissions of its files, in octal",
		   OTHERWISE("as archived"), RANGE(0, 0777)),
	/* clang-format on */
};

const size_t thaw_conf_key_count = sizeof(thaw_conf_keys) / sizeof(thaw_conf_keys[0]);

const struct thaw_conf_key *thaw_conf_key_find(const char *section, const char *key)
{
	for (size_t i = 0; i < thaw_conf_key_count; i++) {
		if (strcmp(thaw_conf_keys[i].section, section) == 0 &&
		    strcmp(thaw_conf_keys[i].key, key) == 0)
			return &thaw_conf_keys[i];
	}
	return NULL;
}

const struct thaw_conf_key *thaw_conf_key_option(const char *option)
{
	for (size_t i = 0; i < thaw_conf_key_count; i++) {
		if (thaw_conf_keys[i].option && strcmp(thaw_conf_keys[i].option, option) == 0)
			return &thaw_conf_keys[i];
	}
	return NULL;
}

const char *thaw_conf_type_name(enum thaw_conf_type type)
{
	static const char *const names[] = {
		[THAW_CONF_SIZE] = "size",       [THAW_CONF_DURATION] = "duration",
		[THAW_CONF_PERCENT] = "percent", [THAW_CONF_UINT] = "number",
		[THAW_CONF_ID] = "number",       [THAW_CONF_MODE] = "mode",
		[THAW_CONF_BOOL] = "yes or no",  [THAW_CONF_ENUM] = "word",
		[THAW_CONF_PATH] = "path",       [THAW_CONF_STRING] = "text",
		[THAW_CONF_WORD] = "word",       [THAW_CONF_HOSTPORT] = "address",
		[THAW_CONF_PLACE] = "path",      [THAW_CONF_PREFIX] = "prefix",
		[THAW_CONF_FIXITY] = "word",     [THAW_CONF_ARCHIVES] = "names",
	};

	return names[type];
}

static const char *shown_default(const struct thaw_conf_key *key)
{
	return key->deflt ? key->deflt : key->deflt_help;
}

void thaw_conf_each_key(void (*fn)(void *ctx, const char *section, const char *key,
				   const char *type, const char *deflt, const char *help),
			void *ctx)
{
	for (size_t i = 0; i < thaw_conf_key_count; i++) {
		const struct thaw_conf_key *key = &thaw_conf_keys[i];

		fn(ctx, key->section, key->key, thaw_conf_type_name(key->type), shown_default(key),
		   key->help);
	}
}

void thaw_conf_each_option(void (*fn)(void *ctx, const char *option, const char *type,
				      const char *deflt, const char *help),
			   void *ctx)
{
	for (size_t i = 0; i < thaw_conf_key_count; i++) {
		const struct thaw_conf_key *key = &thaw_conf_keys[i];

		if (key->option)
			fn(ctx, key->option, thaw_conf_type_name(key->type), shown_default(key),
			   key->help);
	}
}
