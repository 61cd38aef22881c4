/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "waiter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "archive/mem.h"
#include "stage/impl.h"

#define PIECE 65536

static void on_done(struct thaw_wait *wait, int status)
{
	struct waiter *w = (struct waiter *)wait;

	pthread_mutex_lock(&w->lock);
	w->calls++;
	w->status = status;
	pthread_cond_broadcast(&w->cond);
	pthread_mutex_unlock(&w->lock);
}

void waiter_init(struct waiter *w)
{
	memset(w, 0, sizeof(*w));
	w->wait.done = on_done;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->cond, NULL);
}

void waiter_release(struct waiter *w)
{
	pthread_cond_destroy(&w->cond);
	pthread_mutex_destroy(&w->lock);
}

int waiter_calls(struct waiter *w)
{
	int calls;

	pthread_mutex_lock(&w->lock);
	calls = w->calls;
	pthread_mutex_unlock(&w->lock);
	return calls;
}

int waiter_status(struct waiter *w)
{
	struct timespec until;
	int rc = 0, status;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 60;
	pthread_mutex_lock(&w->lock);
	while (!w->calls && rc == 0)
		rc = pthread_cond_timedwait(&w->cond, &w->lock, &until);
	status = w->calls ? w->status : -ETIMEDOUT;
	pthread_mutex_unlock(&w->lock);
	return status;
}

static int finish(struct waiter *w, int r)
{
	if (r == -EINPROGRESS)
		r = waiter_status(w);
	else if (waiter_calls(w)) /* both ways at once */
		r = -EPROTO;
	waiter_release(w);
	return r;
}

int open_wait(struct thaw_stage *stage, uint64_t node, unsigned flags, struct thaw_obj **ret)
{
	struct thaw_obj *obj = NULL;
	struct waiter w;
	bool parked;
	int r;

	waiter_init(&w);
	r = thaw_stage_open(stage, node, flags, &w.wait, &obj);
	parked = r == -EINPROGRESS;
	r = finish(&w, r);
	if (r == 0)
		*ret = parked ? w.wait.obj : obj;
	return r;
}

int bulk_wait(struct thaw_stage *stage, uint64_t node, struct thaw_obj **ret)
{
	struct thaw_obj *obj = NULL;
	struct waiter w;
	bool parked;
	int r;

	waiter_init(&w);
	r = stage_open_bulk(stage, node, &w.wait, &obj);
	parked = r == -EINPROGRESS;
	r = finish(&w, r);
	if (r == 0)
		*ret = parked ? w.wait.obj : obj;
	return r;
}

int read_wait(struct thaw_stage *stage, struct thaw_obj *obj, uint64_t off, uint64_t len)
{
	struct waiter w;

	waiter_init(&w);
	return finish(&w, thaw_stage_read(stage, obj, off, len, &w.wait));
}

int want_dir_wait(struct thaw_stage *stage, uint64_t dir)
{
	struct waiter w;

	waiter_init(&w);
	return finish(&w, thaw_stage_want_dir(stage, dir, &w.wait));
}

static int compare_piece(struct thaw_obj *obj, uint64_t seed, uint64_t off, size_t len)
{
	char *got = malloc(2 * len + 1), *want = got + len;
	ssize_t n;
	int r = 0;

	if (!got)
		return -ENOMEM;
	thaw_archive_mem_pattern(seed, off, want, len);
	n = pread(thaw_obj_fd(obj), got, len, (off_t)off);
	if (n != (ssize_t)len)
		r = n < 0 ? -errno : -ENODATA;
	else if (memcmp(got, want, len) != 0)
		r = -EILSEQ;
	free(got);
	return r;
}

int compare_range(struct thaw_stage *stage, struct thaw_obj *obj, uint64_t seed, uint64_t off,
		  uint64_t len)
{
	int r = 0;

	while (len && r == 0) {
		size_t n = len < PIECE ? (size_t)len : PIECE;

		r = read_wait(stage, obj, off, n);
		if (r == 0)
			r = compare_piece(obj, seed, off, n);
		off += n;
		len -= n;
	}
	return r;
}

int open_compare(struct thaw_stage *stage, uint64_t node, unsigned flags, uint64_t size,
		 uint64_t seed)
{
	struct thaw_obj *obj;
	int r = open_wait(stage, node, flags, &obj);

	if (r < 0)
		return r;
	r = thaw_obj_size(obj) == size ? compare_range(stage, obj, seed, 0, size) : -EFBIG;
	thaw_stage_close(stage, obj);
	return r;
}
