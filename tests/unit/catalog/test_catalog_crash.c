/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was acknowledged survives kill -9.  A child writes from several threads
 * and reports each acknowledgement through a pipe; it is killed after a random
 * number of them, and whatever had been said must be there.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/thread.h"
#include "catalog/pin.h"
#include "catalog/request.h"
#include "fixture.h"

#define FILES 400
#define ROUNDS 12
#define THREADS 4

enum what { PINNED, PUBLISHED, LEFT, REQUESTED, IMPORTED };

struct ack {
	enum what what;
	unsigned file;
	uint64_t value; /* expiry, bytes, round */
	char id[THAW_REQUEST_ID_TEXT];
};
_Static_assert(sizeof(struct ack) <= 512, "written to a pipe in one piece");

static uint64_t node_of[FILES], object_of[FILES];
static unsigned round_now;
static int pipe_out;

static void say(const struct ack *ack)
{
	if (write(pipe_out, ack, sizeof(*ack)) != (ssize_t)sizeof(*ack))
		_exit(3);
}

static void must(int rc)
{
	if (rc)
		_exit(4);
}

static void pin_one(unsigned file, unsigned step)
{
	struct ack ack = { .what = PINNED, .file = file, .value = round_now * 100000 + step + 1 };
	struct thaw_pin pin = { .node = node_of[file], .expires = (int64_t)ack.value };

	must(thaw_catalog_pin_set(cat, &pin));
	say(&ack);
}

static void publish_one(unsigned file, unsigned step)
{
	struct ack ack = { .what = PUBLISHED, .file = file,
			   .value = round_now * 100000 + step + 1 };
	struct thaw_published p = { .object = object_of[file], .bytes = ack.value, .now = 1 };

	if (step % 3) {
		must(thaw_catalog_publish(cat, &p));
	} else {
		ack.what = LEFT;
		must(thaw_catalog_leaving(cat, &p.object, 1));
		must(thaw_catalog_left(cat, &p.object, 1));
	}
	say(&ack);
}

static void request_one(unsigned file)
{
	struct ack ack = { .what = REQUESTED, .file = file };

	must(thaw_catalog_request_new(cat, 0, 1, &node_of[file], 1, ack.id));
	say(&ack);
}

static struct thaw_listing *listing_of_round(uint64_t dir, unsigned step)
{
	struct thaw_listing *listing = thaw_listing_new(spec.id, dir);
	char name[32];
	struct thaw_entry e;

	(void)snprintf(name, sizeof(name), "r%u-%u", round_now, step);
	e = file_entry(name, "1", 1);
	must(thaw_listing_add(listing, &e));
	return listing;
}

static void import_one(uint64_t dir, unsigned step)
{
	struct ack ack = { .what = IMPORTED, .file = step, .value = round_now };
	struct thaw_listing *listing = listing_of_round(dir, step);

	must(thaw_catalog_ingest(cat, &listing, 1));
	thaw_listing_free(listing);
	say(&ack);
}

/* Each thread has files of its own, so that the last word on each is known. */
static void *work(void *arg)
{
	unsigned mine = (unsigned)(uintptr_t)arg;
	uint64_t dir = lookup_id(root, "dir");

	for (unsigned step = 0;; step++) {
		unsigned file = (step * 7 % (FILES / THREADS)) * THREADS + mine;

		if (step % 16 == 15)
			request_one(file);
		else if (mine == 0 && step % 4 == 1)
			import_one(dir, step);
		else if (step % 2)
			pin_one(file, step);
		else
			publish_one(file, step);
	}
	return NULL;
}

static void child(int out)
{
	pthread_t threads[THREADS];

	pipe_out = out;
	must(thaw_catalog_open(fixture_path, &cat, NULL));
	must(thaw_catalog_attach(cat, &spec, 1, &root));
	for (uintptr_t i = 0; i < THREADS; i++)
		must(thaw_thread_start(&threads[i], "work", work, (void *)i));
	for (;;)
		pause();
}

/* The last that was said of each file. */
struct known {
	uint64_t pin, bytes;
	bool left, undone; /* undone: something more may have been written, unsaid */
};
static struct known known[FILES];
static char requests[20000][THAW_REQUEST_ID_TEXT];
static unsigned request_count;
static unsigned imported[ROUNDS]; /* step of the last import, by round */

