// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Signals as data: a handler counts them, or the loop's signalfd hands them
// in, and whoever is about to sleep asks what has come.

#pragma once

#include <signal.h>
#include <stdbool.h>

// SIGUSR1 asks for statistics; SIGINT, and under our own name SIGTERM and
// SIGHUP, end the run, unless they were ignored when we came. Without
// SA_RESTART: what sleeps is to be interrupted.
void signals_init(bool is_dd);

// The others that can be expected to end it, for a run that has files to take
// away first.
void signals_catch_others(void);

// Those that the ring must not leave to their default action: cut short
// there, the file would look complete.
void signals_of_ring(sigset_t *ret_set);

void signals_note(int signo);

// One that the loop has taken. The second to end the run kills at once, but
// not one that was sent together with the first, as by timeout(1).
void signals_take(int signo);

// One request for statistics, if there is one.
bool signals_take_info(void);

// The signal to die from, or 0.
int signals_fatal(void);

// Die from it, as its default action would have it.
void signals_raise(int signo);
