/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "control/op.h"
#include "control/wire.h"

/* A line that cannot be made ends the conversation: a missing one would let
 * the peer take an item for the answer. */
static void send_line(struct thaw_session *session, json_t *line)
{
	if (line)
		(void)thaw_wire_line(line, &session->out);
	else if (!session->out.error)
		session->out.error = -ENOMEM;
	json_decref(line);
}

void thaw_reply_item(struct thaw_session *session, json_t *item)
{
	send_line(session, item ? json_pack("{s:o}", "item", item) : NULL);
}

void thaw_reply_ok(struct thaw_session *session, json_t *fields)
{
	json_t *line = json_pack("{s:b}", "ok", 1);

	if (line && json_object_update_missing(line, fields)) {
		json_decref(line);
		line = NULL;
	}
	json_decref(fields);
	send_line(session, line);
}

json_t *thaw_reply_error_object(int rc, const char *text)
{
	const char *usual = strerrordesc_np(-rc);

	if (!text[0])
		text = usual ? usual : "unknown error";
	/* s% would need UTF-8, and a text may quote anything */
	json_t *value = json_string(text);

	if (!value)
		value = json_string(usual ? usual : "unknown error");
	return json_pack("{s:s, s:o}", "code", thaw_err_name(rc), "text", value);
}

void thaw_reply_error(struct thaw_session *session, int rc, const char *text)
{
	json_t *error = thaw_reply_error_object(rc, text);

	send_line(session, error ? json_pack("{s:o}", "error", error) : NULL);
}
