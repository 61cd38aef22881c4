/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * access.c - the pure half of peer.h.
 */
#include "control/peer.h"

#include "catalog/tree.h"

static bool in_group(const struct thaw_peer *peer, gid_t gid)
{
	if (peer->gid == gid)
		return true;
	for (size_t i = 0; i < peer->group_count; i++) {
		if (peer->groups[i] == gid)
			return true;
	}
	return false;
}

/* The owner is judged by the owner's bits even where others have more. */
static unsigned granted(const struct thaw_peer *peer, const struct thaw_node *node)
{
	if (peer->uid == node->uid)
		return node->mode >> 6 & 7;
	if (in_group(peer, node->gid))
		return node->mode >> 3 & 7;
	return node->mode & 7;
}

bool thaw_peer_may(const struct thaw_peer *peer, const struct thaw_node *node, unsigned need)
{
	return peer->privileged || (granted(peer, node) & need) == need;
}

bool thaw_peer_owns(const struct thaw_peer *peer, uid_t owner)
{
	return peer->privileged || peer->uid == owner;
}
