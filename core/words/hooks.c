// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "hooks.h"

#include <errno.h>
#include <poll.h>

#include "event.h"

int
hooks_tell(const struct hooks *h, struct event failure)
{
	failure.dst = h->dst;
	h->notice(h->ctx, &failure);
	return -failure.error;
}

int
hooks_wait(const struct hooks *h, int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	// Not for ever: a signal may come just before it.
	const int look_ms = h->tick != NULL ? (int)h->tick_ms : 200;

	int nr;

	while ((nr = poll(&ready, 1, look_ms)) <= 0) {
		if (nr < 0 && errno != EINTR)
			return -errno;
		if (h->must_stop(h->ctx))
			return -ECANCELED;
		if (h->tick != NULL)
			h->tick(h->ctx);
	}
	return 0;
}
