/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Operations at random against what must be true.
 *
 * No two contents have the same size, and a content's seed is its size: so what
 * is read from an open file tells by itself whether it is whole, unmixed and of
 * one version.  Opens are left pending, reads happen while files arrive, others
 * read beside, and the archive changes under all of it.  Every so often all is
 * left to become idle and is audited; it is stopped and started; at the end
 * every file opens, every request is over and no pin was broken.
 *
 * THAW_MODEL_SEED and THAW_MODEL_OPS repeat or prolong a run.
 */
#include <errno.h>
#include <stdlib.h>

#include "audit.h"
#include "rig.h"
#include "run.h"

#define FILES    40
#define DIRS     5
#define HANDLES  10
#define PENDING  8
#define REQUESTS 400

struct file {
	char path[32];
	uint64_t size; /* in the archive now */
	bool gone;     /* from the archive */
	bool faulty;   /* since the last audit: it may fail for no reason of its own */
	bool moved;    /* changed since the last audit */
	bool pinned;   /* by itself or its directory */
	bool kept;     /* was seen staged under its pin: must stay */
};

struct pending {
	bool busy;
	struct waiter w;
	struct file *file;
};

static struct rig rig;
static struct file files[FILES];
static struct thaw_obj *handles[HANDLES];
static struct pending pending[PENDING];
static char requests[REQUESTS][THAW_REQUEST_ID_TEXT];
static size_t request_count;
static bool dir_pinned[DIRS];
static uint64_t next_size = 1;
static unsigned seed;
static unsigned counts[16];
static unsigned op_number;

