// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "nbd_library.h"

#include <poll.h>
#include <stddef.h>

#ifdef HAVE_LIBNBD
static struct nbd_library libnbd;
LAZY_LIBRARY(libnbd, LIBNBD_FUNCTIONS, "libnbd.so.0", "nbd",
	     "copies from and to NBD servers", "suggested")

const struct nbd_library *
nbd_library_load(void)
{
	return load_libnbd() == 0 ? &libnbd : NULL;
}

short
nbd_library_events(unsigned direction)
{
	short events = 0;

	if (direction & LIBNBD_AIO_DIRECTION_READ)
		events |= POLLIN;
	if (direction & LIBNBD_AIO_DIRECTION_WRITE)
		events |= POLLOUT;
	return events;
}

int
nbd_library_notify(const struct nbd_library *lib, struct nbd_handle *handle,
		   unsigned direction, short events)
{
	if ((direction & LIBNBD_AIO_DIRECTION_READ) && (events & ~POLLOUT))
		return lib->aio_notify_read(handle);
	if ((direction & LIBNBD_AIO_DIRECTION_WRITE) && events != 0)
		return lib->aio_notify_write(handle);
	return 0;
}
#else
const struct nbd_library *
nbd_library_load(void)
{
	return NULL;
}
#endif
