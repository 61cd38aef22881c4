/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random changes to a small archive, random listings of it, and a naive model
 * of what the catalog must say after each.  The rules:
 *   a name has the type, tag, size and text it was last listed with;
 *   its node changes when, and only when, its tag or type does;
 *   a node has one tag for ever;
 *   a name that went is lost, or gone when its file lives on under another.
 * Link ids are few and used again, as inode numbers are.
 */
#include <stdio.h>

#include "base/buf.h"
#include "fixture.h"

#define NAMES 6
#define DIRS 40
#define INODES 400
#define LINK_IDS 5
#define IDS 200000

/* --- the archive --------------------------------------------------------------------------- */

struct inode {
	unsigned tag, old_tag;
	unsigned nlink;
	unsigned link_id;
};
struct slot {
	enum thaw_entry_type type; /* 0: no such name */
	int at;                    /* inode, directory, or number of a link text */
};

static struct inode inodes[INODES];
static struct slot archive[DIRS][NAMES];
static bool dir_used[DIRS];
static bool id_used[LINK_IDS + 1];
static unsigned last_tag;

static unsigned pick(unsigned n)
{
	return (unsigned)random() % n;
}

static int free_inode(void)
{
	for (int i = 1; i < INODES; i++) {
		if (!inodes[i].nlink)
			return i;
	}
	ck_abort_msg("inodes");
	return 0;
}

static void put_new_file(struct slot *slot)
{
	int i = free_inode();

	inodes[i] = (struct inode){ .tag = ++last_tag, .old_tag = last_tag, .nlink = 1 };
	*slot = (struct slot){ THAW_TYPE_FILE, i };
}

static void remove_slot(struct slot *slot)
{
	struct inode *inode = &inodes[slot->at];

	if (slot->type == THAW_TYPE_FILE && !--inode->nlink)
		id_used[inode->link_id] = false;
	if (slot->type == THAW_TYPE_DIR) {
		for (int n = 0; n < NAMES; n++)
			remove_slot(&archive[slot->at][n]);
		dir_used[slot->at] = false;
	}
	*slot = (struct slot){ 0 };
}

static void make_dir(struct slot *slot)
{
	for (int d = 1; d < DIRS; d++) {
		if (dir_used[d])
			continue;
		dir_used[d] = true;
		*slot = (struct slot){ THAW_TYPE_DIR, d };
		return;
	}
}

static void hard_link(struct slot *from, struct slot *to)
{
	struct inode *inode = &inodes[from->at];
	unsigned id = 1;

	if (!inode->link_id) {
		while (id <= LINK_IDS && id_used[id])
			id++;
		if (id > LINK_IDS)
			return;
		inode->link_id = id;
		id_used[id] = true;
	}
	inode->nlink++;
	*to = *from;
}

static struct slot *random_slot(void)
{
	int d = (int)pick(DIRS);

	while (!dir_used[d])
		d = (d + 1) % DIRS;
	return &archive[d][pick(NAMES)];
}

static void write_in_place(struct inode *inode)
{
	unsigned tag = pick(4) ? ++last_tag : inode->old_tag;

	inode->old_tag = inode->tag;
	inode->tag = tag;
}

static void change_archive(void)
{
	struct slot *slot = random_slot(), *other = random_slot();

	switch (pick(11)) {
	case 0:
		remove_slot(slot);
		break;
	case 1:
	case 9:
		if (slot->type == THAW_TYPE_FILE)
			write_in_place(&inodes[slot->at]);
		break;
	case 2:
	case 3:
	case 7:
	case 8:
		if (slot->type == THAW_TYPE_FILE && !other->type)
			hard_link(slot, other);
		break;
	case 4:
		if (slot != other && slot->type == THAW_TYPE_FILE && other->type != THAW_TYPE_DIR) {
			remove_slot(other);
			*other = *slot; /* rename */
			*slot = (struct slot){ 0 };
		}
		break;
	case 5:
		remove_slot(slot);
		make_dir(slot);
		break;
	case 6:
		remove_slot(slot);
		*slot = (struct slot){ THAW_TYPE_SYMLINK, (int)pick(3) };
		break;
	default:
		remove_slot(slot);
		put_new_file(slot);
		break;
	}
}

/* --- the model ----------------------------------------------------------------------------- */

