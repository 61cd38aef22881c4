/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * socket.h - the listening socket and its name in the file system.
 *
 * The name of a daemon that died is taken over, that of a living one is not.
 * The directory is made when it is missing (0755) and the socket is 0666: who
 * may do what is decided for each request (peer.h).
 */
#ifndef THAW_CONTROL_SOCKET_H
#define THAW_CONTROL_SOCKET_H

#include <sys/types.h>

struct thaw_err;

struct thaw_socket {
	int fd;
	char *path; /* owned */
	dev_t dev;
	ino_t ino;
};

/* -EADDRINUSE: a daemon answers there. */
int thaw_socket_open(const char *path, struct thaw_socket *ret, struct thaw_err *err);
/* Takes the name away if it is still this socket's. */
void thaw_socket_close(struct thaw_socket *sock);

#endif