static void note(const struct ack *ack)
{
	struct known *k = &known[ack->file % FILES];

	switch (ack->what) {
	case PINNED:
		k->pin = ack->value;
		break;
	case PUBLISHED:
		k->bytes = ack->value;
		k->left = false;
		break;
	case LEFT:
		k->left = true;
		break;
	case REQUESTED:
		ck_assert_uint_lt(request_count, 20000);
		memcpy(requests[request_count++], ack->id, sizeof(ack->id));
		break;
	case IMPORTED:
		imported[ack->value] = ack->file;
		break;
	}
}

static void run_child_and_kill(unsigned acks)
{
	int pipes[2], status;
	struct ack ack;
	unsigned n = 0;
	pid_t pid;

	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		close(pipes[0]);
		child(pipes[1]);
	}
	close(pipes[1]);
	while (read(pipes[0], &ack, sizeof(ack)) == (ssize_t)sizeof(ack)) {
		note(&ack);
		if (++n == acks)
			kill(pid, SIGKILL);
	}
	close(pipes[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
	ck_assert_uint_ge(n, acks);
}

/* What is in the file may be newer than what was said, never older. */
static void check_file(unsigned i)
{
	struct thaw_object object = get_object(object_of[i]);
	struct thaw_pin pin;

	if (known[i].pin) {
		ck_assert_int_eq(thaw_catalog_pin_of(cat, node_of[i], 0, &pin), 0);
		ck_assert_int_ge(pin.expires, (int64_t)known[i].pin);
	}
	if (known[i].bytes && !known[i].left && object.residency == THAW_RES_RESIDENT)
		ck_assert_uint_ge(object.bytes, known[i].bytes);
	/* at most one step of each thread was under way */
	if (known[i].bytes && !known[i].left)
		known[i].undone = object.residency != THAW_RES_RESIDENT;
	else
		known[i].undone = known[i].left && object.residency != THAW_RES_NONE;
}

static void check_all(uint64_t dir, unsigned rounds)
{
	struct thaw_request r;
	unsigned undone = 0;

	check_catalog();
	for (unsigned i = 0; i < FILES; i++) {
		check_file(i);
		undone += known[i].undone;
		if (known[i].undone) { /* from here on it is known */
			struct thaw_object object = get_object(object_of[i]);

			known[i].left = object.residency != THAW_RES_RESIDENT;
			known[i].bytes = object.bytes;
		}
	}
	ck_assert_uint_le(undone, THREADS);
	for (unsigned i = 0; i < request_count; i++)
		ck_assert_int_eq(thaw_catalog_request(cat, requests[i], &r), 0);
	for (unsigned i = 0; i < rounds; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "r%u-%u", i, imported[i]);
		if (imported[i])
			(void)lookup(dir, name);
	}
}

static void fill(void)
{
	struct thaw_listing *listing = thaw_listing_new(spec.id, root);
	struct thaw_entry e = dir_entry("dir");
	char name[16];

	ck_assert_int_eq(thaw_listing_add(listing, &e), 0);
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof(name), "f%03u", i);
		e = file_entry(name, "1", 1);
		ck_assert_int_eq(thaw_listing_add(listing, &e), 0);
	}
	ck_assert_int_eq(thaw_catalog_ingest(cat, &listing, 1), 0);
	thaw_listing_free(listing);
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof(name), "f%03u", i);
		node_of[i] = lookup_id(root, name);
		object_of[i] = lookup(root, name).object;
	}
}

START_TEST(killed)
{
	uint64_t dir;

	fixture_setup();
	fill();
	dir = lookup_id(root, "dir");
	for (round_now = 0; round_now < ROUNDS; round_now++) {
		cat = thaw_catalog_close(cat);
		run_child_and_kill(1 + (unsigned)random() % 700);
		ck_assert_int_eq(thaw_catalog_open(fixture_path, &cat, NULL), 0);
		ck_assert_int_eq(thaw_catalog_attach(cat, &spec, 1, &root), 0);
		check_all(dir, round_now + 1);
	}
	fixture_teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog_crash");
	TCase *tc = tcase_create("crash");

	srandom((unsigned)getpid());
	tcase_add_test(tc, killed);
	suite_add_tcase(suite, tc);
	return run_tests(suite);
}
