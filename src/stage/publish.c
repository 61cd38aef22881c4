/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * publish.c - the end of a flight whose bytes are all there: check the digest,
 * give the file its final name.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "stage/impl.h"

/* Every digest that was on record before must come out again. */
static int check_digests(struct flight *flight, struct thaw_published *what)
{
	const struct thaw_object *known = &flight->on_record;
	int r = thaw_digest_final(flight->digest, what->digest);

	if (r < 0)
		return r;
	what->digests = known->digests | 1u << THAW_SHA256;
	for (unsigned alg = 0; alg < THAW_DIGEST_ALGS; alg++)
		if (known->digests & 1u << alg &&
		    memcmp(known->digest[alg], what->digest[alg], thaw_digest_size(alg)) != 0)
			return -EBADMSG;
	return 0;
}

static void quarantine(struct thaw_stage *stage, struct flight *flight)
{
	char name[256];
	uint64_t bytes = 0;

	thaw_part_quarantine(stage_flight_take_part(stage, flight), &bytes);
	thaw_path_quote(name, sizeof(name), flight->key.data, flight->key.len);
	thaw_error("archive %s: %s: the bytes do not match the digest on record; %s, not served",
		   stage_flight_archive(flight)->conf->name, name,
		   bytes || !flight->obj->size ? "kept in the cache's quarantine" :
						 "quarantine is full: dropped");
}

/* Readers may have it from here on; durable.c makes it last. */
static int link_it(struct thaw_stage *stage, struct flight *flight)
{
	struct thaw_obj *obj = flight->obj;
	int fd = -1;
	int r = check_digests(flight, &flight->published);

	if (r == -EBADMSG)
		quarantine(stage, flight);
	if (r == 0) /* a filesystem without attributes: taken up never, staged again */
		(void)stage_note_digest(thaw_part_fd(flight->part),
					flight->published.digest[THAW_SHA256]);
	if (r == 0)
		r = thaw_part_link(flight->part);
	if (r == 0)
		r = thaw_store_open_object(stage->store, obj->id, obj->size, &fd);
	if (r == 0)
		atomic_store(&obj->fd, fd);
	return r;
}

void stage_flight_publish(struct thaw_stage *stage, struct flight *flight)
{
	int r;

	flight->published = (struct thaw_published){
		.object = flight->obj->id, .now = thaw_clock_real_s(),
	};
	r = link_it(stage, flight);
	if (r < 0)
		stage_flight_fail_here(stage, flight, r);
	else
		stage_durable_take(stage, flight);
}
