/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xattr.c - the user.thaw.* attributes: one table of names, and for each how
 * its value is made.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <thaw/xattr_names.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/units.h"
#include "catalog/object.h"
#include "stage/admin.h"
#include "stage/impl.h"
#include "stage/view.h"

#define VALUE_MAX 256

struct subject {
	struct thaw_stage *stage;
	struct thaw_node node;
	struct thaw_object object; /* files; else all 0 */
};

static int get_state(struct subject *s, struct thaw_buf *value)
{
	enum thaw_state state;
	int r = thaw_stage_state(s->stage, &s->node, &state);

	return r < 0 ? r : thaw_buf_adds(value, thaw_state_name(state));
}

static int get_pin(struct subject *s, struct thaw_buf *value)
{
	char text[THAW_INSTANT_TEXT];
	struct thaw_pin pin;
	int r = thaw_catalog_pin_of(s->stage->catalog, s->node.id, thaw_clock_real_s(), &pin);

	if (r == -ENOENT)
		return thaw_buf_adds(value, "none");
	if (r < 0)
		return r;
	if (pin.expires == THAW_PIN_FOREVER)
		return thaw_buf_adds(value, "forever");
	return thaw_buf_adds(value, thaw_format_instant(text, pin.expires));
}

static int get_stage(struct subject *s, struct thaw_buf *value)
{
	char id[THAW_REQUEST_ID_TEXT];
	int r = thaw_catalog_request_of(s->stage->catalog, s->node.id, id);

	if (r == -ENOENT)
		return thaw_buf_adds(value, "none");
	return r < 0 ? r : thaw_buf_adds(value, id);
}

static int get_cached_bytes(struct subject *s, struct thaw_buf *value)
{
	struct thaw_view view;
	int r = thaw_stage_view(s->stage, &s->node, &view);

	return r < 0 ? r : thaw_buf_addf(value, "%llu", (unsigned long long)view.cached_bytes);
}

static int get_socket(struct subject *s, struct thaw_buf *value)
{
	return thaw_buf_adds(value, s->stage->conf->socket);
}

static int get_version(struct subject *s, struct thaw_buf *value)
{
	return s->object.id ? thaw_buf_addf(value, "%u", s->object.version) : -ENODATA;
}

static int get_digest(struct subject *s, struct thaw_buf *value, enum thaw_digest_alg alg)
{
	char hex[2 * THAW_DIGEST_MAX + 1];

	if (!(s->object.digests & 1u << alg))
		return -ENODATA;
	return thaw_buf_adds(value, thaw_hex(hex, s->object.digest[alg], thaw_digest_size(alg)));
}

static int get_sha256(struct subject *s, struct thaw_buf *value)
{
	return get_digest(s, value, THAW_SHA256);
}

static int get_sha512(struct subject *s, struct thaw_buf *value)
{
	return get_digest(s, value, THAW_SHA512);
}

static int get_md5(struct subject *s, struct thaw_buf *value)
{
	return get_digest(s, value, THAW_MD5);
}

static int get_digest_source(struct subject *s, struct thaw_buf *value)
{
	return s->object.digests ? thaw_buf_adds(value, s->object.digest_source) : -ENODATA;
}

static int get_verified(struct subject *s, struct thaw_buf *value)
{
	char text[THAW_INSTANT_TEXT];

	if (!s->object.id)
		return -ENODATA;
	if (!s->object.verified_at)
		return thaw_buf_adds(value, "never");
	return thaw_buf_addf(value, "%s %s", thaw_format_instant(text, s->object.verified_at),
			     s->object.verify_failed ? "FAILED" : "ok");
}

static int get_error(struct subject *s, struct thaw_buf *value)
{
	if (!s->object.error)
		return -ENODATA;
	return thaw_buf_addf(value, "%s: %s", thaw_err_name(-s->object.error),
			     strerror(-s->object.error));
}

static int get_hits(struct subject *s, struct thaw_buf *value)
{
	if (!s->object.id)
		return -ENODATA;
	return thaw_buf_addf(value, "%llu", (unsigned long long)s->object.hits);
}

static int get_location(struct subject *s, struct thaw_buf *value)
{
	const struct stage_collection *c = stage_collection_of(s->stage, s->node.collection);
	int r = 0;

	if (!s->object.id || !c)
		return -ENODATA;
	for (size_t i = 0; i < c->copy_count && r == 0; i++)
		r = thaw_buf_addf(value, "%scopy=%zu archive=%s", i ? "\n" : "", i + 1,
				  c->copies[i]->conf->name);
	return r;
}

static const struct attribute {
	const char *name;
	int (*get)(struct subject *s, struct thaw_buf *value);
} attributes[] = {
	{ "state", get_state },
	{ "pin", get_pin },
	{ "stage", get_stage },
	{ "cached_bytes", get_cached_bytes },
	{ "socket", get_socket },
	{ "version", get_version },
	{ "sha256", get_sha256 },
	{ "sha512", get_sha512 },
	{ "md5", get_md5 },
	{ "digest.source", get_digest_source },
	{ "verified", get_verified },
	{ "error", get_error },
	{ "hits", get_hits },
	{ "location", get_location },
};
#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

