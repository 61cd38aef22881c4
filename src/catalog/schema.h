/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * schema.h - the tables, and how an older file becomes a newer one.
 *
 * PRAGMA user_version counts the steps a file has been through; step i takes
 * it from version i to i + 1.  Steps are never changed once released.
 */
#ifndef THAW_CATALOG_SCHEMA_H
#define THAW_CATALOG_SCHEMA_H

#include <stddef.h>

struct thaw_conn;
struct thaw_err;

#define THAW_CATALOG_APPLICATION_ID 0x74686177 /* "thaw" */

extern const char *const thaw_schema_steps[];
extern const size_t thaw_schema_step_count; /* the version this program writes */

/* Runs the steps that are missing, all in one transaction.  -EPROTO: the file is newer. */
int thaw_schema_migrate(struct thaw_conn *rw, const char *const *steps, size_t count,
			struct thaw_err *err);

#endif
