// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the engine asks of its caller while it runs, because it neither
// prints nor reads anything global itself.

#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;

// What has become of bytes of the destination that were not written.
enum hooks_span {
	HOOKS_HOLE,              // they were left out, or made there
	HOOKS_SAME,              // they were there already
	HOOKS_UNTRIED,           // the source was not read there
	HOOKS_FAILED,            // a larger read of it failed
	HOOKS_BAD,               // it could not be read
};

struct hooks {
	void *ctx;
	unsigned dst;            // of several destinations the one that all is
	                         // about, 0: the first

	// Something to tell the user now, in order.
	void (*notice)(void *ctx, const struct event *f);

	// Where the caller writes what it is told, -1: not to a file.
	int message_fd;

	// Act on the signals that have arrived: called before each call that
	// may sleep and after each that was interrupted. True: stop now.
	bool (*must_stop)(void *ctx);

	// A record is through, or the timer fired: the statistics are current.
	// NULL when nobody wants to know.
	void (*tick)(void *ctx);
	unsigned tick_ms;        // how often the timer of the ring calls it

	// So many bytes of the destination. NULL when nobody wants to know.
	void (*span)(void *ctx, unsigned dst, enum hooks_span what,
		     uint64_t off, uint64_t len);

	// The signals that the ring takes through a signalfd: each is handed
	// to `signalled`, which keeps it for must_stop.
	sigset_t signals;
	void (*signalled)(void *ctx, int signo);
};

// Something to tell the user. Returns -error of it.
int hooks_tell(const struct hooks *h, struct event failure);

// Sleep until fd is readable, and serve them meanwhile. 0, -ECANCELED, or
// another -errno: there is no such sleep to be had.
int hooks_wait(const struct hooks *h, int fd);

static inline void
hooks_tell_span(const struct hooks *h, enum hooks_span what, uint64_t off,
		uint64_t len)
{
	if (h != NULL && h->span != NULL && len > 0)
		h->span(h->ctx, h->dst, what, off, len);
}
