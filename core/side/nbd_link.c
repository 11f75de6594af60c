// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "nbd_link.h"

#include <errno.h>

#include "hooks.h"
#include "nbd_library.h"

#ifdef HAVE_LIBNBD
#include <poll.h>
#include <stdlib.h>

#include "base.h"
#include "clock.h"
#include "nbd_engine.h"
#include "thread.h"

#define USEFUL 4	      // more than these have not made it faster
#define MOST (32 * MIB)	      // what a server must take that names no limit
#define LEAST ((int64_t)4096) // a job is not made smaller
#define LOOK_MS 200	      // whether a signal has come
#define HOLES "base:allocation"

struct linking {
	const struct nbd_link *link;
	const struct nbd_library *lib;
	struct nbd_handle *handles[NBD_ENGINE_CONNS];
	unsigned nr;
	char *started; // where a server that was started is
};

// Of the call that has just failed.
static int
error_of(const struct nbd_library *lib)
{
	const int error = lib->get_errno();

	return error > 0 ? -error : -EPROTO;
}

static int
reach(const struct linking *l, struct nbd_handle *handle)
{
	const struct nbd_library *lib = l->lib;
	const struct nbd_link *link = l->link;

	if (link->command == NULL)
		return lib->aio_connect_uri(handle, link->address);
	if (l->started != NULL)
		return lib->aio_connect_uri(handle, l->started);
	return (link->is_piped
			? lib->aio_connect_command
			: lib->aio_connect_activated)(handle, link->command);
}

static int
begin(struct linking *l)
{
	const struct nbd_library *lib = l->lib;
	struct nbd_handle *handle = lib->create();

	if (handle == NULL)
		return -ENOMEM;
	l->handles[l->nr++] = handle;
	// What a failed read has not filled is not looked at.
	if (lib->set_pread_initialize(handle, false) < 0 ||
	    lib->set_uri_allow_local_file(handle, true) < 0 ||
	    (l->link->is_read && lib->add_meta_context(handle, HOLES) < 0) ||
	    reach(l, handle) < 0)
		return error_of(lib);
	return 0;
}

// Until it is connected, or is not. 0 or -errno.
static int
wait_up(const struct linking *l, struct nbd_handle *handle,
	const struct hooks *h)
{
	const struct nbd_library *lib = l->lib;

	while (lib->aio_is_connecting(handle) > 0) {
		const unsigned dir = lib->aio_get_direction(handle);
		struct pollfd ready = {.fd = lib->aio_get_fd(handle),
				       .events = nbd_library_events(dir)};

		if (h->must_stop(h->ctx))
			return -ECANCELED;
		if (l->link->until_ns > 0 && clock_ns() > l->link->until_ns)
			return -ETIMEDOUT;
		if (poll(&ready, 1, LOOK_MS) > 0 &&
		    nbd_library_notify(lib, handle, dir, ready.revents) < 0)
			return error_of(lib);
	}
	return lib->aio_is_ready(handle) > 0 ? 0 : error_of(lib);
}

static int
find_info(const struct linking *l, struct nbd_link_info *info)
{
	const struct nbd_library *lib = l->lib;
	struct nbd_handle *h = l->handles[0];
	const int64_t size = lib->get_size(h);
	const int64_t least = lib->get_block_size(h, LIBNBD_SIZE_MINIMUM);
	const int64_t most = lib->get_block_size(h, LIBNBD_SIZE_MAXIMUM);

	if (size < 0)
		return error_of(lib);
	if (most > 0 && most < LEAST)
		return -EMSGSIZE;
	*info = (struct nbd_link_info){
		.size = (uint64_t)size,
		.block = least > 1 ? (uint64_t)least : 1,
		.most = most > 0 ? min_u64((uint64_t)most, MOST) : MOST,
		.is_read_only = lib->is_read_only(h) > 0,
		.can_flush = lib->can_flush(h) > 0,
		.can_write_through = lib->can_fua(h) > 0,
		.can_zero = lib->can_zero(h) > 0,
		.can_tell_holes = l->link->is_read &&
				  lib->can_meta_context(h, HOLES) > 0,
		.is_shared = lib->can_multi_conn(h) > 0,
	};
	return 0;
}

// One that talks by its standard input has no other.
static bool
can_add(struct linking *l)
{
	if (l->link->command != NULL && !l->link->is_piped)
		l->started = l->lib->get_uri(l->handles[0]);
	return l->link->command == NULL || l->started != NULL;
}

// A server that comes back may be another one.
static bool
is_same(const struct nbd_link_info *a, const struct nbd_link_info *b)
{
	return a->size == b->size && a->block == b->block &&
	       a->most == b->most && a->is_read_only == b->is_read_only &&
	       a->can_flush == b->can_flush &&
	       a->can_write_through == b->can_write_through;
}

// The others, at the same time. A server may not want so many.
static int
add_others(struct linking *l, bool is_shared, const struct hooks *h)
{
	// More threads than processors wait for each other.
	const unsigned useful = (unsigned)min_u64(thread_nr_cpus(), USEFUL);
	const unsigned wanted = l->link->wanted > 0 ? l->link->wanted : useful;
	const unsigned nr = is_shared && can_add(l) ? wanted : 1;
	unsigned up = 1;
	int r = 0;

	while (r == 0 && l->nr < nr)
		r = begin(l);
	for (unsigned i = 1; i < l->nr; i++) {
		r = r == -ECANCELED ? r : wait_up(l, l->handles[i], h);
		if (r == 0)
			l->handles[up++] = l->handles[i];
		else
			l->lib->close(l->handles[i]);
	}
	l->nr = up;
	return r == -ECANCELED ? r : 0;
}

static void
drop(struct linking *l)
{
	while (l->nr > 0)
		l->lib->close(l->handles[--l->nr]);
}

int
nbd_link_open(const struct nbd_link *link, const struct hooks *h,
	      struct engine **engine, struct nbd_link_info *info)
{
	struct linking l = {.link = link, .lib = nbd_library_load()};
	struct nbd_link_info found = {0}; // until they are asked

	if (l.lib == NULL)
		return -ELIBACC;
	int r = begin(&l);
	if (r == 0)
		r = wait_up(&l, l.handles[0], h);
	if (r == 0)
		r = find_info(&l, &found);
	if (r == 0 && *engine != NULL && !is_same(&found, info))
		r = -ESTALE;
	if (r == 0)
		r = add_others(&l, found.is_shared, h);
	free(l.started);
	if (r < 0) {
		drop(&l);
		return r;
	}
	*info = found;
	const struct nbd_engine_export export = {
		.size = info->size,
		.is_durable = link->is_durable,
		.is_flushed = link->is_flushed && info->can_flush,
	};
	return *engine != NULL ? nbd_engine_renew(*engine, l.handles, l.nr)
			       : nbd_engine_new(engine, l.lib, l.handles, l.nr,
						&export);
}
#endif
