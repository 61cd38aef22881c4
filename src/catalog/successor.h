/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * successor.h - which node took the names of another, for the files of this room only.
 */
#ifndef THAW_CATALOG_SUCCESSOR_H
#define THAW_CATALOG_SUCCESSOR_H

#include "catalog/sql.h"

int thaw_node_successor(struct thaw_conn *conn, uint64_t node, uint64_t *ret);

#endif
