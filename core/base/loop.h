// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// epoll: descriptor -> handler. Knows nothing of copying.

#pragma once

struct loop_source {
	int fd;
	void (*on_ready)(void *ctx); // must take what made fd readable
	void *ctx;
};

struct loop {
	int epoll_fd;
};

// 0 or -errno.
int loop_init(struct loop *loop);
void loop_done(struct loop *loop);

// The source is the caller's and stays where it is until loop_done.
int loop_add(struct loop *loop, struct loop_source *source);

// Wait until a source is readable (timeout_ms -1: for ever, 0: only look)
// and call the handlers. 0, also when a signal cut it short, or -errno.
int loop_wait(struct loop *loop, int timeout_ms);