struct name {
	enum thaw_entry_type type; /* 0: not known */
	bool lost, gone_or_lost;
	unsigned tag;
	int text;
	uint64_t node; /* 0: not seen yet */
	struct mdir *dir;
};
struct mdir {
	struct name names[NAMES];
	uint64_t node;
	enum thaw_listed listed;
};

static unsigned tag_of_node[IDS];
static uint64_t files, bytes;
static bool counted[IDS];

static unsigned size_of_tag(unsigned tag)
{
	return tag * 7 % 1000;
}

static void free_model(struct mdir *dir)
{
	for (int n = 0; dir && n < NAMES; n++)
		free_model(dir->names[n].dir);
	free(dir);
}

static void lose(struct name *name)
{
	if (!name->type || name->lost)
		return;
	if (name->type == THAW_TYPE_FILE)
		name->gone_or_lost = true;
	else
		name->lost = true;
	for (int n = 0; name->dir && n < NAMES; n++)
		lose(&name->dir->names[n]);
}

static void model_name(struct name *name, const struct slot *slot)
{
	unsigned tag = slot->type == THAW_TYPE_FILE ? inodes[slot->at].tag : 0;

	if (name->type != slot->type || name->tag != tag)
		name->node = 0;
	if (name->type != slot->type) {
		free_model(name->dir);
		name->dir = NULL;
	}
	name->type = slot->type;
	name->tag = tag;
	name->text = slot->at;
	name->lost = name->gone_or_lost = false;
	if (slot->type == THAW_TYPE_DIR && !name->dir)
		name->dir = calloc(1, sizeof(*name->dir));
}

static void model_listing(struct mdir *dir, const struct slot *slots)
{
	dir->listed = THAW_LISTED;
	for (int n = 0; n < NAMES; n++) {
		if (slots[n].type)
			model_name(&dir->names[n], &slots[n]);
		else
			lose(&dir->names[n]);
	}
}

/* --- comparing ----------------------------------------------------------------------------- */

static void check_file(const struct thaw_node *node, struct name *name)
{
	struct thaw_object object = get_object(node->object);
	char tag[16];

	(void)snprintf(tag, sizeof(tag), "%u", name->tag);
	ck_assert(tag_is(&object, tag));
	ck_assert(object.current);
	ck_assert_uint_eq(object.node, node->id);
	ck_assert_uint_eq(node->size, size_of_tag(name->tag));
	ck_assert_uint_lt(node->id, IDS);
	if (!tag_of_node[node->id])
		tag_of_node[node->id] = name->tag;
	ck_assert_uint_eq(tag_of_node[node->id], name->tag);
	if (!counted[node->id]) {
		files++;
		bytes += node->size;
	}
	counted[node->id] = true;
}

static void check_symlink(const struct thaw_node *node, const struct name *name)
{
	char *text;
	size_t len;

	ck_assert_int_eq(thaw_catalog_readlink(cat, node->id, &text, &len), 0);
	ck_assert_uint_eq(len, 1);
	ck_assert_int_eq(text[0], '0' + name->text);
	free(text);
}

/* Gone from here, so it must be found somewhere else. */
static void check_lives_on(uint64_t node)
{
	struct thaw_buf buf;

	ck_assert_int_eq(thaw_catalog_successor(cat, node, &node), 0);
	thaw_buf_init(&buf, 1000);
	ck_assert_int_eq(thaw_catalog_path(cat, node, &buf), 0);
	thaw_buf_release(&buf);
}

static void check_dir(struct mdir *dir);

static void check_name(uint64_t dir, struct name *name, char letter)
{
	struct thaw_node node;
	int rc = thaw_catalog_lookup(cat, dir, &letter, 1, &node);

	if (name->gone_or_lost && rc == -ENOENT) {
		check_lives_on(name->node);
		memset(name, 0, sizeof(*name));
		return;
	}
	if (name->gone_or_lost)
		name->lost = true;
	name->gone_or_lost = false;
	ck_assert_int_eq(rc, name->type ? 0 : -ENOENT);
	if (!name->type)
		return;
	ck_assert_int_eq(node.type, name->type);
	ck_assert_int_eq(node.lost, name->lost);
	if (name->node)
		ck_assert_uint_eq(node.id, name->node);
	name->node = node.id;
	if (node.type == THAW_TYPE_FILE)
		check_file(&node, name);
	else if (node.type == THAW_TYPE_SYMLINK)
		check_symlink(&node, name);
	else {
		name->dir->node = node.id;
		ck_assert_int_eq(node.listed, name->dir->listed);
		check_dir(name->dir);
	}
}

