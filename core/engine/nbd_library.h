// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is used of libnbd, as a table: the library itself, which is loaded when
// somebody needs it, or a script of a test. Each function is documented in its
// manual page, nbd_NAME(3).
//
// Facts of libnbd 1.14 that the code follows:
// - a completion may come within nbd_aio_pwrite, which returns a cookie all
//   the same; a callback must not call anything on its handle, and returns 1
//   so that the request is forgotten;
// - when the server is gone, all requests end with ENOTCONN, and the handle
//   has no descriptor any more;
// - nbd_close forgets requests that have not ended, without a callback, and
//   waits for a server that was started with the handle.

#pragma once

#ifdef HAVE_LIBNBD
#include <libnbd.h>

#include "lazy.h"

#define LIBNBD_FUNCTIONS(X)						\
	X(create, nbd_create)						\
	X(close, nbd_close)						\
	X(get_errno, nbd_get_errno)					\
	X(add_meta_context, nbd_add_meta_context)			\
	X(set_pread_initialize, nbd_set_pread_initialize)		\
	X(set_uri_allow_local_file, nbd_set_uri_allow_local_file)	\
	X(aio_connect_uri, nbd_aio_connect_uri)				\
	X(aio_connect_command, nbd_aio_connect_command)			\
	X(aio_connect_activated,					\
	  nbd_aio_connect_systemd_socket_activation)			\
	X(get_uri, nbd_get_uri)						\
	X(aio_is_connecting, nbd_aio_is_connecting)			\
	X(aio_is_ready, nbd_aio_is_ready)				\
	X(aio_is_processing, nbd_aio_is_processing)			\
	X(aio_get_fd, nbd_aio_get_fd)					\
	X(aio_get_direction, nbd_aio_get_direction)			\
	X(aio_notify_read, nbd_aio_notify_read)				\
	X(aio_notify_write, nbd_aio_notify_write)			\
	X(aio_disconnect, nbd_aio_disconnect)				\
	X(get_size, nbd_get_size)					\
	X(get_block_size, nbd_get_block_size)				\
	X(is_read_only, nbd_is_read_only)				\
	X(can_flush, nbd_can_flush)					\
	X(can_fua, nbd_can_fua)						\
	X(can_zero, nbd_can_zero)					\
	X(can_multi_conn, nbd_can_multi_conn)				\
	X(can_meta_context, nbd_can_meta_context)			\
	X(aio_pread, nbd_aio_pread)					\
	X(aio_pwrite, nbd_aio_pwrite)					\
	X(aio_zero, nbd_aio_zero)					\
	X(aio_flush, nbd_aio_flush)					\
	X(aio_block_status, nbd_aio_block_status)

LAZY_STRUCT(nbd_library, LIBNBD_FUNCTIONS);

// What to wait for at the descriptor of a handle that wants this direction, and
// to tell it what has come: as aio_notify_read or aio_notify_write, 0: none.
short nbd_library_events(unsigned direction);
int nbd_library_notify(const struct nbd_library *lib, struct nbd_handle *handle,
		       unsigned direction, short events);
#else
struct nbd_library;
struct nbd_handle;
#endif

// NULL: it was left out of this build, or cannot be loaded.
const struct nbd_library *nbd_library_load(void);
