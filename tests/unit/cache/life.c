/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "life.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "scratch.h"

#ifdef THAW_CRASH_POINTS
const bool life_has_points = true;
#else
const bool life_has_points = false;
#endif

const char *const life_points[] = {
	"id.written",        "id.renamed",       "open.identified",   "claim.disowned",
	"claim.emptied",     "new.created",      "publish.begin",     "publish.linked",
	"publish.synced",    "done.begin",       "done.end",          "abort.begin",
	"abort.unpublished", "quarantine.begin", "quarantine.linked", "remove.begin",
	"remove.unlinked",   "remove.synced",    "recover.finals",    NULL,
};

#define CACHE_SIZE (UINT64_C(64) << 20)
#define UUID_ROW   "uuid"

/* Not check's: this runs outside its runner too. */
static void must(bool truth, const char *what)
{
	if (truth)
		return;
	(void)fprintf(stderr, "life: %s: %s\n", what, strerror(errno));
	abort();
}

/* --- the catalog ---------------------------------------------------------- */

struct row {
	uint64_t id, size, bytes;
	char state; /* R resident, L leaving */
};

struct rows {
	const char *dir;
	size_t count;
	struct row row[64];
	char uuid[THAW_STORE_UUID_TEXT];
};

static void put_text(const char *dir, const char *name, const char *text)
{
	const char *temp = scratch_path(dir, "new");
	FILE *f = fopen(temp, "w");

	must(f && fputs(text, f) >= 0 && !fclose(f), "row");
	must(!rename(temp, scratch_path(dir, name)), "row name");
}

static void row_put(const struct rows *rows, const struct row *row)
{
	char name[32], text[80];

	(void)snprintf(name, sizeof(name), "%" PRIx64, row->id);
	(void)snprintf(text, sizeof(text), "%c %" PRIu64 " %" PRIu64 "\n", row->state, row->size,
		       row->bytes);
	put_text(rows->dir, name, text);
}

static void row_drop(const struct rows *rows, uint64_t id)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%" PRIx64, id);
	must(!unlink(scratch_path(rows->dir, name)), "row drop");
}

static void row_read(struct rows *rows, const char *name)
{
	struct row *row = &rows->row[rows->count];
	FILE *f = fopen(scratch_path(rows->dir, name), "r");

	must(f != NULL, "row open");
	if (!strcmp(name, UUID_ROW)) {
		must(fscanf(f, "%36s", rows->uuid) == 1, "uuid");
	} else if (strcmp(name, "new")) {
		must(rows->count < 64, "rows");
		row->id = strtoull(name, NULL, 16);
		must(fscanf(f, "%c %" SCNu64 " %" SCNu64, &row->state, &row->size, &row->bytes) ==
			     3,
		     "row text");
		rows->count++;
	}
	(void)fclose(f);
}

static void rows_load(struct rows *rows, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	memset(rows, 0, sizeof(*rows));
	rows->dir = path;
	must(dir != NULL, "rows");
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			row_read(rows, entry->d_name);
	}
	(void)closedir(dir);
}

static const struct row *row_find(const struct rows *rows, uint64_t id)
{
	for (size_t i = 0; i < rows->count; i++) {
		if (rows->row[i].id == id)
			return &rows->row[i];
	}
	return NULL;
}

static int is_resident(void *ctx, uint64_t id)
{
	return row_find(ctx, id) != NULL;
}

/* --- a life --------------------------------------------------------------- */

struct life {
	struct thaw_space space;
	struct thaw_store *store;
	struct rows rows;
};

static void own(struct life *life)
{
	if (life->rows.uuid[0] && !strcmp(life->rows.uuid, thaw_store_uuid(life->store)))
		return;
	for (size_t i = 0; i < life->rows.count; i++)
		row_drop(&life->rows, life->rows.row[i].id);
	must(!thaw_store_claim(life->store, "rows", NULL), "claim");
	put_text(life->rows.dir, UUID_ROW, thaw_store_uuid(life->store));
	rows_load(&life->rows, life->rows.dir);
}

static void finish_leaving(struct life *life)
{
	for (size_t i = 0; i < life->rows.count; i++) {
		if (life->rows.row[i].state != 'L')
			continue;
		must(!thaw_store_remove(life->store, life->rows.row[i].id), "remove");
		row_drop(&life->rows, life->rows.row[i].id);
	}
	rows_load(&life->rows, life->rows.dir);
}

static void start(struct life *life, const char *cache, const char *rows)
{
	struct thaw_err err = {""};
	uint64_t sum = 0, removed;

	(void)signal(SIGIO, SIG_IGN);
	thaw_space_init(&life->space, CACHE_SIZE);
	must(!thaw_store_open(cache, &life->space, &life->store, &err), err.text);
	rows_load(&life->rows, rows);
	own(life);
	must(!thaw_store_recover(life->store, is_resident, &life->rows, &removed), "recover");
	finish_leaving(life);
	for (size_t i = 0; i < life->rows.count; i++)
		sum += life->rows.row[i].bytes;
	thaw_space_set_resident(&life->space, sum);
}

