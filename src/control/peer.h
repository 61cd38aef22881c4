/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * peer.h - who is at the other end, and what that one may do.
 *
 * The socket is open to everybody, so every path is checked as the kernel
 * would check it for a process with the peer's user and groups: one of the
 * three sets of permission bits is chosen and that one alone decides.  Root
 * and the daemon's own user pass everywhere, as they can read the cache.
 */
#ifndef THAW_CONTROL_PEER_H
#define THAW_CONTROL_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct thaw_node;

struct thaw_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	gid_t *groups; /* owned */
	size_t group_count;
	bool privileged; /* root or the daemon's own user */
};

/* Of a connected unix socket: as it was when the peer connected. */
int thaw_peer_of(int fd, struct thaw_peer *ret);
void thaw_peer_release(struct thaw_peer *peer);

enum { THAW_MAY_READ = 4, THAW_MAY_SEARCH = 1 };
/* need: any of THAW_MAY_...; all of them must be granted. */
bool thaw_peer_may(const struct thaw_peer *peer, const struct thaw_node *node, unsigned need);
/* Does `owner` answer to this peer? */
bool thaw_peer_owns(const struct thaw_peer *peer, uid_t owner);

#endif
