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
#define THAW_STAGE_HELP_ "Files whose transfer ended, by result."

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
	M(COUNTER, BYTES_STAGED, "bytes_staged_total", "", "Bytes that arrived from archives.") \
	M(COUNTER, STAGE_DONE, "stage_files_total", "result=\"done\"", THAW_STAGE_HELP_) \
	M(COUNTER, STAGE_FAILED, "stage_files_total", "result=\"failed\"", THAW_STAGE_HELP_) \
	M(COUNTER, STAGE_CANCELLED, "stage_files_total", "result=\"cancelled\"", THAW_STAGE_HELP_) \
	M(COUNTER, RECALLS, "recalls_total", "", \
	  "Objects that archives were asked to bring online.") \
	M(COUNTER, ARCHIVE_ERRORS, "archive_errors_total", "", \
	  "Calls to archives that failed, those tried again included.") \
	M(COUNTER, VERIFY_FAILURES, "verify_failures_total", "", \
	  "Files whose bytes did not match their digest: look at each.") \
	M(COUNTER, PREFETCH_BYTES, "prefetch_bytes_total", "", \
	  "Bytes staged before anyone asked for them.") \
	M(COUNTER, PREFETCH_WASTED_BYTES, "prefetch_wasted_bytes_total", "", \
	  "Bytes prefetched and dropped unread.") \
	M(GAUGE, QUEUE_DEPTH, "queue_depth", "", "Files that wait for a transfer to begin.") \
	M(GAUGE, FLIGHTS, "flights", "", "Files in transfer or recall.") \
	M(GAUGE, WAITERS, "waiters", "", "Opens and reads that wait for bytes.") \
	M(GAUGE, REQUESTS_ACTIVE, "requests_active", "", "Stage requests that have not ended.") \
	/* cache */ \
	M(GAUGE, CACHE_SIZE_BYTES, "cache_size_bytes", "", "Most bytes the cache may hold.") \
	M(GAUGE, CACHE_BYTES, "cache_bytes", "", "Bytes the cache holds.") \
	M(GAUGE, CACHE_RESERVED_BYTES, "cache_reserved_bytes", "", \
	  "Bytes promised to running transfers.") \
	M(GAUGE, CACHE_PINNED_BYTES, "cache_pinned_bytes", "", \
	  "Bytes of pinned files in the cache.") \
	M(GAUGE, CACHE_FILES, "cache_files", "", "Files the cache holds.") \
	M(COUNTER, EVICTIONS, "evictions_total", "", "Files dropped from the cache.") \
	M(COUNTER, EVICTED_BYTES, "evicted_bytes_total", "", "Bytes dropped from the cache.") \
	/* catalog */ \
	M(COUNTER, IMPORT_ENTRIES, "import_entries_total", "", \
	  "Entries read from archive listings.") \
	M(COUNTER, IMPORT_ERRORS, "import_errors_total", "", \
	  "Entries and directories an import could not take.") \
	M(COUNTER, CATALOG_COMMITS, "catalog_commits_total", "", \
	  "Transactions written to the catalog.") \
	M(COUNTER, CATALOG_OPS, "catalog_ops_total", "", "Changes written in those transactions.") \
	M(COUNTER, CONTROL_REQUESTS, "control_requests_total", "", \
	  "Requests on the control socket.")

#define THAW_HISTOGRAMS_TABLE(H) \
	H(RECALL, "recall_seconds", "From asking an archive for an object until it was online.") \
	H(STAGE, "stage_seconds", \
	  "From the first wish for a file until it was whole and verified.") \
	H(OPEN_WAIT, "open_wait_seconds", "How long opens of files that were not on flash waited.")
/* clang-format on */

#endif