static unsigned roll(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

#define must(condition) ck_assert_msg(condition, "op %u: %s", op_number, #condition)

static void dir_path(char path[32], unsigned dir)
{
	(void)snprintf(path, 32, "d%u", dir);
}

static void put(struct file *f)
{
	f->size = roll(35) * UINT64_C(4096) + next_size++ % 4096; /* the low part is unique */
	f->gone = false;
	f->moved = true;
	f->kept = false;
	rig_put(&rig, f->path, f->size, f->size);
}

/* ---- opens ---- */

static void keep_handle(struct thaw_obj *obj)
{
	unsigned at = roll(HANDLES);

	if (handles[at])
		thaw_stage_close(rig.stage, handles[at]);
	handles[at] = obj;
}

/* Is this an answer that can be right? */
static void judge(const struct file *f, int r)
{
	switch (r) {
	case 0:
		return;
	case -EAGAIN: /* no room beside what is open and pinned */
		return;
	case -ESTALE:
		must(f->moved || f->faulty);
		return;
	case -EIO:
		must(f->gone || f->faulty || f->moved);
		return;
	default:
		ck_abort_msg("op %u: %s: %s", op_number, f->path, strerror(-r));
	}
}

static void settle(struct pending *p, int r)
{
	judge(p->file, r);
	if (r == 0)
		keep_handle(p->w.wait.obj);
	waiter_release(&p->w);
	p->busy = false;
}

static void op_open(void)
{
	struct file *f = &files[roll(FILES)];
	struct pending *p = &pending[roll(PENDING)];
	unsigned flags = (roll(8) ? 0 : THAW_OPEN_NONBLOCK) | (roll(3) ? 0 : THAW_OPEN_WHOLE);
	struct thaw_obj *obj = NULL;
	struct thaw_node node;
	int r;

	if (p->busy)
		settle(p, waiter_status(&p->w));
	must(rig_look(&rig, f->path, &node) == 0);
	waiter_init(&p->w);
	p->file = f;
	r = thaw_stage_open(rig.stage, node.id, flags, &p->w.wait, &obj);
	p->busy = r == -EINPROGRESS;
	if (p->busy)
		return;
	judge(f, r);
	if (r == 0)
		keep_handle(obj);
	waiter_release(&p->w);
}

static void op_cancel_open(void)
{
	struct pending *p = &pending[roll(PENDING)];

	if (!p->busy)
		return;
	if (!thaw_stage_cancel(rig.stage, &p->w.wait)) {
		settle(p, waiter_status(&p->w));
		return;
	}
	must(waiter_calls(&p->w) == 0);
	waiter_release(&p->w);
	p->busy = false;
}

static void settle_all(void)
{
	for (unsigned i = 0; i < PENDING; i++) {
		if (pending[i].busy)
			settle(&pending[i], waiter_status(&pending[i].w));
	}
}

static void close_all(void)
{
	for (unsigned i = 0; i < HANDLES; i++) {
		if (handles[i])
			thaw_stage_close(rig.stage, handles[i]);
		handles[i] = NULL;
	}
}

static void op_read(void)
{
	struct thaw_obj *obj = handles[roll(HANDLES)];
	uint64_t size, off, len;
	int r;

	if (!obj)
		return;
	size = thaw_obj_size(obj);
	off = roll((unsigned)size + 1);
	len = roll(70000);
	if (len > size - off)
		len = size - off;
	r = compare_range(rig.stage, obj, size, off, len);
	/* A stream whose transfer failed; a whole file never fails. */
	ck_assert_msg(r == 0 || (!thaw_obj_is_whole(obj) && (r == -EIO || r == -ESTALE)),
		      "op %u: reading: %s", op_number, strerror(-r));
}

static void op_close(void)
{
	unsigned at = roll(HANDLES);

	if (handles[at])
		thaw_stage_close(rig.stage, handles[at]);
	handles[at] = NULL;
}

/* ---- others who read ---- */

#define READERS 3

struct reader {
	pthread_t thread;
	unsigned seed;
};

static struct reader readers[READERS];
static pthread_rwlock_t turn; /* written while nobody is to read */
static atomic_bool over;
static atomic_int reader_error;

static int read_one(struct reader *reader)
{
	unsigned i = (unsigned)rand_r(&reader->seed) % FILES;
	struct thaw_node node;
	struct thaw_obj *obj;
	char path[32];
	int r, len;

	len = snprintf(path, sizeof(path), "d%u/f%u", i % DIRS, i);
	r = thaw_stage_resolve(rig.stage, path, (size_t)len, NULL, NULL, &node);
	if (r == 0)
		r = open_wait(rig.stage, node.id, 0, &obj);
	if (r < 0)
		return r == -EIO || r == -ESTALE || r == -EAGAIN ? 0 : r;
	r = compare_range(rig.stage, obj, thaw_obj_size(obj), 0, thaw_obj_size(obj));
	if ((r == -EIO || r == -ESTALE) && !thaw_obj_is_whole(obj))
		r = 0; /* a stream may break */
	thaw_stage_close(rig.stage, obj);
	return r;
}

static void *keep_reading(void *arg)
{
	int r = 0;

	while (!atomic_load(&over) && r == 0) {
		pthread_rwlock_rdlock(&turn);
		r = read_one(arg);
		pthread_rwlock_unlock(&turn);
	}
	if (r < 0)
		atomic_store(&reader_error, r);
	return NULL;
}

static void start_readers(void)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&turn, &attr);
	pthread_rwlockattr_destroy(&attr);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i].seed = seed + i + 1;
		must(pthread_create(&readers[i].thread, NULL, keep_reading, &readers[i]) == 0);
	}
}

static void end_readers(void)
{
	atomic_store(&over, true);
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(readers[i].thread, NULL);
	must(atomic_load(&reader_error) == 0);
}

/* ---- people ---- */

static void forget_kept(unsigned dir, bool all)
{
	for (unsigned i = 0; i < FILES; i++) {
		if (all || i % DIRS == dir)
			files[i].kept = false;
	}
}

