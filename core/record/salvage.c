// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "hooks.h"
#include "serial.h"
#include "serial_read.h"
#include "stats.h"
#include "walk.h"

#define PAGE_UNIT 4096
#define BOUNCE_LEN ((size_t)64 * 1024)
#define WARY_LEN MIB // more than a folio of the page cache, and readahead

void
salvage_init(struct salvage *s, const struct side *src,
	     const struct hooks *hooks, struct stats *stats)
{
	*s = (struct salvage){.src = src, .hooks = hooks, .stats = stats};
}

void
salvage_done(struct salvage *s)
{
	if (s->has_own)
		side_close_extra(&s->own); // it was only read
	free(s->bounce);
	s->bounce = NULL;
}

// Page by page, and nothing read ahead.
static void
use_cache(struct salvage *s)
{
	s->way = SIDE_BUFFERED;
	s->align = 0;
	s->unit = PAGE_UNIT;
	// Advice: without it more may be lost, and is told.
	(void)posix_fadvise(s->own.buffered_fd, 0, 0, POSIX_FADV_RANDOM);
}

static void
open_own(struct salvage *s)
{
	const struct facts *facts = &s->src->facts;

	if (s->has_own)
		return;
	s->has_own = true;
	const int r = s->src->ops->open_back(s->src, &s->own);
	s->way = SIDE_DIRECT;
	s->align = s->unit = s->own.facts.dio_align;
	if (r < 0 || s->align == 0 || s->align > BOUNCE_LEN)
		use_cache(s);
	if (r < 0 && facts->is_direct) // src itself
		s->align = (uint32_t)max_u64(facts->dio_align, PAGE_UNIT);
}

static ssize_t
read_once(const struct salvage *s, void *buf, uint64_t off, size_t len)
{
	const struct hooks *h = s->hooks;
	ssize_t n;

	do {
		if (h->must_stop(h->ctx))
			return -ECANCELED;
		n = s->own.ops->read_at(&s->own, s->way, buf, len, off);
	} while (n == -EINTR);
	// Failing takes a bad disk seconds.
	if (h->tick != NULL)
		h->tick(h->ctx);
	return n;
}

// Whole sectors around it, as many as fit.
static ssize_t
read_bounced(struct salvage *s, unsigned char *buf, uint64_t off, size_t len)
{
	const size_t head = (size_t)(off % s->align);
	const size_t want = (size_t)min_u64(round_up(head + len, s->align),
					    round_down(BOUNCE_LEN, s->align));

	if (s->bounce == NULL)
		s->bounce = aligned_alloc(BOUNCE_LEN, BOUNCE_LEN);
	if (s->bounce == NULL)
		return -ENOMEM;
	const ssize_t n = read_once(s, s->bounce, off - head, want);
	if (n < 0 || (size_t)n <= head)
		return n < 0 ? n : 0;
	const size_t got = (size_t)min_u64((size_t)n - head, len);
	memcpy(buf, s->bounce + head, got);
	return (ssize_t)got;
}

static ssize_t
read_at(struct salvage *s, unsigned char *buf, uint64_t off, size_t len)
{
	size_t done = 0;
	ssize_t n = 0;

	if (s->align == 0 || (off % s->align == 0 && len % s->align == 0 &&
			      (uintptr_t)buf % s->align == 0))
		return read_once(s, buf, off, len);
	while (done < len) {
		n = read_bounced(s, buf + done, off + done, len - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done > 0 ? (ssize_t)done : n;
}

void
salvage_tell(struct salvage *s)
{
	const struct event bad = s->bad;

	s->bad.len = 0;
	if (bad.len > 0)
		hooks_tell(s->hooks, bad);
}

static ssize_t
salvage_piece(void *ctx, uint64_t off, size_t len)
{
	struct salvage *s = ctx;
	ssize_t n = read_at(s, s->buf + s->fill, off, len);

	// The file system took O_DIRECT, but does not do it.
	if (n == -EINVAL && s->align > 0) {
		use_cache(s);
		n = read_at(s, s->buf + s->fill, off, len);
	}
	if (n > 0) {
		salvage_tell(s);
		s->fill += (size_t)n;
	} else if (n < 0) {
		s->wary_end = off + len + WARY_LEN;
	}
	return n;
}

static void
salvage_bad(void *ctx, uint64_t off, size_t len, int error)
{
	struct salvage *s = ctx;

	s->has_bad = true;
	stats_pass_over(s->stats, off, len);
	if (s->bad.len > 0 && s->bad.off + s->bad.len != off)
		salvage_tell(s);
	if (s->bad.len == 0)
		s->bad = (struct event){.kind = NOTICE_READ_SKIPPED,
					.error = error,
					.name = s->src->name,
					.off = off};
	s->bad.len += len;
	if (s->leaves_out)
		return;
	memset(s->buf + s->fill, s->pad, len);
	s->fill += len;
}

static bool
is_wary(const struct salvage *s, uint64_t off)
{
	return off < s->wary_end;
}

static void
begin(struct salvage *s, unsigned char *buf, size_t fill)
{
	s->buf = buf;
	s->fill = fill;
	s->has_bad = false;
}

// How far there is something to pass over: what fails behind the end fails
// for ever.
static uint64_t
source_end(const struct salvage *s)
{
	const int64_t end = s->src->ops->seek(s->src, 0, SEEK_END);

	return end < 0 ? 0 : (uint64_t)end;
}

static int64_t
add_bytes(struct salvage *s, uint64_t off, size_t len, int error)
{
	open_own(s);
	const struct walk walk = {.unit = s->unit,
				  .ctx = s,
				  .read = salvage_piece,
				  .bad = salvage_bad};
	const uint64_t end = source_end(s);

	if (off >= end)
		return -error;
	len = (size_t)min_u64(len, end - off);
	if (error != 0)
		s->wary_end = off + len + WARY_LEN;
	if (s->align == 0)
		(void)posix_fadvise(s->own.buffered_fd, (off_t)off, (off_t)len,
				    POSIX_FADV_DONTNEED); // as above
	// What the page cache could not read, the disk may.
	if (!s->src->facts.is_direct || !walk_can_pass(error))
		error = 0;
	return walk_run(&walk, off, len, error);
}

int64_t
salvage_record(struct salvage *salvage, struct serial *serial,
	       unsigned char *block, size_t there, size_t len)
{
	size_t done = there;
	int64_t n = 0;

	if (!is_wary(salvage, serial->src_off)) {
		n = serial_read(serial, block + done, len - done);
		done += n > 0 ? (size_t)n : 0;
	}
	serial->last_read = 0; // what is short, is made up for
	begin(salvage, block, done);
	if (n == -ECANCELED || done == len)
		return n < 0 ? n : (int64_t)done;
	while (done < len) {
		n = add_bytes(salvage, serial->src_off, len - done,
				 n < 0 ? (int)-n : 0);
		if (n <= 0)
			break;
		serial_read_pass(serial, (uint64_t)n);
		done += (size_t)n;
	}
	// It has offsets, and this is one.
	(void)side_put(serial->src, serial->src_off);
	return n == -ECANCELED || done == 0 ? n : (int64_t)done;
}
