/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuse/replybuf.h"

#include <pthread.h>
#include <stdlib.h>

struct kept {
	size_t room;
	char data[];
};

static pthread_key_t kept_key;
static pthread_once_t kept_once = PTHREAD_ONCE_INIT;
static int kept_error;

static void make_key(void)
{
	kept_error = pthread_key_create(&kept_key, free);
}

static char *thread_buffer(size_t size)
{
	struct kept *kept, *grown;

	if (pthread_once(&kept_once, make_key) != 0 || kept_error != 0)
		return NULL;
	kept = pthread_getspecific(kept_key);
	if (kept && kept->room >= size)
		return kept->data;
	grown = malloc(sizeof(*grown) + size);
	if (!grown || pthread_setspecific(kept_key, grown) != 0) {
		free(grown);
		return NULL;
	}
	free(kept);
	grown->room = size;
	return grown->data;
}

char *thaw_replybuf(fuse_req_t req, size_t size)
{
#ifdef HAVE_FUSE_IO_URING
	char *payload;
	size_t room;

	if (fuse_req_get_payload(req, &payload, &room, NULL) == 0 && room >= size)
		return payload;
#else
	(void)req;
#endif
	return thread_buffer(size);
}
