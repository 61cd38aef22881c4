/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pin.h - what must stay on flash, until when, and who said so.
 *
 * A pin stands on a node and covers its whole tree, files of later imports
 * included.  One pin a node: setting it again replaces it.
 */
#ifndef THAW_CATALOG_PIN_H
#define THAW_CATALOG_PIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thaw_catalog;

#define THAW_PIN_FOREVER INT64_MAX
#define THAW_PIN_LABEL_MAX 128

struct thaw_pin {
	uint64_t node;
	uint32_t owner; /* uid */
	int64_t created;
	int64_t expires; /* THAW_PIN_FOREVER */
	char label[THAW_PIN_LABEL_MAX];
};

int thaw_catalog_pin_set(struct thaw_catalog *cat, const struct thaw_pin *pin);
int thaw_catalog_pin_clear(struct thaw_catalog *cat, uint64_t node); /* -ENOENT: none here */
/* The pin in force on a node: the one that lasts longest on it or a directory above it, by any of
 * its names.  -ENOENT: not pinned at `now`. */
int thaw_catalog_pin_of(struct thaw_catalog *cat, uint64_t node, int64_t now, struct thaw_pin *ret);
/* Quick no when there is no pin at all. */
bool thaw_catalog_has_pins(struct thaw_catalog *cat);
int thaw_catalog_pins(struct thaw_catalog *cat, int (*fn)(void *ctx, const struct thaw_pin *pin),
		      void *ctx);
/* Takes away pins that ended; ret_n: how many. */
int thaw_catalog_pins_expire(struct thaw_catalog *cat, int64_t now, uint64_t *ret_n);
/* Bytes of content under pins at now (each file once). */
int thaw_catalog_pinned_bytes(struct thaw_catalog *cat, int64_t now, uint64_t *ret_bytes);

#endif
