// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the engine asks of its caller while it runs, because it neither
// prints nor reads anything global itself.

#pragma once

#include <signal.h>
#include <stdbool.h>

struct failure;

struct hooks {
	void *ctx;

	// Something to tell the user now, in order.
	void (*notice)(void *ctx, const struct failure *f);

	// Act on the signals that have arrived: called before each call that
	// may sleep and after each that was interrupted. True: stop now.
	bool (*must_stop)(void *ctx);

	// A record is through, or the timer fired: the statistics are current.
	// NULL when nobody wants to know.
	void (*tick)(void *ctx);
	unsigned tick_ms;        // how often the timer of the ring calls it

	// The signals that the ring takes through a signalfd: each is handed
	// to `signalled`, which keeps it for must_stop.
	sigset_t signals;
	void (*signalled)(void *ctx, int signo);
};
