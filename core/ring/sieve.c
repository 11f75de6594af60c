// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "sieve.h"

#include "base.h"
#include "checker.h"
#include "env.h"
#include "hold.h"
#include "ring.h"
#include "stats.h"
#include "zero.h"
#include "zeroer.h"

static bool
is_hole_at(const struct sieve *sieve, const struct job *job, size_t from)
{
	const size_t left = job->len - from;

	return zero_is_all(job->buf + from,
			   (size_t)min_u64(left, sieve->sparse_unit));
}

// Where the next zeros begin that are enough for somebody else to make them:
// whole pages of the destination. *ret_len: how many they are, 0: there are
// none.
static size_t
find_zeros(const struct sieve *sieve, const struct job *job, size_t *ret_len)
{
	const uint64_t pos = sieve->base + job->off;
	size_t start = job->done, at = start;

	while (at < job->len) {
		const size_t next = (size_t)min_u64(
			round_down(pos + at, CLEAR_ALIGN) + CLEAR_ALIGN - pos,
			job->len);

		if (!zero_is_all(job->buf + at, next - at)) {
			if (at - start >= CLEAR_MIN)
				break;
			start = next;
		}
		at = next;
	}
	*ret_len = at - start < CLEAR_MIN ? 0 : at - start;
	return *ret_len > 0 ? start : job->len;
}

// Hand over what the destination makes at job->done, and say how many bytes
// are to be written next. 0: nothing is left of the job.
static size_t
next_made(const struct sieve *sieve, struct job *job)
{
	struct stats *stats = sieve->env->stats;
	size_t len;
	uint64_t n;

	while (job->done < job->len) {
		const size_t start = find_zeros(sieve, job, &len);
		if (start > job->done)
			return start - job->done;
		const uint64_t off = job->off + job->done;
		const enum clear_way way = zeroer_next(sieve->zeroer, off, len,
						       &n);
		if (way == CLEAR_SKIP) {
			ring_mark(sieve->ring, job, n, MAP_HOLE);
		} else if (way == CLEAR_MAKE &&
			   zeroer_has_room(sieve->zeroer)) {
			zeroer_put(
				sieve->zeroer,
				(struct zeroer_span){.off = off,
						     .len = n,
						     .skipped = job->skipped});
			job->done += n;
		} else {
			stats->zeros.written += job->is_zeros ? 0 : n;
			return n;
		}
	}
	return 0;
}

// Leave out the records of zeros before job->done, and say how many bytes
// follow up to the next one. 0: nothing is left of the job.
static size_t
next_run(const struct sieve *sieve, struct job *job)
{
	const size_t unit = sieve->sparse_unit, from = job->done;
	size_t end;

	if (unit == 0 && !(sieve->keeps_holes && job->is_zeros))
		return job->len - job->done;
	if (sieve->zeroer->clear != NULL)
		return next_made(sieve, job);
	if (unit == 0) {
		ring_mark(sieve->ring, job, job->len - job->done, MAP_HOLE);
		return 0;
	}
	// Within a record, of which something was written.
	if (from % unit != 0)
		return (size_t)min_u64(round_up(from, unit), job->len) - from;
	for (end = from; end < job->len && is_hole_at(sieve, job, end);)
		end = (size_t)min_u64(end + unit, job->len);
	ring_mark(sieve->ring, job, end - from, MAP_HOLE);
	for (end = job->done; end < job->len; end += unit)
		if (end > job->done && is_hole_at(sieve, job, end))
			break;
	return (size_t)min_u64(end, job->len) - job->done;
}

static size_t
hold_back(const struct sieve *sieve, struct job *job, size_t len)
{
	size_t held = 0;

	if (sieve->hold != NULL)
		held = hold_take(sieve->hold,
				 sieve->base + job->off + job->done,
				 job->buf + job->done, len);
	ring_mark(sieve->ring, job, held, MAP_DONE);
	return held;
}

// What is held back is done: all of it, also what is there already.
size_t
sieve_next(const struct sieve *sieve, struct job *job)
{
	size_t len, held;

	if (sieve->checker != NULL) {
		held = hold_back(sieve, job, job->len - job->done);
		if (held > 0 && checker_is_same(sieve->checker, job, held))
			checker_count(sieve->checker, job->off, held);
		return checker_next_run(sieve->checker, job);
	}
	do {
		len = next_run(sieve, job);
		held = hold_back(sieve, job, len);
	} while (held > 0 && held == len);
	return len - held;
}
