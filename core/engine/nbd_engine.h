// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The engine of an NBD server: one thread for each connection, which alone
// calls libnbd on it. Requests are the iocbs of jobs, and whatever connection
// has the fewest of them gets the next one. Where a connection is lost, all
// that it has ends with -ENOTCONN, and so does what comes after it when no
// other is left.

#pragma once

#include <stdint.h>

#include "engine.h"
#include "nbd_request.h"

struct nbd_library;
struct nbd_handle;

#define NBD_ENGINE_CONNS 64

// To nr connections to the same export, which are ready, and are closed by the
// engine in any case. 0 or -errno.
int nbd_engine_new(struct engine **ret, const struct nbd_library *lib,
		   struct nbd_handle **conns, unsigned nr,
		   const struct nbd_engine_export *export);

// With other connections, in place of those that were lost; nothing is under
// way. As nbd_engine_new, but what has failed can be tried again.
int nbd_engine_renew(struct engine *engine, struct nbd_handle **conns,
		     unsigned nr);

// The first byte that was written since, and that the server may forget;
// UINT64_MAX: there is none. After a renewal there is none.
uint64_t nbd_engine_unflushed(struct engine *engine);

// One request, by whatever thread, which sleeps until it has ended: its result.
// It counts as nobody's.
long nbd_engine_call(struct engine *engine, int command, void *buf,
		     uint64_t len, uint64_t off);
