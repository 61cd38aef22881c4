/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control.h - the daemon's second front door: a unix socket for `thaw`.
 *
 * The protocol, in short (docs/control-protocol.md has every request):
 *
 *   peer    {"op": "state", "path": "/news/a.tar"}
 *   daemon  {"item": {"path": "/news/a.tar", "state": "online", ...}}
 *   daemon  {"ok": true, "done": 1, "failed": 0}
 *
 * AF_UNIX, SOCK_STREAM.  A request is one line of JSON, an object with "op";
 * its answer is any number of {"item": ...} lines and one last line, either
 * {"ok": true, ...} or {"error": {"code": "ENOENT", "text": "..."}}.  A
 * connection takes any number of requests, one after another, answered in
 * order; they may be sent ahead.  A line that is no request is answered with
 * an error and costs nothing else; one that is too long ends the connection,
 * because where the next begins is not known.  Names that are not UTF-8
 * travel as base64 (control/wire.h).
 *
 * Who asks is known from the kernel (SO_PEERCRED, SO_PEERGROUPS).  Every path
 * is checked with the rights of that user, on every directory above it too;
 * see control/peer.h and the table in the document.
 *
 * Threads: one polls and accepts, four work.  A connection is with a worker
 * only while there is something to do for it: none of them ever waits for a
 * peer.  A long answer is made in turns of a few milliseconds and held while
 * the peer does not take it.  So a slow, silent or vanished peer costs a
 * connection and some memory, both bounded (thaw/control_proto.h), and is cut
 * after the idle time.  An engine call that takes long (evicting a large
 * tree) does hold its worker.
 *
 * Locks: one (THAW_RANK_CONTROL), for the list of connections, the run queue
 * and each connection's place in them; held for moments, never across a read,
 * a reply or a call into the engine.
 */
#ifndef THAW_CONTROL_CONTROL_H
#define THAW_CONTROL_CONTROL_H

#include <stddef.h>

struct thaw_control;
struct thaw_err;
struct thaw_stage;

struct thaw_control_limits {
	unsigned connections;
	unsigned connections_uid;
	int idle_ms;
	int list_wait_ms;
	size_t line_max;
};
/* Those of thaw/control_proto.h. */
extern const struct thaw_control_limits thaw_control_default_limits;

/* Makes threads: after the daemon's fork.  The stage is borrowed until stop. */
int thaw_control_start(struct thaw_stage *stage, const char *socket_path, struct thaw_control **ret,
		       struct thaw_err *err);
int thaw_control_start_limited(struct thaw_stage *stage, const char *socket_path,
			       const struct thaw_control_limits *limits, struct thaw_control **ret,
			       struct thaw_err *err);

/* Ends every conversation where it is, joins the threads, removes the socket.
 * Call it while the engine still runs. */
struct thaw_control *thaw_control_stop(struct thaw_control *control);

#endif