static void op_evict(void)
{
	unsigned i = roll(FILES);
	bool whole_dir = roll(2), force = roll(6) == 0;
	struct thaw_evict_result sum;
	char path[32];

	dir_path(path, i % DIRS);
	must(thaw_stage_evict(rig.stage, rig_node(&rig, whole_dir ? path : files[i].path), force,
			      &sum) == 0);
	if (force && whole_dir)
		forget_kept(i % DIRS, false);
	else if (force)
		files[i].kept = false;
}

static void op_pin_dir(void)
{
	char id[THAW_REQUEST_ID_TEXT], path[32];
	unsigned dir = roll(DIRS), pinned = 0;
	int r;

	dir_path(path, dir);
	for (unsigned i = 0; i < DIRS; i++)
		pinned += dir_pinned[i];
	if (dir_pinned[dir] || pinned) { /* one at a time: there must be room to work in */
		for (dir = 0; dir < DIRS && !dir_pinned[dir]; dir++)
			;
		dir_path(path, dir);
		must(thaw_stage_unpin(rig.stage, rig_node(&rig, path)) == 0);
		dir_pinned[dir] = false;
		for (unsigned i = dir; i < FILES; i += DIRS)
			files[i].pinned = files[i].kept = false;
		return;
	}
	r = thaw_stage_pin(rig.stage, rig_node(&rig, path), 0, THAW_PIN_FOREVER, "", id, NULL);
	must(r == 0 || r == -ENOSPC);
	if (r < 0)
		return;
	dir_pinned[dir] = true;
	for (unsigned i = dir; i < FILES; i += DIRS)
		files[i].pinned = true;
	if (request_count < REQUESTS)
		memcpy(requests[request_count++], id, sizeof(id));
}

static void op_request(void)
{
	unsigned i = roll(FILES);
	uint64_t nodes[2];
	char path[32];

	if (request_count == REQUESTS)
		return;
	dir_path(path, i % DIRS);
	nodes[0] = rig_node(&rig, files[i].path);
	nodes[1] = rig_node(&rig, path);
	must(thaw_stage_request(rig.stage, 1, nodes, 1 + roll(2), requests[request_count++],
				NULL) == 0);
}

static void op_cancel_request(void)
{
	if (request_count)
		must(thaw_stage_request_cancel(rig.stage,
					       requests[roll((unsigned)request_count)]) == 0);
}

/* ---- the archive ---- */

static void op_change(void)
{
	put(&files[roll(FILES)]);
}

static void op_remove(void)
{
	struct file *f = &files[roll(FILES)];

	if (f->gone)
		return;
	rig_remove(&rig, f->path);
	f->gone = true;
	f->moved = true;
	f->kept = false;
}

static void op_fault(void)
{
	static const int codes[] = {-EIO, -EIO, -ESTALE, -EAGAIN};
	struct file *f = &files[roll(FILES)];

	if (f->gone)
		return;
	f->faulty = true;
	must(thaw_archive_mem_fail(rig.mem, thaw_key_of(f->path), codes[roll(4)], 1 + roll(2)) ==
	     0);
}

static void op_import(void)
{
	char path[32];

	dir_path(path, roll(DIRS));
	(void)rig_import(&rig, roll(3) ? path : "/", true);
}

/* ---- the truth ---- */

static void check_pins(void)
{
	for (unsigned i = 0; i < FILES; i++) {
		bool online = rig_state(&rig, files[i].path) == THAW_STATE_ONLINE;

		ck_assert_msg(!files[i].kept || online, "op %u: %s was pinned and staged",
			      op_number, files[i].path);
		files[i].kept = files[i].pinned && online && !files[i].moved;
	}
}