static void check_dir(struct mdir *dir)
{
	for (int n = 0; n < NAMES; n++)
		check_name(dir->node, &dir->names[n], (char)('a' + n));
}

static void check_all(struct mdir *top)
{
	struct thaw_tree_sum sum;
	uint64_t f, b;

	files = bytes = 0;
	memset(counted, 0, sizeof(counted));
	check_dir(top);
	ck_assert_int_eq(thaw_catalog_totals(cat, &f, &b), 0);
	ck_assert_uint_eq(f, files);
	ck_assert_uint_eq(b, bytes);
	ck_assert_int_eq(thaw_catalog_sum(cat, root, &sum), 0);
	ck_assert_uint_eq(sum.files, files);
	ck_assert_uint_eq(sum.bytes, bytes);
}

/* --- running ------------------------------------------------------------------------------- */

static struct thaw_listing *list(uint64_t node, const struct slot *slots)
{
	struct thaw_listing *listing = thaw_listing_new(spec.id, node);

	listing->allow_empty = true;
	for (int n = NAMES - 1; n >= 0; n--) {
		char name[2] = { (char)('a' + n) }, text[2] = { (char)('0' + slots[n].at) };
		char tag[16];
		struct thaw_entry e;

		if (!slots[n].type)
			continue;
		if (slots[n].type == THAW_TYPE_FILE) {
			const struct inode *inode = &inodes[slots[n].at];

			(void)snprintf(tag, sizeof(tag), "%u", inode->tag);
			e = link_entry(name, tag, size_of_tag(inode->tag),
				       inode->nlink > 1 ? inode->link_id : 0);
		} else {
			e = slots[n].type == THAW_TYPE_DIR ? dir_entry(name) :
							     symlink_entry(name, text);
		}
		ck_assert_int_eq(thaw_listing_add(listing, &e), 0);
	}
	return listing;
}

struct batch {
	struct thaw_listing *listings[DIRS];
	size_t n;
};

static void merge(struct batch *batch)
{
	if (batch->n)
		ck_assert_int_eq(thaw_catalog_ingest(cat, batch->listings, batch->n), 0);
	while (batch->n)
		thaw_listing_free(batch->listings[--batch->n]);
}

/* Lists some of the directories both sides have; what the catalog is not told stays as it was. */
static void list_some(struct mdir *dir, const struct slot *slots, unsigned one_in,
		      struct batch *batch)
{
	if (!pick(one_in) && dir->node) {
		batch->listings[batch->n++] = list(dir->node, slots);
		if (!pick(8)) {
			batch->listings[batch->n - 1]->error = -EIO;
			if (dir->listed == THAW_UNLISTED)
				dir->listed = THAW_LIST_FAILED;
		} else {
			model_listing(dir, slots);
		}
	}
	for (int n = 0; n < NAMES; n++) {
		struct name *name = &dir->names[n];

		if (slots[n].type == THAW_TYPE_DIR && name->dir && !name->lost)
			list_some(name->dir, archive[slots[n].at], one_in, batch);
	}
}

static void stage_some(struct mdir *dir)
{
	for (int n = 0; n < NAMES; n++) {
		struct name *name = &dir->names[n];
		uint64_t object;

		if (name->dir)
			stage_some(name->dir);
		if (name->type != THAW_TYPE_FILE || !name->node || pick(4))
			continue;
		object = get_node(name->node).object;
		if (pick(2))
			publish(object, 4096, 1000 + random() % 1000);
		else
			ck_assert_int_eq(thaw_catalog_left(cat, &object, 1), 0);
	}
}

START_TEST(random_rounds)
{
	struct mdir *top = calloc(1, sizeof(*top));
	struct batch batch = { .n = 0 };

	srandom((unsigned)_i + 1);
	dir_used[0] = true;
	top->node = root;
	for (int round = 0; round < 300; round++) {
		for (unsigned n = pick(12); n; n--)
			change_archive();
		list_some(top, archive[0], 1 + pick(3), &batch);
		merge(&batch);
		check_all(top);
		stage_some(top);
		if (round % 20 == 0)
			check_catalog();
		if (round % 100 == 50)
			fixture_reopen();
	}
	free_model(top);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_model");
	TCase *tc = tcase_create("model");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tc, random_rounds, 0, 8);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
