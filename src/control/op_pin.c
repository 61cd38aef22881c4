/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * op_pin.c - pin, unpin, pins.
 *
 * One pin stands on a node, so setting or clearing it is for its owner (and
 * root): the pins there are, are looked through once for each request.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/units.h"
#include "control/op.h"
#include "control/wire.h"
#include "stage/admin.h"

#define PATH_TEXT_MAX (64 * 1024)

struct pins {
	struct thaw_pin *list; /* by node */
	size_t count, room, next;
	int64_t expires;   /* pin: what is asked */
	const char *label; /* borrowed from the request */
};

void thaw_op_pin_release(struct thaw_job *job)
{
	struct pins *pins = job->state;

	if (pins)
		free(pins->list);
	free(pins);
}

static int collect(void *ctx, const struct thaw_pin *pin)
{
	struct pins *pins = ctx;
	size_t room = pins->room ? pins->room * 2 : 16;
	struct thaw_pin *list;

	if (pins->count == pins->room) {
		list = reallocarray(pins->list, room, sizeof(*list));
		if (!list)
			return -ENOMEM;
		pins->list = list;
		pins->room = room;
	}
	pins->list[pins->count++] = *pin;
	return 0;
}

static int by_node(const void *a, const void *b)
{
	const struct thaw_pin *x = a, *y = b;

	return (x->node > y->node) - (x->node < y->node);
}

static int load(struct thaw_job *job, struct pins **ret)
{
	struct pins *pins = calloc(1, sizeof(*pins));
	int rc;

	if (!pins)
		return -ENOMEM;
	job->state = pins; /* released with the job */
	rc = thaw_stage_pins(job->session->stage, collect, pins);
	if (rc)
		return rc;
	if (pins->count)
		qsort(pins->list, pins->count, sizeof(*pins->list), by_node);
	*ret = pins;
	return 0;
}

static const struct thaw_pin *pin_on(const struct pins *pins, uint64_t node)
{
	struct thaw_pin key = {.node = node};

	return pins->count ? bsearch(&key, pins->list, pins->count, sizeof(key), by_node) : NULL;
}

static const char *until_text(char text[THAW_INSTANT_TEXT], int64_t expires)
{
	return expires == THAW_PIN_FOREVER ? "for ever" : thaw_format_instant(text, expires);
}

static int may_change(struct thaw_job *job, const struct thaw_pin *pin)
{
	char until[THAW_INSTANT_TEXT];

	if (!pin || thaw_peer_owns(&job->session->peer, pin->owner))
		return 0;
	return thaw_err_set(&job->err, -EPERM,
			    "uid %" PRIu32 " pinned it (%s); only they and root may change that",
			    pin->owner, until_text(until, pin->expires));
}

/* "for" or "until", neither: for ever. */
static int read_expiry(struct thaw_job *job, int64_t *ret)
{
	bool for_given = json_object_get(job->req, "for"),
	     until_given = json_object_get(job->req, "until");
	int64_t now = thaw_clock_real_s(), expires = THAW_PIN_FOREVER;
	uint64_t seconds = 0;
	int rc;

	if (for_given && until_given)
		return thaw_err_set(&job->err, -EINVAL, "\"for\" and \"until\" exclude each other");
	rc = thaw_param_u64(job, for_given ? "for" : "until", &seconds);
	if (rc)
		return rc;
	if (for_given && __builtin_add_overflow(now, (int64_t)seconds, &expires))
		expires = THAW_PIN_FOREVER;
	if (until_given)
		expires = (int64_t)seconds;
	if (expires <= now)
		return thaw_err_set(&job->err, -EINVAL, "the pin would end before it begins");
	*ret = expires;
	return 0;
}

static int pin_one(struct thaw_job *job, const struct thaw_node *node, json_t *item)
{
	struct thaw_session *session = job->session;
	const struct pins *pins = job->state;
	char id[THAW_REQUEST_ID_TEXT] = "";
	int rc = may_change(job, pin_on(pins, node->id));

	if (rc)
		return rc;
	rc = thaw_stage_pin(session->stage, node->id, session->peer.uid, pins->expires, pins->label,
			    id, &job->err);
	if (rc)
		return rc;
	if (id[0])
		(void)json_object_set_new(item, "requestId", json_string(id));
	return 1;
}

int thaw_op_pin_start(struct thaw_job *job)
{
	const char *label = "";
	struct pins *pins;
	int64_t expires = THAW_PIN_FOREVER;
	int rc = read_expiry(job, &expires);

	if (!rc)
		rc = thaw_param_text(job, "label", &label);
	if (!rc && strlen(label) >= THAW_PIN_LABEL_MAX)
		rc = thaw_err_set(&job->err, -EINVAL, "a label has at most %d bytes",
				  THAW_PIN_LABEL_MAX - 1);
	if (!rc)
		rc = load(job, &pins);
	if (rc)
		return rc;
	pins->expires = expires;
	pins->label = label;
	return thaw_targets_start(job, THAW_MAY_READ, pin_one, thaw_targets_reply);
}

static int unpin_one(struct thaw_job *job, const struct thaw_node *node, json_t *item)
{
	int rc = may_change(job, pin_on(job->state, node->id));

	(void)item;
	if (!rc)
		rc = thaw_stage_unpin(job->session->stage, node->id);
	if (rc == -ENODATA || rc == -ENOENT)
		return thaw_err_set(&job->err, -ENODATA, "no pin stands on it");
	return rc;
}

int thaw_op_unpin_start(struct thaw_job *job)
{
	struct pins *pins;
	int rc = load(job, &pins);

	return rc ? rc : thaw_targets_start(job, 0, unpin_one, thaw_targets_reply);
}

static json_t *pin_item(const struct thaw_pin *pin, const struct thaw_buf *path)
{
	json_t *item = json_pack("{s:I, s:I}", "owner", (json_int_t)pin->owner, "created",
				 (json_int_t)pin->created);

	if (!item)
		return NULL;
	(void)json_object_set_new(item, "expires",
				  pin->expires == THAW_PIN_FOREVER ? json_null()
								   : json_integer(pin->expires));
	(void)thaw_wire_set(item, "label", pin->label, strlen(pin->label));
	if (thaw_wire_set(item, "path", path->data, path->len)) {
		json_decref(item);
		return NULL;
	}
	return item;
}

int thaw_op_pins_start(struct thaw_job *job)
{
	struct pins *pins;
	int rc = load(job, &pins);

	return rc ? rc : THAW_STEP_MORE;
}

/* One's own always; those of others where one could have seen them. */
int thaw_op_pins_step(struct thaw_job *job)
{
	struct thaw_session *session = job->session;
	struct pins *pins = job->state;
	const struct thaw_pin *pin;
	struct thaw_buf path;

	if (pins->next == pins->count) {
		thaw_reply_ok(session, json_object());
		return THAW_STEP_DONE;
	}
	pin = &pins->list[pins->next++];
	thaw_buf_init(&path, PATH_TEXT_MAX);
	if (thaw_stage_path(session->stage, pin->node, &path) == 0 &&
	    (thaw_peer_owns(&session->peer, pin->owner) ||
	     thaw_session_reaches(session, path.data, path.len)))
		thaw_reply_item(session, pin_item(pin, &path));
	thaw_buf_release(&path);
	return THAW_STEP_MORE;
}
