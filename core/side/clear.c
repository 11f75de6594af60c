// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "clear.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base.h"
#include "clock.h"
#include "side.h"
#include "stats.h"
#include "zero.h"

#define WRITE_LEN MIB
#define FAST_NS (100 * 1000 * 1000) // a piece that takes less may be larger

void
clear_init(struct clear *c, const struct side *side, uint64_t from, uint64_t to,
	   const char *refused)
{
	void *buf = mmap(NULL, WRITE_LEN + CLEAR_ALIGN, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buf == MAP_FAILED) {
		buf = NULL;
		refused = "there is no memory";
	}
	*c = (struct clear){
		.side = side,
		.from = from,
		.to = to,
		.align = (uint32_t)max_u64(CLEAR_ALIGN, side->facts.dio_align),
		.refused = refused,
		.piece = CLEAR_PIECE,
		.buf = buf,
	};
}

void
clear_done(struct clear *c)
{
	if (c->buf != NULL)
		(void)munmap(c->buf, WRITE_LEN + CLEAR_ALIGN);
	free(c->made);
	*c = (struct clear){0};
}

enum clear_way
clear_next(const struct clear *c, uint64_t pos, uint64_t len, uint64_t *ret_len)
{
	const uint64_t start = round_up(max_u64(pos, c->from), c->align);
	uint64_t end = round_down(pos + len, c->align);

	*ret_len = len;
	if (pos >= c->to)
		return CLEAR_SKIP;
	if (end > c->to)
		end = round_up(c->to, c->align);
	if (c->refused != NULL || end < start + CLEAR_MIN) {
		// Behind `to` it is another matter.
		*ret_len = min_u64(len, c->to - pos);
		return CLEAR_WRITE;
	}
	*ret_len = start > pos ? start - pos : end - pos;
	return start > pos ? CLEAR_WRITE : CLEAR_MAKE;
}

void
clear_count(const struct clear *c, struct stats *stats)
{
	const bool is_device = facts_is_device(&c->side->facts);

	*(is_device ? &stats->zeros.offloaded : &stats->zeros.punched) =
		c->nr_cleared;
	stats->zeros.made_up = c->nr_written;
}

// It is not asked again.
static int64_t
refuse(struct clear *c, const char *reason)
{
	c->refused = reason;
	return 0;
}

static int64_t
write_zeros(struct clear *c, uint64_t pos, uint64_t len)
{
	const struct side *side = c->side;
	const ssize_t n = side->ops->write_at(side, SIDE_CLEAR, c->buf,
					      min_u64(len, WRITE_LEN), pos);

	if (n == -EINTR)
		return 0;
	c->is_written = true;
	c->error_pos = pos;
	if (n > 0)
		c->nr_written += (uint64_t)n;
	return n == 0 ? -ENOSPC : n; // it takes nothing and says nothing
}

// What was made and is no zeros, from the end.
static int64_t
pay(struct clear *c)
{
	struct clear_span *span = &c->made[c->nr_made - 1];
	const int64_t n = write_zeros(c, span->pos, span->len);

	if (n < 0) {
		c->is_owing = false; // nor will the rest be paid
		return n;
	}
	c->nr_cleared -= (uint64_t)n;
	span->pos += (uint64_t)n;
	span->len -= (uint64_t)n;
	c->nr_made -= span->len == 0;
	c->is_owing = c->nr_made > 0;
	return 0;
}

// Before it is made: what cannot be kept in mind must not be.
static bool
remember(struct clear *c, uint64_t pos, uint64_t len)
{
	if (c->nr_made > 0) {
		struct clear_span *last = &c->made[c->nr_made - 1];

		if (last->pos + last->len == pos) {
			last->len += len;
			return true;
		}
	}
	if (c->nr_made == c->room) {
		const size_t room = c->room * 2 + 64;
		struct clear_span *made = reallocarray(c->made, room,
						       sizeof(*made));

		if (made == NULL)
			return false;
		c->made = made;
		c->room = room;
	}
	c->made[c->nr_made++] = (struct clear_span){pos, len};
	return true;
}

static void
forget(struct clear *c, uint64_t len)
{
	struct clear_span *last = &c->made[c->nr_made - 1];

	last->len -= len;
	c->nr_made -= last->len == 0;
}

static bool
is_zero_at(const struct clear *c, uint64_t pos)
{
	const struct side *side = c->side;
	unsigned char *page = c->buf + WRITE_LEN;

	return side_read_all(side, SIDE_CLEAR, page, CLEAR_ALIGN, pos, NULL) ==
		       CLEAR_ALIGN &&
	       zero_is_all(page, CLEAR_ALIGN);
}

// A server may have made a trim of it, which promises nothing.
static bool
is_zero(const struct clear *c, uint64_t pos, uint64_t len)
{
	const uint64_t middle = pos + round_down(len / 2, CLEAR_ALIGN);

	return is_zero_at(c, pos) && is_zero_at(c, middle) &&
	       is_zero_at(c, pos + len - CLEAR_ALIGN);
}

// How long a piece may be, and whether it is worth it at all.
static void
measure(struct clear *c, uint64_t len, uint64_t ns)
{
	if (ns < FAST_NS && len == c->piece && c->piece <= INT64_MAX / 2)
		c->piece *= 2;
	c->slow_len += len;
	c->slow_ns += ns;
	// Also before it has made so much.
	if (facts_is_export(&c->side->facts))
		c->slow_len = c->slow_ns = 0;
	if (c->slow_ns / 1000 > max_u64(c->slow_len, CLEAR_SLOW_LEN) /
					(CLEAR_SLOW_RATE / 1000000))
		refuse(c, "zeros were made at less than 100 MB/s");
	if (c->slow_len >= CLEAR_SLOW_LEN)
		c->slow_len = c->slow_ns = 0;
}

static const char *
why_not(const struct facts *facts)
{
	if (facts_is_export(facts))
		return "the server makes none";
	return facts_is_device(facts) ? "the device makes none"
				      : "the file system makes none";
}

static int64_t
make(struct clear *c, uint64_t pos, uint64_t len)
{
	const struct side *side = c->side;
	const bool is_doubted = facts_is_device(&side->facts) &&
				!facts_is_export(&side->facts);
	const uint64_t start_ns = clock_ns();

	len = min_u64(len, c->piece);
	if (is_doubted && !remember(c, pos, len))
		return refuse(c, "there is no memory to remember them");
	const int r = side->ops->punch(side, pos, len);
	const bool is_made = r == 0 && (!is_doubted || is_zero(c, pos, len));
	if (!is_made && is_doubted)
		forget(c, len);
	if (r == -EINTR)
		return 0;
	if (r == -ENOTCONN) {
		c->error_pos = pos;
		return r; // nor would it take them written
	}
	if (r < 0)
		return refuse(c, why_not(&side->facts));
	if (!is_made) {
		c->is_owing = c->nr_made > 0;
		return refuse(c, "what the device made were no zeros");
	}
	c->is_written = false;
	c->nr_cleared += len;
	measure(c, len, clock_ns() - start_ns);
	return (int64_t)len;
}

int64_t
clear_some(struct clear *c, uint64_t pos, uint64_t len)
{
	if (c->is_owing)
		return pay(c);
	return c->refused == NULL ? make(c, pos, len)
				  : write_zeros(c, pos, len);
}
