/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/progress.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"

#define TTY_INTERVAL_NS   (100 * THAW_NS_PER_MS)
#define PLAIN_INTERVAL_NS (10 * THAW_NS_PER_S)
#define BAR_WIDTH         24
#define AMOUNT_TEXT       24
#define LINE_SIZE         160

void thaw_progress_init(struct thaw_progress *progress, FILE *out, const char *verb,
			const char *unit)
{
	*progress = (struct thaw_progress){
		.out = out,
		.verb = verb,
		.unit = unit,
		.tty = out && isatty(fileno(out)),
		.start_ns = thaw_clock_mono_ns(),
	};
	/* the first plain line comes when the first interval is over */
	progress->drawn_ns = progress->tty ? 0 : progress->start_ns;
}

static const char *amount(char text[AMOUNT_TEXT], const struct thaw_progress *progress, uint64_t n)
{
	if (!progress->unit)
		return thaw_format_size(text, n);
	(void)snprintf(text, AMOUNT_TEXT, "%" PRIu64, n);
	return text;
}

static const char *bar(char text[BAR_WIDTH + 1], uint64_t done, uint64_t total)
{
	size_t filled = (size_t)((unsigned __int128)done * BAR_WIDTH / total);

	memset(text, '-', BAR_WIDTH);
	memset(text, '#', filled);
	text[BAR_WIDTH] = '\0';
	return text;
}

struct pace {
	uint64_t per_second;
	int64_t left_s; /* -1: not known */
};

static struct pace measure(int64_t elapsed_ns, uint64_t done, uint64_t total)
{
	double seconds = (double)elapsed_ns / (double)THAW_NS_PER_S;
	struct pace pace = {.left_s = -1};

	if (seconds < 0.001 || !done)
		return pace;
	pace.per_second = (uint64_t)((double)done / seconds);
	if (total > done)
		pace.left_s = (int64_t)((double)(total - done) * seconds / (double)done);
	return pace;
}

/* "staging  42% [###---] 1.2G of 3.4G, 105M/s, 2m03s left" */
static void compose(const struct thaw_progress *progress, uint64_t done, uint64_t total,
		    int64_t now, char line[LINE_SIZE])
{
	const char *gap = progress->unit ? " " : "", *unit = progress->unit ? progress->unit : "";
	struct pace pace = measure(now - progress->start_ns, done, total);
	char a[AMOUNT_TEXT], b[AMOUNT_TEXT], left[THAW_SIZE_TEXT], drawn[BAR_WIDTH + 1];
	struct {
		char share[16], bar[BAR_WIDTH + 4], of[AMOUNT_TEXT + 8], rate[AMOUNT_TEXT + 8],
			eta[THAW_SIZE_TEXT + 8];
	} t = {.share = ""};

	if (total) {
		if (done > total)
			done = total;
		(void)snprintf(t.share, sizeof(t.share), " %3u%%",
			       (unsigned)((unsigned __int128)done * 100 / total));
		if (progress->tty)
			(void)snprintf(t.bar, sizeof(t.bar), " [%s]", bar(drawn, done, total));
		(void)snprintf(t.of, sizeof(t.of), " of %s", amount(a, progress, total));
	}
	if (pace.per_second)
		(void)snprintf(t.rate, sizeof(t.rate), ", %s/s",
			       amount(a, progress, pace.per_second));
	if (pace.left_s >= 0)
		(void)snprintf(t.eta, sizeof(t.eta), ", %s left",
			       thaw_format_duration(left, pace.left_s));
	(void)snprintf(line, LINE_SIZE, "%s%s%s %s%s%s%s%s%s", progress->verb, t.share, t.bar,
		       amount(b, progress, done), t.of, gap, unit, t.rate, t.eta);
}

static void draw(struct thaw_progress *progress, uint64_t done, uint64_t total, bool last)
{
	int64_t now = thaw_clock_mono_ns();
	char line[LINE_SIZE];

	compose(progress, done, total, now, line);
	progress->drawn_ns = now;
	if (progress->tty)
		(void)fprintf(progress->out, "\r%s\033[K%s", line, last ? "\n" : "");
	else
		(void)fprintf(progress->out, "%s\n", line);
	(void)fflush(progress->out);
}

void thaw_progress_show(struct thaw_progress *progress, uint64_t done, uint64_t total)
{
	int64_t interval = progress->tty ? TTY_INTERVAL_NS : PLAIN_INTERVAL_NS;

	if (progress->out && thaw_clock_mono_ns() - progress->drawn_ns >= interval)
		draw(progress, done, total, false);
}

void thaw_progress_end(struct thaw_progress *progress, uint64_t done, uint64_t total)
{
	if (progress->out)
		draw(progress, done, total, true);
}
