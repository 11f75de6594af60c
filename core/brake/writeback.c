// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "writeback.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "fd.h"
#include "thread.h"

#define STEP MIB              // the thread hears of so much at a time
#define RUN_MIN (4 * MIB)     // and has it written in runs of this at least
#define MEMORY_NS (2 * SECOND_NS) // of the rate: a stick gets slow when full

// A place in the file, and the bytes in front of it that went through here:
// those of holes did not.
struct mark {
	uint64_t off;
	uint64_t bytes;
};

struct writeback {
	int fd;
	int done_fd;          // eventfd
	pthread_t thread;     // from the first step on
	bool has_thread;
	struct mark passed;   // the caller's
	uint64_t told;        // bytes of it that the thread knows of

	pthread_mutex_t lock;
	pthread_cond_t changed;

	// Under the lock. Each mark is at most the one before.
	struct mark accepted; // all before it is in the cache
	struct mark begun;    // is on its way
	struct mark done;     // is out
	uint64_t ahead_max;   // how far accepted may be ahead of done
	uint64_t bytes;       // written out lately, and how long that took
	uint64_t ns;
	int error;            // -errno of the device
	bool has_ended;       // by an error
	bool is_ending;
};

struct writeback *
writeback_new(int fd)
{
	struct writeback *wb = calloc(1, sizeof(*wb));
	const int done_fd = fd_move_up(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));

	if (wb == NULL || done_fd < 0) {
		if (done_fd >= 0)
			(void)close(done_fd); // only counts
		(void)close(fd); // nothing was written by it
		free(wb);
		return NULL;
	}
	*wb = (struct writeback){.fd = fd,
				 .done_fd = done_fd,
				 .ahead_max = WRITEBACK_MIN};
	pthread_mutex_init(&wb->lock, NULL);
	pthread_cond_init(&wb->changed, NULL);
	return wb;
}

int
writeback_free(struct writeback *wb)
{
	if (wb == NULL)
		return 0;
	pthread_mutex_lock(&wb->lock);
	wb->is_ending = true;
	pthread_cond_signal(&wb->changed);
	pthread_mutex_unlock(&wb->lock);
	if (wb->has_thread)
		pthread_join(wb->thread, NULL);
	pthread_cond_destroy(&wb->changed);
	pthread_mutex_destroy(&wb->lock);
	(void)close(wb->done_fd); // only counts
	int r = wb->error;
	// Each error may be told to one description only.
	if (close(wb->fd) < 0 && r == 0)
		r = -errno;
	free(wb);
	return r;
}

