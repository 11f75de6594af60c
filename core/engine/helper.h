// SPDX-License-Identifier: GPL-3.0-or-later
//
// The engine of one thread, which makes plain calls, one after the other: for
// what sleeps, and what kernel AIO cannot do. An fsync sleeps for as long as
// the disk needs, and hears no signal.

#pragma once

#include "engine.h"

// NULL: no thread could be had, and the caller makes the call by itself. Its
// abandon and free wait for the call that is under way.
struct engine *helper_new(void);