static int look_at(struct thaw_stage *stage, uint64_t id, struct subject *ret)
{
	int r;

	*ret = (struct subject){ .stage = stage };
	r = thaw_stage_node(stage, id, &ret->node);
	if (r == 0 && ret->node.type == THAW_TYPE_FILE)
		r = thaw_catalog_object(stage->catalog, ret->node.object, &ret->object);
	return r;
}

int thaw_stage_xattr_get(struct thaw_stage *stage, uint64_t node, const char *name,
			 struct thaw_buf *value)
{
	struct subject s;
	int r;

	for (size_t i = 0; i < ATTRIBUTES; i++) {
		if (strcmp(attributes[i].name, name) != 0)
			continue;
		r = look_at(stage, node, &s);
		return r < 0 ? r : attributes[i].get(&s, value);
	}
	return -ENODATA;
}

/* Making the value tells; but for those that always have one and are dear to make. */
static bool has_value(struct subject *s, const struct attribute *attribute)
{
	struct thaw_buf value;
	int r;

	if (attribute->get == get_state || attribute->get == get_cached_bytes)
		return true;
	thaw_buf_init(&value, 4096);
	r = attribute->get(s, &value);
	thaw_buf_release(&value);
	return r == 0;
}

int thaw_stage_xattr_list(struct thaw_stage *stage, uint64_t node,
			  void (*fn)(void *ctx, const char *name), void *ctx)
{
	char full[64];
	struct subject s;
	int r = look_at(stage, node, &s);

	for (size_t i = 0; i < ATTRIBUTES && r == 0; i++) {
		if (!has_value(&s, &attributes[i]))
			continue;
		snprintf(full, sizeof(full), THAW_XATTR_PREFIX "%s", attributes[i].name);
		fn(ctx, full);
	}
	return r;
}

/* ---- setting ---- */

/* "7d", an instant, "forever"; "0" takes it away (*ret_expires 0). */
static int parse_pin(const char *text, int64_t *ret_expires)
{
	int64_t value, now = thaw_clock_real_s();

	if (strcmp(text, "0") == 0 || strcmp(text, "none") == 0) {
		*ret_expires = 0;
		return 0;
	}
	if (strcmp(text, "forever") == 0) {
		*ret_expires = THAW_PIN_FOREVER;
		return 0;
	}
	if (thaw_parse_duration(text, &value) == 0 && value > 0) {
		if (__builtin_add_overflow(now, value, ret_expires))
			*ret_expires = THAW_PIN_FOREVER;
		return 0;
	}
	if (thaw_parse_instant(text, &value) == 0 && value > now) {
		*ret_expires = value;
		return 0;
	}
	return -EINVAL;
}

static int set_pin(struct thaw_stage *stage, uint64_t node, const char *text, uint32_t uid)
{
	char id[THAW_REQUEST_ID_TEXT];
	int64_t expires;
	int r = parse_pin(text, &expires);

	if (r < 0)
		return r;
	if (expires)
		return thaw_stage_pin(stage, node, uid, expires, "", id, NULL);
	r = thaw_stage_unpin(stage, node);
	return r == -ENODATA ? 0 : r; /* idempotent */
}

static int set_stage(struct thaw_stage *stage, uint64_t node, const char *text, uint32_t uid)
{
	char id[THAW_REQUEST_ID_TEXT];
	int r;

	if (strcmp(text, "1") == 0) {
		/* Asking twice is asking once. */
		r = thaw_catalog_request_of(stage->catalog, node, id);
		return r == -ENOENT ? thaw_stage_request(stage, uid, &node, 1, id, NULL) : r;
	}
	if (strcmp(text, "cancel") != 0 && strcmp(text, "0") != 0)
		return -EINVAL;
	r = thaw_catalog_request_of(stage->catalog, node, id);
	if (r == 0)
		r = thaw_stage_request_cancel(stage, id);
	return r == -ENOENT ? 0 : r;
}

int thaw_stage_xattr_set(struct thaw_stage *stage, uint64_t node, const char *name,
			 const char *value, size_t len, uint32_t uid)
{
	char text[VALUE_MAX];

	/* setfattr and shells hand over a newline or a NUL now and then. */
	while (len && (value[len - 1] == '\n' || value[len - 1] == '\0'))
		len--;
	if (len >= sizeof(text) || memchr(value, '\0', len))
		return -EINVAL;
	memcpy(text, value, len);
	text[len] = '\0';
	if (strcmp(name, "pin") == 0)
		return set_pin(stage, node, text, uid);
	if (strcmp(name, "stage") == 0)
		return set_stage(stage, node, text, uid);
	for (size_t i = 0; i < ATTRIBUTES; i++)
		if (strcmp(attributes[i].name, name) == 0)
			return -EPERM;
	return -ENODATA;
}

int thaw_stage_xattr_remove(struct thaw_stage *stage, uint64_t node, const char *name, uint32_t uid)
{
	(void)uid;
	if (strcmp(name, "pin") == 0)
		return thaw_stage_unpin(stage, node);
	if (strcmp(name, "stage") == 0)
		return set_stage(stage, node, "cancel", uid);
	for (size_t i = 0; i < ATTRIBUTES; i++)
		if (strcmp(attributes[i].name, name) == 0)
			return -EPERM;
	return -ENODATA;
}
