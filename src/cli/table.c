/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/cli.h"

#define FLAG(letter, name, member, help)                                     \
	{                                                                    \
		letter, name, NULL, offsetof(struct thaw_args, member), help \
	}
#define VALUE(letter, name, arg, member, help)                              \
	{                                                                   \
		letter, name, arg, offsetof(struct thaw_args, member), help \
	}
#define END                            \
	{                              \
		0, NULL, NULL, 0, NULL \
	}
#define ANY ((size_t)-1)

/* clang-format off */
const struct thaw_option thaw_common_options[] = {
	FLAG(0, "json", json, "print JSON"),
	VALUE(0, "mount", "DIR", mount, "the mount to talk to"),
	VALUE(0, "socket", "FILE", socket, "the daemon's socket"),
	FLAG('h', "help", help, "print this"),
	END
};

static const struct thaw_option none[] = { END };

static const struct thaw_option import_options[] = {
	FLAG(0, "wait", wait, "wait until it is done (the default)"),
	FLAG(0, "no-wait", no_wait, "return when it has begun"),
	FLAG(0, "allow-empty", allow_empty, "believe an archive that lists nothing at all"),
	END
};

static const struct thaw_option state_options[] = {
	FLAG('r', "recursive", recursive, "whole trees"),
	FLAG('d', "directory", directory, "directories themselves, not what is in them"),
	END
};

static const struct thaw_option stage_options[] = {
	VALUE(0, "from", "FILE", from, "read paths from FILE, - is standard input"),
	FLAG('0', "null", nul, "paths of --from end in NUL, not newline"),
	FLAG('w', "wait", wait, "wait until all is there, showing progress"),
	VALUE(0, "min-fraction", "F", min_fraction,
	      "wait until this share of the files is there (0.95 or 95%)"),
	END
};

static const struct thaw_option pin_options[] = {
	VALUE(0, "for", "TIME", for_, "how long: 90s 15m 12h 7d 4w"),
	VALUE(0, "until", "TIME", until, "until when: 2026-12-01 or 2026-12-01T12:00:00Z"),
	FLAG(0, "forever", forever, "until unpinned (the default)"),
	VALUE(0, "label", "LABEL", label, "a note shown by thaw pins"),
	FLAG('w', "wait", wait, "wait until all is there, showing progress"),
	END
};

static const struct thaw_option evict_options[] = {
	FLAG(0, "force", force, "pinned files too; their pins stay"),
	END
};

static const struct thaw_option requests_options[] = {
	VALUE('n', "limit", "N", limit, "list at most so many (default 100)"),
	END
};

static const struct thaw_option status_options[] = {
	FLAG(0, "watch", watch, "again every two seconds"),
	END
};

const struct thaw_command thaw_commands[] = {
	{ "import", "[COLLECTION|PATH...]", "read the archive's listing into the catalog",
	  "Lists the named collections or directories (all collections when none is named)\n"
	  "and merges what is new, changed or gone into the catalog. Repeat it to refresh.\n"
	  "For root and the daemon's user.",
	  import_options, 0, ANY, thaw_cmd_import },
	{ "state", "PATH...", "what is where, one line a file",
	  "Prints state, size, bytes on flash, pin and path of each file. A directory has a\n"
	  "line with the sum of its tree, followed by one for everything in it.\n"
	  "States: online offline queued recalling fetching partial failed lost.",
	  state_options, 1, ANY, thaw_cmd_state },
	{ "stage", "PATH... | --from FILE|-", "bring files to flash",
	  "Asks for files, or whole trees, and prints the id of the request. With --wait it\n"
	  "exits 0 when all came, 3 when some did (the others are named) and 1 when none did.\n"
	  "Interrupting it leaves the request running.",
	  stage_options, 0, ANY, thaw_cmd_stage },
	{ "requests", "[ID]", "all requests, or one with its files",
	  "Without ID: your requests, newest first (root sees those of all). With ID: that\n"
	  "request, how long it may take, each of its files and what it waits for.",
	  requests_options, 0, 1, thaw_cmd_requests },
	{ "cancel", "ID", "end a request",
	  "Files that did not come yet are given up; those that did stay.",
	  none, 1, 1, thaw_cmd_cancel },
	{ "pin", "PATH...", "bring files to flash and keep them there",
	  "A pin on a directory covers its whole tree. Files of later imports are kept once they\n"
	  "are read or staged, but not staged by themselves. Setting it again replaces it.",
	  pin_options, 1, ANY, thaw_cmd_pin },
	{ "unpin", "PATH...", "take pins away",
	  "The files stay on flash until room is needed.",
	  none, 1, ANY, thaw_cmd_unpin },
	{ "pins", "", "what is pinned, until when, and by whom", NULL, none, 0, 0, thaw_cmd_pins },
	{ "evict", "PATH...", "drop files from flash",
	  "The archive keeps them, they come back when they are read. Pinned files and files\n"
	  "in use stay. For root and the daemon's user.",
	  evict_options, 1, ANY, thaw_cmd_evict },
	{ "status", "", "cache, queues, archives", NULL, status_options, 0, 0, thaw_cmd_status },
	{ "metrics", "", "what the daemon counts, as Prometheus reads it", NULL, none, 0, 0,
	  thaw_cmd_metrics },
	{ "help", "[COMMAND]", "explain a command", NULL, none, 0, 1, thaw_cmd_help },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0, NULL },
};
/* clang-format on */
