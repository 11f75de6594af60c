// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define LOOP_EVENTS 8

int
loop_init(struct loop *loop)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd < 0 ? -errno : 0;
}

void
loop_done(struct loop *loop)
{
	if (loop->epoll_fd >= 0)
		(void)close(loop->epoll_fd); // holds no data
	loop->epoll_fd = -1;
}

int
loop_add(struct loop *loop, struct loop_source *source)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, source->fd, &event) < 0
		       ? -errno
		       : 0;
}

int
loop_wait(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[LOOP_EVENTS];
	const int nr = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS,
				  timeout_ms);

	if (nr < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < nr; i++) {
		const struct loop_source *source = events[i].data.ptr;

		source->on_ready(source->ctx);
	}
	return 0;
}
