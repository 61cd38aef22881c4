/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "fuse/dirpos.h"
#include "../suite.h"

#define FIRST 2

static struct thaw_dirpos_set set;

static void set_up(void)
{
	thaw_dirpos_init(&set, FIRST);
}

static void tear_down(void)
{
	thaw_dirpos_release(&set);
}

/* The position behind the child with ordinal off - FIRST - 1. */
static struct thaw_dirpos at(uint64_t off)
{
	struct thaw_dirpos pos = {.off = off};

	if (off > FIRST)
		pos.len = (size_t)snprintf(pos.name, sizeof(pos.name), "n%07llu",
					   (unsigned long long)off);
	return pos;
}

static void expect(uint64_t off, uint64_t want)
{
	struct thaw_dirpos found, wanted = at(want);

	memset(&found, 0xff, sizeof(found));
	thaw_dirpos_find(&set, off, &found);
	ck_assert_uint_eq(found.off, want);
	ck_assert_uint_eq(found.len, wanted.len);
	ck_assert_mem_eq(found.name, wanted.name, wanted.len);
}

static void note(uint64_t off)
{
	struct thaw_dirpos pos = at(off);

	thaw_dirpos_note(&set, &pos);
}

START_TEST(at_first_only_the_beginning_is_known)
{
	expect(FIRST, FIRST);
	expect(1000, FIRST);
	expect(1000000, FIRST);
}
END_TEST

START_TEST(reading_on_costs_no_skipping)
{
	for (uint64_t off = FIRST; off < 100000; off += 190) {
		expect(off, off);
		note(off + 190);
	}
}
END_TEST

START_TEST(going_back_skips_less_than_a_step)
{
	for (uint64_t off = FIRST + 100; off < 50000; off += 100)
		note(off);
	for (uint64_t off = FIRST; off < 50000; off += 37) {
		struct thaw_dirpos found;

		thaw_dirpos_find(&set, off, &found);
		ck_assert_uint_le(found.off, off);
		/* A mark is set at the first reply that ends a step or more on. */
		ck_assert_uint_lt(off - found.off, THAW_DIRPOS_STEP + 100);
		expect(off, found.off);
	}
}
END_TEST

START_TEST(memory_is_a_fraction_of_the_entries)
{
	for (uint64_t off = FIRST; off < 1000000; off += 50)
		note(off);
	ck_assert_uint_le(set.count, 1000000 / THAW_DIRPOS_STEP + 1);
}
END_TEST

static void add(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, at_first_only_the_beginning_is_known);
	tcase_add_test(tcase, reading_on_costs_no_skipping);
	tcase_add_test(tcase, going_back_skips_less_than_a_step);
	tcase_add_test(tcase, memory_is_a_fraction_of_the_entries);
}

int main(void)
{
	return run_suite("fuse_dirpos", add);
}
