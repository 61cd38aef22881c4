/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fault_get.c - a transfer that goes wrong.
 *
 * What will happen, and before which byte, is drawn first; then the bytes of
 * the inner archive are poured through in pieces that end where something
 * happens.
 */
#include <errno.h>

#include "archive/archive.h"
#include "archive/backend.h"
#include "archive/fault.h"
#include "base/clock.h"
#include "base/err.h"

#define LOOK_NS (20 * THAW_NS_PER_MS) /* how often a wait looks for its release */
#define NEVER   UINT64_MAX
#define CUT     1 /* to the inner archive: stop; no error */

struct pour {
	struct thaw_fault *fa;
	thaw_sink_fn *sink;
	void *ctx;
	const struct thaw_call *call;
	uint64_t done; /* bytes passed on */
	uint64_t rate;
	int64_t start_ns;
	/* happen before this byte of the call */
	uint64_t fail_at, cut_at, flip_at, stall_at;
	int fail_code;
	bool cut, stale;
};

/* --- chance ---------------------------------------------------------------------------- */

/* The n-th number of the seed's row (splitmix64). */
static uint64_t draw(struct thaw_fault *fa, uint64_t seed)
{
	uint64_t n = atomic_fetch_add(&fa->draws, 1) + 1;
	uint64_t x = seed + n * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* A byte of the call that something happens to, or NEVER. */
static uint64_t draw_place(struct thaw_fault *fa, uint64_t seed, uint64_t percent, uint64_t len)
{
	if (!percent || draw(fa, seed) % 100 >= percent)
		return NEVER;
	return len ? draw(fa, seed) % len : 0;
}

static void plan(struct pour *p, const struct thaw_fault_settings *s, uint64_t len)
{
	p->fail_code = -EIO;
	p->fail_at = draw_place(p->fa, s->seed, s->error_rate, len);
	if (p->fail_at == NEVER) {
		p->fail_code = -EAGAIN;
		p->fail_at = draw_place(p->fa, s->seed, s->eagain_rate, len);
	}
	p->cut_at = len ? draw_place(p->fa, s->seed, s->short_rate, len) : NEVER;
	p->flip_at = draw_place(p->fa, s->seed, s->flip_rate, len);
	p->stale = draw_place(p->fa, s->seed, s->stale_rate, len) != NEVER;
	p->stall_at = s->stall_after;
	p->rate = s->rate;
}

/* --- waiting --------------------------------------------------------------------------- */

static int wait_endless(struct pour *p, struct thaw_fault_settings *settings)
{
	int rc = 0;

	while (!rc && settings->endless) {
		rc = thaw_archive_sleep(p->call, LOOK_NS);
		if (!rc)
			rc = thaw_fault_now(p->fa, settings, p->call->err);
	}
	return rc;
}

static int wait_stall(struct pour *p)
{
	struct thaw_fault_settings settings = {.stall_after = p->done};
	int rc = 0;

	while (!rc && settings.stall_after <= p->done) {
		rc = thaw_archive_sleep(p->call, LOOK_NS);
		if (!rc)
			rc = thaw_fault_now(p->fa, &settings, p->call->err);
	}
	p->stall_at = settings.stall_after;
	return rc;
}

static int keep_rate(const struct pour *p)
{
	int64_t due;

	if (!p->rate)
		return 0;
	due = p->start_ns + (int64_t)((double)p->done / (double)p->rate * (double)THAW_NS_PER_S);
	return thaw_archive_sleep(p->call, due - thaw_clock_mono_ns());
}

/* --- pouring --------------------------------------------------------------------------- */

/* What is to happen before the next byte. */
static int happen(struct pour *p)
{
	if (p->done == p->fail_at)
		return thaw_err_set(p->call->err, p->fail_code, "byte %ju: %s", (uintmax_t)p->done,
				    p->fail_code == -EIO ? "error_rate" : "eagain_rate");
	if (p->done == p->cut_at) {
		p->cut = true;
		return CUT;
	}
	return p->done >= p->stall_at ? wait_stall(p) : 0;
}

static size_t cut_before(const struct pour *p, size_t len, uint64_t place)
{
	return place > p->done && place - p->done < len ? place - p->done : len;
}

/* How many bytes pass before something happens; some at least. */
static size_t quiet_len(const struct pour *p, size_t len)
{
	if (p->done == p->flip_at)
		return 1;
	len = cut_before(p, len, p->fail_at);
	len = cut_before(p, len, p->cut_at);
	len = cut_before(p, len, p->flip_at);
	len = cut_before(p, len, p->stall_at);
	if (p->rate && len > p->rate / 50 + 1) /* a slice of 20 ms */
		len = p->rate / 50 + 1;
	return len;
}

static int pour_some(struct pour *p, uint64_t off, const unsigned char *data, size_t len)
{
	unsigned char flipped;

	if (p->done == p->flip_at) {
		flipped = *data ^ 0x01;
		data = &flipped;
	}
	return p->sink(p->ctx, off, data, len);
}

static int pour(void *ctx, uint64_t off, const void *data, size_t len)
{
	struct pour *p = ctx;
	const unsigned char *bytes = data;

	while (len) {
		int rc = happen(p);
		size_t n = quiet_len(p, len);

		if (!rc)
			rc = pour_some(p, off, bytes, n);
		if (rc)
			return rc;
		p->done += n;
		bytes += n;
		off += n;
		len -= n;
		rc = keep_rate(p);
		if (rc)
			return rc;
	}
	return 0;
}

int thaw_fault_get(struct thaw_archive *ar, struct thaw_key key, const struct thaw_tag *tag,
		   uint64_t off, uint64_t len, thaw_sink_fn *sink, void *ctx,
		   const struct thaw_call *call)
{
	struct pour p = {.fa = (struct thaw_fault *)ar, .sink = sink, .ctx = ctx, .call = call};
	struct thaw_fault_settings settings;
	int rc;

	rc = thaw_fault_enter(p.fa, key, call, &settings);
	if (!rc)
		rc = thaw_archive_sleep(call, (int64_t)settings.delay * THAW_NS_PER_MS);
	if (!rc)
		rc = wait_endless(&p, &settings);
	if (rc)
		return rc;
	plan(&p, &settings, len);
	p.start_ns = thaw_clock_mono_ns();
	if (!len) /* nothing will be poured */
		rc = happen(&p);
	if (!rc)
		rc = thaw_archive_get(p.fa->inner, key, tag, off, len, pour, &p, call);
	if (p.cut)
		return 0; /* the lie that short_rate is for */
	if (!rc && p.stale)
		return thaw_err_set(call->err, -ESTALE, "changed meanwhile (stale_rate)");
	return rc;
}
