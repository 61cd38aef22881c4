/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Asks for the size first.  A kernel without the option: no groups but the
 * main one, which can only refuse more. */
static int read_groups(int fd, struct thaw_peer *peer)
{
	socklen_t size = 0;
	_cleanup_free_ gid_t *groups = NULL;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno == ENOPROTOOPT)
		return 0;
	if (errno != ERANGE)
		return -errno;
	groups = malloc(size);
	if (!groups)
		return -ENOMEM;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return -errno;
	peer->groups = thaw_steal(&groups);
	peer->group_count = size / sizeof(gid_t);
	return 0;
}

int thaw_peer_of(int fd, struct thaw_peer *ret)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);
	struct thaw_peer peer = {0};
	int rc;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return -errno;
	peer.uid = cred.uid;
	peer.gid = cred.gid;
	peer.pid = cred.pid;
	peer.privileged = cred.uid == 0 || cred.uid == geteuid();
	rc = read_groups(fd, &peer);
	if (rc)
		return rc;
	*ret = peer;
	return 0;
}

void thaw_peer_release(struct thaw_peer *peer)
{
	free(peer->groups);
	*peer = (struct thaw_peer){0};
}
