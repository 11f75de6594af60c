// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Threads that help the loop. Signals are the loop's: each thread is born
// with all of them blocked. The usual stack of 8 MiB each is more than some
// processes may have.

#pragma once

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#define THREAD_STACK (256 * 1024)

// 0 or -errno.
static inline int
thread_start(pthread_t *ret, void *(*thread_main)(void *), void *ctx)
{
	sigset_t all, old;
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	const int r = pthread_create(ret, &attr, thread_main, ctx);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -r;
}

// So many run at the same time: those processors that we may use. At least 1.
static inline unsigned
thread_nr_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (unsigned)CPU_COUNT(&set);
	return 1;
}
