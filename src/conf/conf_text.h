/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf_text.h - values that stay text but must have a certain shape.
 *
 * Private to conf.  Each checks `text` and replaces *kept by a copy in its
 * normal form; kept may be NULL.  -EINVAL with a text that says what is wrong.
 */
#ifndef THAW_CONF_CONF_TEXT_H
#define THAW_CONF_CONF_TEXT_H

#include <stdbool.h>

struct thaw_conf_collection;
struct thaw_err;

int thaw_conf_text_keep(char **kept, const char *text);
int thaw_conf_text_path(char **kept, const char *text, struct thaw_err *err);
int thaw_conf_text_hostport(char **kept, const char *text, struct thaw_err *err);
int thaw_conf_text_place(char **kept, const char *text, struct thaw_err *err);
int thaw_conf_text_prefix(char **kept, const char *text, struct thaw_err *err);
int thaw_conf_text_fixity(char **kept, const char *text, struct thaw_err *err);
/* "a, b" to collection->archives. */
int thaw_conf_text_archives(struct thaw_conf_collection *collection, const char *text,
			    struct thaw_err *err);

/* What [archive NAME] and [collection NAME] may be called. */
bool thaw_conf_text_is_name(const char *name);

/* Without white space at either end; cuts the end off in place. */
char *thaw_conf_text_trim(char *text);

#define THAW_CONF_QUOTED 64
/* For messages: a value, printable and not too long. */
const char *thaw_conf_text_quote(char out[THAW_CONF_QUOTED], const char *text);

#endif
