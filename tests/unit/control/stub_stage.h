/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stub_stage.h - an engine that is a small tree in memory.
 *
 * Implements what the control room calls of stage/.  Tests build a tree, look
 * at what was asked, and hold or let go of listings.  Its own lock makes it
 * safe to use beside a running server.
 */
#ifndef TESTS_STUB_STAGE_H
#define TESTS_STUB_STAGE_H

#include <pthread.h>
#include <stdatomic.h>

#include "conf/conf.h"
#include "stage/admin.h"
#include "stage/names.h"
#include "stage/open.h"
#include "stage/stage.h"
#include "stage/view.h"

#define STUB_NODES    4096
#define STUB_REQUESTS 64
#define STUB_PINS     64

struct stub_node {
	struct thaw_node node;
	char name[64];
	size_t name_len;
	enum thaw_state state;
	const char *error; /* its user.thaw.error */
};

struct stub_request {
	struct thaw_request request;
	struct thaw_request_file *files;
	size_t count;
};

struct thaw_stage {
	pthread_mutex_t lock;
	struct thaw_conf conf;
	struct stub_node nodes[STUB_NODES]; /* id is index + 1; 1 is the root */
	size_t count;
	struct stub_request requests[STUB_REQUESTS];
	size_t request_count;
	struct thaw_pin pins[STUB_PINS];
	size_t pin_count;

	struct thaw_wait *waiting; /* on a listing */
	uint64_t waiting_dir;
	bool list_at_once;   /* want_dir answers 0 */
	unsigned step_files; /* so many files come with every look at a request */
	unsigned fail_every; /* of them every so manyth fails; 0: none */
	bool pins_do_not_fit;

	uint64_t last_import;
	bool last_allow_empty, last_force;
	unsigned import_looks; /* until an import is over */
	uint64_t import_errors;
	struct thaw_status status; /* but for `files` */
	int status_error;
	atomic_uint cancelled_waits;
	atomic_uint request_looks;
};

struct thaw_stage *stub_new(void);
struct thaw_stage *stub_free(struct thaw_stage *stage);
/* Returns the id. */
uint64_t stub_add(struct thaw_stage *stage, uint64_t parent, const char *name,
		  enum thaw_entry_type type, uint32_t mode, uint32_t uid, uint32_t gid,
		  uint64_t size);
struct stub_node *stub_at(struct thaw_stage *stage, uint64_t id);
/* The listing somebody waits for is there (status 0) or failed. */
bool stub_listed(struct thaw_stage *stage, int status);
bool stub_is_waited_for(struct thaw_stage *stage);

#endif
