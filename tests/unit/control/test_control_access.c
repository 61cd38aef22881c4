/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/tree.h"
#include "control/peer.h"
#include "../suite.h"

static gid_t groups[] = {500, 600};
static const struct thaw_peer anna = {.uid = 1000, .gid = 100, .groups = groups, .group_count = 2};

static bool may(uint32_t mode, uint32_t uid, uint32_t gid, unsigned need)
{
	struct thaw_node node = {.mode = mode, .uid = uid, .gid = gid};

	return thaw_peer_may(&anna, &node, need);
}

START_TEST(each_class_has_its_bits)
{
	ck_assert(may(0400, 1000, 1, THAW_MAY_READ));
	ck_assert(!may(0200, 1000, 1, THAW_MAY_READ));
	ck_assert(may(0040, 1, 100, THAW_MAY_READ));
	ck_assert(may(0040, 1, 600, THAW_MAY_READ));
	ck_assert(!may(0040, 1, 601, THAW_MAY_READ));
	ck_assert(may(0004, 1, 1, THAW_MAY_READ));
	ck_assert(!may(0440, 1, 1, THAW_MAY_READ));
}
END_TEST

START_TEST(the_first_class_that_fits_decides)
{
	ck_assert(!may(0077, 1000, 100, THAW_MAY_READ)); /* the owner, shut out */
	ck_assert(!may(0707, 1, 500, THAW_MAY_READ));    /* the group, shut out */
}
END_TEST

START_TEST(all_that_is_needed_must_be_granted)
{
	ck_assert(!may(0400, 1000, 1, THAW_MAY_READ | THAW_MAY_SEARCH));
	ck_assert(!may(0100, 1000, 1, THAW_MAY_READ | THAW_MAY_SEARCH));
	ck_assert(may(0500, 1000, 1, THAW_MAY_READ | THAW_MAY_SEARCH));
	ck_assert(!may(0004, 1, 1, THAW_MAY_SEARCH));
	ck_assert(may(0000, 1, 1, 0));
}
END_TEST

START_TEST(the_privileged_pass)
{
	struct thaw_peer root = {.uid = 0, .privileged = true};
	struct thaw_node node = {.mode = 0, .uid = 5, .gid = 5};

	ck_assert(thaw_peer_may(&root, &node, THAW_MAY_READ | THAW_MAY_SEARCH));
	ck_assert(thaw_peer_owns(&root, 12));
	ck_assert(thaw_peer_owns(&anna, 1000));
	ck_assert(!thaw_peer_owns(&anna, 0));
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_test(tcase, each_class_has_its_bits);
	tcase_add_test(tcase, the_first_class_that_fits_decides);
	tcase_add_test(tcase, all_that_is_needed_must_be_granted);
	tcase_add_test(tcase, the_privileged_pass);
}

int main(void)
{
	return run_suite("access", add);
}
