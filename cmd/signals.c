// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "signals.h"

#include <stdlib.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"

static volatile sig_atomic_t nr_info;
static volatile sig_atomic_t fatal;
static sigset_t ring_set;

void
signals_note(int signo)
{
	if (signo == SIGUSR1)
		nr_info = nr_info + 1;
	else
		fatal = signo;
}

void
signals_take(int signo)
{
	static uint64_t first_ns;
	const uint64_t now = clock_ns();

	// SIGPIPE and SIGXFSZ come with each error.
	if (signo == SIGUSR1 || signo == SIGPIPE || signo == SIGXFSZ) {
		signals_note(signo);
		return;
	}
	if (first_ns != 0 && now - first_ns > SECOND_NS)
		signals_raise(signo);
	if (first_ns == 0)
		first_ns = now;
	signals_note(signo);
}

static bool
is_ignored(int signo)
{
	struct sigaction old;

	return sigaction(signo, NULL, &old) == 0 && old.sa_handler == SIG_IGN;
}

// The second one kills at once, if somebody sent it. Those that come with an
// error come again with each word of what is still to be said.
static void
catch_fatal(int signo)
{
	struct sigaction action = {.sa_handler = signals_note,
				   .sa_flags = SA_NODEFER};

	if (signo != SIGPIPE && signo != SIGXFSZ)
		action.sa_flags |= (int)SA_RESETHAND;
	sigaction(signo, &action, NULL);
}

void
signals_init(bool is_dd)
{
	struct sigaction info = {.sa_handler = signals_note};
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP};

	sigemptyset(&ring_set);
	if (getenv("POSIXLY_CORRECT") == NULL) {
		sigaction(SIGUSR1, &info, NULL);
		sigaddset(&ring_set, SIGUSR1);
	}
	for (unsigned i = 0; i < ARRAY_LEN(ends); i++) {
		if (is_ignored(ends[i]))
			continue;
		sigaddset(&ring_set, ends[i]);
		if (!is_dd || ends[i] == SIGINT)
			catch_fatal(ends[i]);
	}
}

void
signals_catch_others(void)
{
	static const int others[] = {SIGPIPE, SIGXFSZ, SIGQUIT, SIGALRM,
				     SIGXCPU};

	for (unsigned i = 0; i < ARRAY_LEN(others); i++) {
		if (is_ignored(others[i]))
			continue;
		catch_fatal(others[i]);
		sigaddset(&ring_set, others[i]);
	}
}

void
signals_of_ring(sigset_t *ret_set)
{
	*ret_set = ring_set;
}

// An atomic decrement: a signal between reading and writing would be lost.
bool
signals_take_info(void)
{
	sigset_t old;

	if (nr_info == 0)
		return false;
	sigprocmask(SIG_BLOCK, &ring_set, &old);
	nr_info = nr_info - 1;
	sigprocmask(SIG_SETMASK, &old, NULL);
	return true;
}

int
signals_fatal(void)
{
	return fatal;
}

void
signals_raise(int signo)
{
	sigset_t set;

	signal(signo, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(signo);
}