static int
write_out(const struct writeback *wb, const struct mark *from,
	  const struct mark *to, unsigned flags)
{
	int r;

	do {
		r = sync_file_range(wb->fd, (off_t)from->off,
				    (off_t)(to->off - from->off), flags);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

// A run is out: so much the device takes in a second.
static void
take_rate(struct writeback *wb, uint64_t bytes, uint64_t ns)
{
	wb->bytes += bytes;
	wb->ns += ns;
	if (wb->ns > MEMORY_NS) {
		wb->bytes /= 2;
		wb->ns /= 2;
	}
	const double second = (double)wb->bytes * (double)SECOND_NS /
			      (double)max_u64(wb->ns, 1);
	wb->ahead_max = max_u64((uint64_t)WRITEBACK_MIN, (uint64_t)second);
}

// Where the call is not to be had, the copy goes on without. All else is what
// the device says.
static void
give_up(struct writeback *wb, int error)
{
	const bool is_refused = error == -ENOSYS || error == -EPERM ||
				error == -EINVAL || error == -ESPIPE;

	wb->has_ended = true;
	wb->error = is_refused ? 0 : error;
	wb->ahead_max = UINT64_MAX;
}

// What was accepted since, but not more at once than may be waited for in a
// fraction of a second.
static struct mark
next_end(const struct writeback *wb)
{
	const struct mark *from = &wb->begun, *to = &wb->accepted;
	const uint64_t len = to->bytes - from->bytes;
	const uint64_t most = max_u64(RUN_MIN, wb->ahead_max / 8);

	if (len <= most || to->off - from->off != len)
		return *to;
	return (struct mark){from->off + most, from->bytes + most};
}

// Begin a new run, if there is enough for one, then wait for those that were
// begun before: so the device has something to do meanwhile. False: there was
// neither. The lock is held, but not while this sleeps.
static bool
writeback_step(struct writeback *wb)
{
	const struct mark from = wb->begun, done = wb->done;
	const struct mark to = next_end(wb);
	const bool has_run = to.bytes - from.bytes >= RUN_MIN;
	const bool has_begun = from.bytes > done.bytes;
	const uint64_t start_ns = clock_ns();
	int r = 0;

	if (!has_run && !has_begun)
		return false;
	if (has_run)
		wb->begun = to;
	pthread_mutex_unlock(&wb->lock);
	if (has_run)
		r = write_out(wb, &from, &to, SYNC_FILE_RANGE_WRITE);
	if (r == 0 && has_begun)
		r = write_out(wb, &done, &from,
			      SYNC_FILE_RANGE_WAIT_BEFORE |
				      SYNC_FILE_RANGE_WRITE |
				      SYNC_FILE_RANGE_WAIT_AFTER);
	pthread_mutex_lock(&wb->lock);
	if (r < 0) {
		give_up(wb, r);
	} else {
		wb->done = from;
		take_rate(wb, from.bytes - done.bytes, clock_ns() - start_ns);
	}
	(void)eventfd_write(wb->done_fd, 1); // far from its limit
	return true;
}

static void *
writeback_main(void *ctx)
{
	struct writeback *wb = ctx;

	pthread_mutex_lock(&wb->lock);
	while (!wb->is_ending && !wb->has_ended)
		if (!writeback_step(wb))
			pthread_cond_wait(&wb->changed, &wb->lock);
	pthread_mutex_unlock(&wb->lock);
	return NULL;
}

// The lock is held.
static void
start(struct writeback *wb)
{
	if (thread_start(&wb->thread, writeback_main, wb) == 0)
		wb->has_thread = true;
	else
		wb->ahead_max = UINT64_MAX; // nothing is bounded
}

// What lies between went to the device by itself, or is a hole.
static void
leap(struct writeback *wb, uint64_t off)
{
	pthread_mutex_lock(&wb->lock);
	if (wb->passed.bytes == wb->done.bytes)
		wb->accepted.off = wb->begun.off = wb->done.off = off;
	pthread_mutex_unlock(&wb->lock);
	wb->passed.off = off;
}

int
writeback_pass(struct writeback *wb, uint64_t off, size_t len)
{
	if (off > wb->passed.off || wb->passed.bytes == 0)
		leap(wb, off);
	// What comes again, after a step back, is in the cache already; it
	// is dirty again, which is the sync's.
	if (off + len > wb->passed.off) {
		wb->passed.bytes += off + len - max_u64(off, wb->passed.off);
		wb->passed.off = off + len;
	}
	if (wb->passed.bytes - wb->told < STEP)
		return 0;
	wb->told = wb->passed.bytes;
	pthread_mutex_lock(&wb->lock);
	wb->accepted = wb->passed;
	if (!wb->has_thread)
		start(wb);
	pthread_cond_signal(&wb->changed);
	const int r = wb->error;
	pthread_mutex_unlock(&wb->lock);
	return r;
}

bool
writeback_is_full(struct writeback *wb)
{
	pthread_mutex_lock(&wb->lock);
	const uint64_t ahead = wb->accepted.bytes - wb->done.bytes;
	const bool is_full = ahead >= wb->ahead_max;
	pthread_mutex_unlock(&wb->lock);
	return is_full;
}

int
writeback_fd(const struct writeback *wb)
{
	return wb->done_fd;
}

uint64_t
writeback_reached(struct writeback *wb)
{
	pthread_mutex_lock(&wb->lock);
	const uint64_t done = wb->done.off;
	pthread_mutex_unlock(&wb->lock);
	return done;
}
