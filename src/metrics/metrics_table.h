/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * metrics_table.h - every metric there is: the one list.
 *
 * M(kind, ID, name, label, help): kind is COUNTER or GAUGE; names get
 * "thawfs_" in front.  Rows of one family stand together, with one help.
 * H(ID, name, help): histograms of seconds.
 */
#ifndef THAW_METRICS_METRICS_TABLE_H
#define THAW_METRICS_METRICS_TABLE_H

#define THAW_OPENS_HELP_ "Opens by what they found: all of it on flash, none, or still arriving."
#define THAW_STAGE_HELP_ "Files asked of archives, by result; cancelled ones are failed."

/* clang-format off */
#define THAW_METRICS_TABLE(M) \
	M(GAUGE, START_TIME, "start_time_seconds", "", \
	  "When the daemon started, seconds since the epoch.") \
	/* the kernel's door */ \
	M(COUNTER, FUSE_REQUESTS, "fuse_requests_total", "", "Requests from the kernel.") \
	M(COUNTER, OPENS_HIT, "opens_total", "result=\"hit\"", THAW_OPENS_HELP_) \
	M(COUNTER, OPENS_MISS, "opens_total", "result=\"miss\"", THAW_OPENS_HELP_) \
	M(COUNTER, OPENS_STREAM, "opens_total", "result=\"stream\"", THAW_OPENS_HELP_) \
	M(COUNTER, OPEN_ERRORS, "open_errors_total", "", \
	  "Opens answered with an error, interrupts included.") \
	M(COUNTER, PASSTHROUGH_OPENS, "passthrough_opens_total", "", \
	  "Opens whose reads the kernel serves itself.") \
	M(COUNTER, READS_DAEMON, "reads_daemon_total", "", "Reads that went through the daemon.") \
	M(COUNTER, READ_DAEMON_BYTES, "read_daemon_bytes_total", "", \
	  "Bytes of reads that went through the daemon.") \
	/* staging */ \
	M(COUNTER, BYTES_STAGED, "bytes_staged_total", "", "Bytes of files that came whole.") \
	M(COUNTER, STAGE_DONE, "stage_files_total", "result=\"done\"", THAW_STAGE_HELP_) \
	M(COUNTER, STAGE_FAILED, "stage_files_total", "result=\"failed\"", THAW_STAGE_HELP_) \
	M(GAUGE, QUEUE_DEPTH, "queue_depth", "", \
	  "Files that wait for a transfer to begin, or for room.") \
	M(GAUGE, FLIGHTS, "flights", "", "Files on their way, those that wait included.") \
	M(GAUGE, WAITERS, "waiters", "", "Opens and reads that wait for bytes.") \
	M(GAUGE, REQUESTS_ACTIVE, "requests_active", "", "Stage requests that have not ended.") \
	/* cache */ \
	M(GAUGE, CACHE_SIZE_BYTES, "cache_size_bytes", "", "Most bytes the cache may hold.") \
	M(GAUGE, CACHE_BYTES, "cache_bytes", "", "Bytes of files the cache holds.") \
	M(GAUGE, CACHE_USED_BYTES, "cache_used_bytes", "", \
	  "Bytes that count against its size: held, promised, and their overhead.") \
	M(GAUGE, CACHE_RESERVED_BYTES, "cache_reserved_bytes", "", \
	  "Bytes promised to running transfers.") \
	M(GAUGE, CACHE_PINNED_BYTES, "cache_pinned_bytes", "", \
	  "Bytes of pinned files in the cache.") \
	M(GAUGE, CACHE_FILES, "cache_files", "", "Files the cache holds.") \
	M(COUNTER, EVICTIONS, "evictions_total", "", "Files dropped from the cache.") \
	M(COUNTER, EVICTED_BYTES, "evicted_bytes_total", "", "Bytes dropped from the cache.") \
	/* the other door */ \
	M(COUNTER, CONTROL_REQUESTS, "control_requests_total", "", \
	  "Requests on the control socket.")

#define THAW_HISTOGRAMS_TABLE(H) \
	H(OPEN_WAIT, "open_wait_seconds", "How long opens of files that were not on flash waited.")
/* clang-format on */

#endif
