/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control_proto.h - the words and limits of the control protocol.
 *
 * Newline-delimited JSON over a SOCK_STREAM unix socket, described for people
 * in docs/control-protocol.md.  The socket of a mount is the value of its
 * user.thaw.socket attribute.
 */
#ifndef THAW_CONTROL_PROTO_H
#define THAW_CONTROL_PROTO_H

/* Rises when something that clients rely on changes; `ping` tells it. */
#define THAW_CONTROL_PROTOCOL 1

/* Longest line either way, without its newline. */
#define THAW_CONTROL_LINE_MAX    (1024 * 1024)
#define THAW_CONTROL_CONNECTIONS 64
/* Most of them for one uid other than root and the daemon's own. */
#define THAW_CONTROL_CONNECTIONS_UID 32
/* A peer that neither ends a line nor takes its answer for so long is cut. */
#define THAW_CONTROL_IDLE_MS 30000
/* How long a path may wait for its directory to be listed. */
#define THAW_CONTROL_LIST_WAIT_MS 30000
/* Paths of one stage_begin ... stage_end. */
#define THAW_CONTROL_BATCH_MAX (16 * 1024 * 1024)
/* Files of one answer to `request`. */
#define THAW_CONTROL_FILES_MAX 1000

#define THAW_OP_PING            "ping"
#define THAW_OP_VERSION         "version"
#define THAW_OP_STATUS          "status"
#define THAW_OP_METRICS         "metrics"
#define THAW_OP_STATE           "state"
#define THAW_OP_STAGE           "stage"
#define THAW_OP_STAGE_BEGIN     "stage_begin"
#define THAW_OP_STAGE_PATHS     "stage_paths"
#define THAW_OP_STAGE_END       "stage_end"
#define THAW_OP_REQUESTS        "requests"
#define THAW_OP_REQUEST         "request"
#define THAW_OP_CANCEL          "cancel"
#define THAW_OP_PIN             "pin"
#define THAW_OP_UNPIN           "unpin"
#define THAW_OP_PINS            "pins"
#define THAW_OP_EVICT           "evict"
#define THAW_OP_IMPORT          "import"
#define THAW_OP_IMPORT_PROGRESS "import_progress"

#endif