static void check(void)
{
	settle_all();
	close_all();
	must(atomic_load(&reader_error) == 0);
	pthread_rwlock_wrlock(&turn);
	rig_await_idle(&rig);
	audit(&rig);
	check_pins();
	(void)rig_import(&rig, "/", true);
	for (unsigned i = 0; i < FILES; i++) {
		struct thaw_node node;

		must(rig_look(&rig, files[i].path, &node) == 0);
		must(node.lost == files[i].gone);
		must(files[i].gone || node.size == files[i].size);
		if (!files[i].gone)
			(void)thaw_archive_mem_fail(rig.mem, thaw_key_of(files[i].path), 0, 0);
		files[i].moved = files[i].faulty = false;
	}
	pthread_rwlock_unlock(&turn);
}

static void op_restart(void)
{
	struct thaw_status s;

	settle_all();
	close_all();
	pthread_rwlock_wrlock(&turn);
	s = rig_status(&rig);
	printf("%ju staged, %ju streams, %ju evicted, %ju failed, %zu requests\n",
	       (uintmax_t)s.staged_files, (uintmax_t)s.streams, (uintmax_t)s.evicted_files,
	       (uintmax_t)s.failures, request_count);
	rig_restart(&rig);
	check_pins();
	pthread_rwlock_unlock(&turn);
}

static const struct {
	void (*run)(void);
	unsigned weight;
} ops[] = {
	{op_open, 34},  {op_read, 26},   {op_close, 12},  {op_cancel_open, 4},
	{op_evict, 4},  {op_pin_dir, 1}, {op_request, 2}, {op_cancel_request, 1},
	{op_change, 4}, {op_remove, 1},  {op_fault, 2},   {op_import, 2},
};

static void step(void)
{
	unsigned sum = 0, at;

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		sum += ops[i].weight;
	at = roll(sum);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (at < ops[i].weight) {
			counts[i]++;
			ops[i].run();
			return;
		}
		at -= ops[i].weight;
	}
}

static void begin(void)
{
	rig_init(&rig, false);
	rig.conf.cache_size = 2 * MIB + 256 * KIB;
	rig.conf.chunk = 16 * KIB;
	rig.conf.stream_min = 60 * KIB;
	rig.conf.space_wait = 0;
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(files[i].path, sizeof(files[i].path), "d%u/f%u", i % DIRS, i);
		put(&files[i]);
		files[i].moved = false;
	}
	rig_start(&rig);
}

static void finish(void)
{
	struct thaw_request r;

	check();
	for (unsigned i = 0; i < DIRS; i++) {
		char path[32];

		dir_path(path, i);
		if (dir_pinned[i])
			must(thaw_stage_unpin(rig.stage, rig_node(&rig, path)) == 0);
	}
	for (unsigned i = 0; i < FILES; i++) {
		if (!files[i].gone)
			ck_assert_int_eq(open_compare(rig.stage, rig_node(&rig, files[i].path), 0,
						      files[i].size, files[i].size),
					 0);
	}
	for (size_t i = 0; i < request_count; i++) {
		must(thaw_stage_request_get(rig.stage, requests[i], &r) == 0);
		must(r.finished);
		must(r.files[THAW_FILE_SUBMITTED] + r.files[THAW_FILE_STARTED] == 0);
	}
	rig_end(&rig);
}

static unsigned from_env(const char *name, unsigned deflt)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 0) : deflt;
}

START_TEST(random_operations)
{
	unsigned n = from_env("THAW_MODEL_OPS", 2000);
	struct watch watch;

	seed = from_env("THAW_MODEL_SEED", (unsigned)thaw_clock_real_ns());
	printf("THAW_MODEL_SEED=%u\n", seed);
	(void)fflush(stdout);
	begin();
	start_readers();
	watch_begin(&watch, &rig);
	for (op_number = 1; op_number <= n; op_number++) {
		step();
		if (op_number % 250 == 0)
			check();
		if (op_number % 600 == 0) {
			watch_end(&watch); /* it looks at an engine that goes away */
			op_restart();
			watch_begin(&watch, &rig);
		}
	}
	watch_end(&watch);
	end_readers();
	finish();
}
END_TEST

RUN_TESTS("stage/model", random_operations)
