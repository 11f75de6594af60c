// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a copy sleeps in: completions wake it through the eventfds of the
// engines, signals through a signalfd, a timerfd now and then for the progress.
// The handlers here only serve the hooks; what has ended is reaped by the next
// step of the copy.

#pragma once

#include <signal.h>

#include "aio.h"
#include "loop.h"

struct hooks;

struct watch {
	const struct hooks *hooks;
	struct loop loop;
	struct loop_source ended[AIO_NR_LANES];
	struct loop_source signalled;
	struct loop_source ticked;
	sigset_t old_mask;
};

// Nothing is open: watch_done does nothing.
void watch_init(struct watch *watch);

// Both are borrowed until watch_done. 0 or -errno, also then watch_done. From
// here on the signals of the hooks are blocked.
int watch_open(struct watch *watch, const struct hooks *hooks,
	       struct aio *aio);
void watch_done(struct watch *watch);

// What ends of aio is a reason to wake up as well; the sources, one for each
// lane, are the caller's.
int watch_add_aio(struct watch *watch,
		  struct loop_source ended[AIO_NR_LANES],
		  const struct aio *aio);

// fd counts what a thread has done: a reason to wake up. The source is the
// caller's, as in loop_add.
int watch_add(struct watch *watch, struct loop_source *source, int fd);
