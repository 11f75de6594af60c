// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The requests of one connection to an NBD server. What begins them and waits
// is called by one thread, and libnbd calls back only within these calls.

#pragma once

#include <stdbool.h>

#include "job.h"
#include "nbd_library.h"
#include "nbd_request.h"

struct nbd_conn {
	const struct nbd_library *lib;
	const struct nbd_engine_export *export;
	struct nbd_handle *handle;
	int wake_fd;             // an eventfd, of nbd_conn_wake
	struct job_list ended;   // with their results; the caller takes them
};

// To a handle that is ready, and is closed by nbd_conn_done in any case. 0 or
// -errno.
int nbd_conn_init(struct nbd_conn *conn, const struct nbd_library *lib,
		  const struct nbd_engine_export *export,
		  struct nbd_handle *handle);
// The server learns that it is no accident; the answer is not waited for.
void nbd_conn_done(struct nbd_conn *conn);

// nbd_conn_wait returns. By any thread.
void nbd_conn_wake(struct nbd_conn *conn);

// Not up: what is begun ends with -ENOTCONN.
bool nbd_conn_is_up(const struct nbd_conn *conn);
// Begin it. It may have ended when this returns.
void nbd_conn_start(struct nbd_conn *conn, struct job *job);
// Sleep until something has come, and do what that asks for.
void nbd_conn_wait(struct nbd_conn *conn);
