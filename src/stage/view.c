/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stage/view.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "catalog/object.h"
#include "catalog/pin.h"
#include "catalog/request.h"
#include "stage/impl.h"

static const char *const state_names[] = {
	[THAW_STATE_ONLINE] = "online",       [THAW_STATE_OFFLINE] = "offline",
	[THAW_STATE_QUEUED] = "queued",       [THAW_STATE_RECALLING] = "recalling",
	[THAW_STATE_FETCHING] = "fetching",   [THAW_STATE_PARTIAL] = "partial",
	[THAW_STATE_FAILED] = "failed",       [THAW_STATE_LOST] = "lost",
};

const char *thaw_state_name(enum thaw_state state)
{
	return state_names[state];
}

static enum thaw_state state_of_flight(const struct flight *flight)
{
	switch (flight->state) {
	case FLIGHT_SPACE:
	case FLIGHT_PREPARE:
		return THAW_STATE_QUEUED;
	case FLIGHT_RECALL:
		return THAW_STATE_RECALLING;
	case FLIGHT_RUN:
	case FLIGHT_FINISH:
		break;
	}
	return THAW_STATE_FETCHING;
}

/* What goes on in memory.  False: nothing; the catalog knows. */
static bool live_state(struct thaw_stage *stage, uint64_t node, enum thaw_state *ret,
		       uint64_t *ret_bytes)
{
	struct thaw_obj *obj;
	bool found;

	thaw_mutex_lock(&stage->lock);
	HASH_FIND(hh, stage->objects, &node, sizeof(node), obj);
	found = obj && obj->flight;
	if (found) {
		*ret = state_of_flight(obj->flight);
		*ret_bytes = obj->flight->part ? thaw_part_filled(obj->flight->part) : 0;
	}
	thaw_mutex_unlock(&stage->lock);
	return found;
}

/* What was read a moment ago may not be in the catalog yet, for some milliseconds. */
static void let_settle(struct thaw_stage *stage, uint64_t node)
{
	struct thaw_obj *obj;
	bool settling;

	thaw_mutex_lock(&stage->lock);
	HASH_FIND(hh, stage->objects, &node, sizeof(node), obj);
	settling = obj && obj->settling;
	thaw_mutex_unlock(&stage->lock);
	if (settling)
		stage_durable_wait(stage);
}

static int file_state(struct thaw_stage *stage, const struct thaw_node *node,
		      enum thaw_state *ret, uint64_t *ret_bytes)
{
	char id[THAW_REQUEST_ID_TEXT];
	struct thaw_object object;
	int r;

	*ret_bytes = 0;
	let_settle(stage, node->id);
	if (live_state(stage, node->id, ret, ret_bytes))
		return 0;
	r = thaw_catalog_object(stage->catalog, node->object, &object);
	if (r < 0)
		return r;
	if (object.residency == THAW_RES_RESIDENT)
		*ret_bytes = object.size; /* of a lost file too, until it is evicted */
	if (node->lost || object.lost) {
		*ret = THAW_STATE_LOST;
	} else if (object.residency == THAW_RES_RESIDENT) {
		*ret = THAW_STATE_ONLINE;
	} else if (object.verify_failed || object.error) {
		*ret = THAW_STATE_FAILED;
	} else if (thaw_catalog_request_of(stage->catalog, node->id, id) == 0) {
		*ret = THAW_STATE_QUEUED;
	} else {
		*ret = THAW_STATE_OFFLINE;
	}
	return 0;
}

static enum thaw_state sum_state(const struct thaw_tree_sum *sum)
{
	if (sum->unlisted_dirs)
		return sum->resident_files ? THAW_STATE_PARTIAL : THAW_STATE_OFFLINE;
	if (sum->resident_files == sum->files) /* an empty tree lacks nothing */
		return THAW_STATE_ONLINE;
	return sum->resident_files ? THAW_STATE_PARTIAL : THAW_STATE_OFFLINE;
}

int thaw_stage_state(struct thaw_stage *stage, const struct thaw_node *node, enum thaw_state *ret)
{
	struct thaw_tree_sum sum;
	uint64_t bytes;
	int r;

	switch (node->type) {
	case THAW_TYPE_FILE:
		return file_state(stage, node, ret, &bytes);
	case THAW_TYPE_SYMLINK:
		*ret = node->lost ? THAW_STATE_LOST : THAW_STATE_ONLINE;
		return 0;
	case THAW_TYPE_DIR:
		break;
	}
	if (node->lost) {
		*ret = THAW_STATE_LOST;
		return 0;
	}
	stage_durable_wait(stage);
	r = thaw_catalog_sum_state(stage->catalog, node->id, &sum);
	if (r == 0)
		*ret = sum_state(&sum);
	return r;
}

static int add_pin(struct thaw_stage *stage, uint64_t node, struct thaw_view *view)
{
	struct thaw_pin pin;
	int r;

	if (!thaw_catalog_has_pins(stage->catalog))
		return 0;
	r = thaw_catalog_pin_of(stage->catalog, node, thaw_clock_real_s(), &pin);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	view->pinned = true;
	view->pin_expires = pin.expires;
	return 0;
}

static int dir_view(struct thaw_stage *stage, const struct thaw_node *node, struct thaw_view *view)
{
	struct thaw_tree_sum sum;
	int r;

	stage_durable_wait(stage);
	r = thaw_catalog_sum(stage->catalog, node->id, &sum);
	if (r < 0)
		return r;
	view->state = node->lost ? THAW_STATE_LOST : sum_state(&sum);
	view->size = sum.bytes;
	view->cached_bytes = sum.resident_bytes;
	view->files = sum.files;
	view->online_files = sum.resident_files;
	return 0;
}

int thaw_stage_view(struct thaw_stage *stage, const struct thaw_node *node, struct thaw_view *ret)
{
	struct thaw_view view = { .state = THAW_STATE_ONLINE, .size = node->size };
	int r = 0;

	if (node->type == THAW_TYPE_DIR) {
		r = dir_view(stage, node, &view);
	} else if (node->type == THAW_TYPE_FILE) {
		view.files = 1;
		r = file_state(stage, node, &view.state, &view.cached_bytes);
		view.online_files = view.state == THAW_STATE_ONLINE;
	} else if (node->lost) {
		view.state = THAW_STATE_LOST;
	}
	if (r == 0)
		r = add_pin(stage, node->id, &view);
	if (r == 0)
		*ret = view;
	return r;
}
