// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "throttle.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "env.h"
#include "hooks.h"
#include "pace.h"
#include "writeback.h"

#define NAP_NS (100 * 1000 * 1000) // a signal may come just before it
#define PASS_STEP MIB              // each time costs a system call

size_t
throttle_len(const struct throttle *throttle, size_t left, uint64_t unit)
{
	if (throttle->env->pace == NULL)
		return left;
	return (size_t)min_u64(
		left, round_up(pace_piece(throttle->env->pace->rate), unit));
}

// So long at most, or until there is something to read from fd, if it is not
// -1. 0, -ECANCELED, or -errno: there is no sleep to be had.
static int
nap_wait(const struct throttle *throttle, int fd, uint64_t ns)
{
	const struct hooks *h = throttle->env->hooks;
	const struct timespec nap = {.tv_nsec = (long)min_u64(ns, NAP_NS)};
	struct pollfd news = {.fd = fd, .events = POLLIN};
	uint64_t count;

	if (h->must_stop(h->ctx))
		return -ECANCELED;
	// Whether it is over is seen by other means.
	const int nr = ppoll(&news, 1, &nap, NULL);
	if (nr > 0)
		(void)!read(fd, &count, sizeof(count));
	if (nr < 0 && errno != EINTR && nanosleep(&nap, NULL) < 0 &&
	    errno != EINTR)
		return -errno;
	if (h->tick != NULL)
		h->tick(h->ctx);
	return 0;
}

int
throttle_wait(struct throttle *throttle, size_t len)
{
	struct pace *pace = throttle->env->pace;
	struct writeback *wb = throttle->writeback;
	uint64_t ns;
	int r = 0;

	// It can only have become so when it was told of something.
	while (wb != NULL && throttle->unpassed == 0 && r == 0 &&
	       writeback_is_full(wb))
		r = nap_wait(throttle, writeback_fd(wb), NAP_NS);
	if (pace == NULL || r < 0)
		return r;
	while ((ns = pace_wait_ns(pace, len, clock_ns())) > 0 && r == 0)
		r = nap_wait(throttle, -1, ns);
	if (r == 0)
		pace_take(pace, len, clock_ns());
	return r;
}

static int
pass(struct throttle *throttle, int fd)
{
	const size_t len = throttle->unpassed;
	// A file or disk can be positioned.
	const uint64_t end = (uint64_t)lseek(fd, 0, SEEK_CUR);

	throttle->unpassed = 0;
	return writeback_pass(throttle->writeback, end - len, len);
}

int
throttle_pass(struct throttle *throttle, int fd, size_t len)
{
	if (throttle->writeback == NULL)
		return 0;
	throttle->unpassed += len;
	return throttle->unpassed < PASS_STEP ? 0 : pass(throttle, fd);
}

void
throttle_flush(struct throttle *throttle, int fd)
{
	// An error is told again at the next record.
	if (throttle->writeback != NULL && throttle->unpassed > 0)
		(void)pass(throttle, fd);
}
