// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "watch.h"

#include <errno.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "hooks.h"

// The count is only a reason to look.
static void
watch_on_news(void *ctx)
{
	const struct loop_source *source = ctx;
	uint64_t count;

	(void)!read(source->fd, &count, sizeof(count));
}

static void
watch_on_signal(void *ctx)
{
	struct watch *watch = ctx;
	struct signalfd_siginfo info;

	if (read(watch->signalled.fd, &info, sizeof(info)) == sizeof(info))
		watch->hooks->signalled(watch->hooks->ctx, (int)info.ssi_signo);
}

static void
watch_on_tick(void *ctx)
{
	struct watch *watch = ctx;
	uint64_t expirations;

	if (read(watch->ticked.fd, &expirations, sizeof(expirations)) > 0)
		watch->hooks->tick(watch->hooks->ctx);
}

// The next step takes what has ended, and with it what makes the descriptor
// readable: nobody else may read a count that says how many may be reaped.
static void
watch_on_ended(void *ctx)
{
	(void)ctx;
}

static int
watch_put(struct watch *watch, struct loop_source *source, int fd,
	  void (*act)(void *))
{
	*source = (struct loop_source){fd, act, watch};
	return fd < 0 ? -errno : loop_add(&watch->loop, source);
}

int
watch_add(struct watch *watch, struct loop_source *source, int fd)
{
	*source = (struct loop_source){fd, watch_on_news, source};
	return loop_add(&watch->loop, source);
}

static int
open_timer(struct watch *watch)
{
	const unsigned ms = watch->hooks->tick_ms;
	const struct timespec every = {ms / 1000, ms % 1000 * 1000000L};
	const struct itimerspec when = {every, every};

	if (watch->hooks->tick == NULL)
		return 0;
	const int fd = timerfd_create(CLOCK_MONOTONIC,
				      TFD_NONBLOCK | TFD_CLOEXEC);
	const int r = watch_put(watch, &watch->ticked, fd, watch_on_tick);
	if (r < 0)
		return r;
	return timerfd_settime(fd, 0, &when, NULL) < 0 ? -errno : 0;
}

static int
open_signals(struct watch *watch)
{
	const sigset_t *set = &watch->hooks->signals;

	sigprocmask(SIG_BLOCK, set, &watch->old_mask);
	return watch_put(watch, &watch->signalled,
			 signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC),
			 watch_on_signal);
}

int
watch_add_aio(struct watch *watch, struct loop_source ended[AIO_NR_LANES],
	      const struct aio *aio)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < AIO_NR_LANES; i++) {
		const int fd = aio_news_fd(aio, i);

		if (fd >= 0)
			r = watch_put(watch, &ended[i], fd, watch_on_ended);
	}
	return r;
}

void
watch_init(struct watch *watch)
{
	*watch = (struct watch){
		.loop.epoll_fd = -1, .ticked.fd = -1, .signalled.fd = -1};
}

int
watch_open(struct watch *watch, const struct hooks *hooks, struct aio *aio)
{
	watch->hooks = hooks;
	int r = loop_init(&watch->loop);
	if (r < 0)
		return r;
	r = open_signals(watch);
	if (r == 0)
		r = open_timer(watch);
	return r == 0 ? watch_add_aio(watch, watch->ended, aio) : r;
}

void
watch_done(struct watch *watch)
{
	if (watch->loop.epoll_fd < 0)
		return;
	if (watch->ticked.fd >= 0)
		(void)close(watch->ticked.fd); // holds no data
	if (watch->signalled.fd >= 0)
		(void)close(watch->signalled.fd);
	loop_done(&watch->loop);
	sigprocmask(SIG_SETMASK, &watch->old_mask, NULL);
}