static uint64_t size_of(uint64_t id)
{
	return (id >> 8) * 30000 + 17;
}

static struct thaw_part *fill(struct life *life, uint64_t id)
{
	uint64_t size = size_of(id), need = thaw_store_need(life->store, size);
	struct thaw_part *part = NULL;
	uint8_t *data = malloc(size);

	must(data != NULL, "memory");
	scratch_bytes(id, 0, data, size);
	must(!thaw_space_reserve(&life->space, need), "reserve");
	must(!thaw_part_new(life->store, id, size, 65536, need, &part), "new");
	must(!thaw_part_write(part, 0, data, size), "write");
	free(data);
	return part;
}

static void stage(struct life *life, uint64_t id)
{
	struct row row = {.id = id, .size = size_of(id), .state = 'R'};
	struct thaw_part *part;

	if (row_find(&life->rows, id))
		return;
	part = fill(life, id);
	must(!thaw_part_publish(part, &row.bytes), "publish");
	row_put(&life->rows, &row);
	(void)thaw_part_done(part);
	rows_load(&life->rows, life->rows.dir);
}

static void evict(struct life *life, const uint64_t *ids, size_t n)
{
	int codes[8];

	for (size_t i = 0; i < n; i++) {
		struct row row = *row_find(&life->rows, ids[i]);

		row.state = 'L';
		row_put(&life->rows, &row);
	}
	must(!thaw_store_remove_many(life->store, ids, n, codes), "remove");
	for (size_t i = 0; i < n; i++) {
		must(!codes[i], "removed");
		thaw_space_release(&life->space, row_find(&life->rows, ids[i])->bytes);
		row_drop(&life->rows, ids[i]);
	}
	rows_load(&life->rows, life->rows.dir);
}

static void give_up(struct life *life)
{
	struct thaw_part *part = fill(life, 0x711);
	uint64_t bytes;

	(void)thaw_part_abort(fill(life, 0x611));
	must(!thaw_part_publish(part, &bytes), "publish"); /* the transaction failed */
	(void)thaw_part_abort(part);
	(void)thaw_part_quarantine(fill(life, 0x812), &bytes);
	must(bytes != 0, "quarantine");
}

static void live(const char *cache, const char *rows)
{
	static const uint64_t ids[] = {0x110, 0x210, 0x311, 0x411, 0x512};
	struct life life;

	memset(&life, 0, sizeof(life));
	start(&life, cache, rows);
	for (size_t i = 0; i < 5; i++)
		stage(&life, ids[i]);
	give_up(&life);
	evict(&life, &ids[0], 1);
	evict(&life, &ids[1], 3);
	stage(&life, ids[0]);
	(void)thaw_store_close(life.store);
	thaw_space_destroy(&life.space);
}

void life_child(int argc, char **argv)
{
	if (argc != 4 || strcmp(argv[1], "life"))
		return;
	live(argv[2], argv[3]);
	exit(0);
}

enum life_end life_run(const char *crash_at, const char *cache, const char *rows)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		if (crash_at)
			(void)setenv("THAW_CRASH_AT", crash_at, 1);
		(void)execl("/proc/self/exe", "test", "life", cache, rows, (char *)NULL);
		_exit(127);
	}
	must(pid > 0, "fork");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return LIFE_KILLED;
	return status ? LIFE_BROKEN : LIFE_WHOLE;
}

/* --- what must be true afterwards ------------------------------------------ */

static int check_file(void *ctx, uint64_t object, uint64_t bytes)
{
	struct rows *rows = ctx;
	const struct row *row = row_find(rows, object);

	ck_assert_msg(row, "%" PRIx64 " has a file and no row", object);
	ck_assert_uint_eq(row->bytes, bytes);
	return 0;
}

void life_check(const char *cache, const char *rows)
{
	struct scratch_store s;
	struct life life;

	memset(&life, 0, sizeof(life));
	start(&life, cache, rows);
	ck_assert_int_eq(thaw_store_each(life.store, check_file, &life.rows), 0);
	s = (struct scratch_store){.space = life.space, .store = life.store};
	for (size_t i = 0; i < life.rows.count; i++)
		scratch_check_object(&s, life.rows.row[i].id, size_of(life.rows.row[i].id));
	ck_assert_uint_eq(scratch_count(scratch_path(cache, "incoming")), 0);
	scratch_check_books(&s, cache);
	(void)thaw_store_close(life.store);
	thaw_space_destroy(&life.space);
}
