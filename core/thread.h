// SPDX-License-Identifier: GPL-3.0-or-later
//
// Threads that help the loop. Signals are the loop's: each thread is born
// with all of them blocked.

#pragma once

#include <pthread.h>
#include <signal.h>

// attr may be NULL. 0 or -errno.
static inline int
thread_start(pthread_t *ret, const pthread_attr_t *attr,
	     void *(*thread_main)(void *), void *ctx)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	const int r = pthread_create(ret, attr, thread_main, ctx);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}
