/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sum_impl.h - one sum over several trees; a file with names in more than one
 * of them counts once.  Zero-initialise.
 */
#ifndef THAW_CATALOG_SUM_IMPL_H
#define THAW_CATALOG_SUM_IMPL_H

#include <stdbool.h>
#include "catalog/idset.h"
#include "catalog/tree.h"

struct thaw_sum {
	struct thaw_tree_sum total;
	bool stop_when_mixed;
	struct thaw_idset seen;     /* files with several names that were counted */
	struct thaw_idlist dirs;    /* still to be gone through */
	struct thaw_idlist aliases; /* names whose file is still to be looked at */
};

int thaw_sum_add(struct thaw_catalog *cat, struct thaw_sum *sum, uint64_t id);
void thaw_sum_release(struct thaw_sum *sum);

#endif
