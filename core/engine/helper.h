// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The engine of one thread, which makes plain calls, one after the other: for
// what sleeps, and what kernel AIO cannot do. An fsync sleeps for as long as
// the disk needs, and hears no signal. What it calls may be something else.

#pragma once

#include "engine.h"

struct helper_work {
	// What a request asks for: its result.
	long (*make)(void *ctx, const struct iocb *iocb);
	// By the loop's thread: a request that waits for somebody ends at once,
	// and so does each after it. NULL: none does.
	void (*stop)(void *ctx);
	void (*free)(void *ctx); // at the end of the engine; NULL: nothing
	void *ctx;
};

// NULL: no thread could be had, and the caller makes the call by itself. Its
// abandon and free wait for the call that is under way.
struct engine *helper_new(void);
// The same for this work; where there is no thread it is not freed.
struct engine *helper_new_for(const struct helper_work *work);
