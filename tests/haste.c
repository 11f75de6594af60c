// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Preloaded: a monotonic clock that runs 30 times as fast, and sleeps that are
// as much shorter, so that nobody waits half a minute for what takes half a
// minute. What else the kernel counts is as long as ever.
//
// cc -shared -fPIC haste.c -o haste.so

#define _GNU_SOURCE

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	const long r = syscall(SYS_clock_gettime, clock, now);
	const int64_t second = 1000000000;

	if (r == 0 && clock == CLOCK_MONOTONIC) {
		const int64_t ns = (now->tv_sec % 1000000) * second +
				   now->tv_nsec;

		now->tv_sec = 30 * ns / second;
		now->tv_nsec = 30 * ns % second;
	}
	return (int)r;
}

int
epoll_wait(int fd, struct epoll_event *events, int most, int ms)
{
	return (int)syscall(SYS_epoll_pwait, fd, events, most,
			    ms > 0 ? (ms + 29) / 30 : ms, NULL, 0);
}
