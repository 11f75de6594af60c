// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "way.h"

#include "base.h"
#include "lcm.h"
#include "sides.h"

#define PLAN_READ_MAX 0x7ffff000 // what one read gives at most

static bool
is_same_storage(const struct facts *a, const struct facts *b)
{
	const bool is_one = a->dev == b->dev && a->ino == b->ino;

	return facts_has_offsets(a) && facts_has_offsets(b) &&
	       (is_one || facts_is_same(a, b));
}

static bool
is_direct_asked(const struct request *q)
{
	return ((q->iflags | q->oflags) & FLAG_DIRECT) != 0;
}

// dd lets the kernel refuse a misaligned O_DIRECT request: called as dd, so
// do we, by making the same requests.
static bool
is_misaligned_as_dd(const struct plan_sides *s, const struct plan *plan)
{
	const struct request *q = s->q;
	const uint32_t src = s->src->sector, dst = s->dst->sector;

	if (!q->is_dd)
		return false;
	return ((q->iflags & FLAG_DIRECT) &&
		(q->ibs % src != 0 || plan->src_off % src != 0)) ||
	       ((q->oflags & FLAG_DIRECT) &&
		(q->obs % dst != 0 || plan->dst_off % dst != 0));
}

static bool
is_misaligned(const struct facts *side, uint64_t off)
{
	return facts_is_export(side) && off % side->dio_align != 0;
}

bool
way_is_whole(const struct request *q)
{
	return (q->conv & CONV_SPARSE) || (q->oflags & FLAG_DIRECT);
}

// Why dd's own order is needed, from what was asked; NULL: it is not.
static const char *
reason_asked(const struct request *q)
{
	if (q->conv & CONV_BYTES)
		return "conv= converts each record";
	if (q->is_dd && q->ibs > PLAN_READ_MAX)
		return "ibs= is more than one read can return";
	// What a bad disk answers depends on what it is asked for.
	if (q->is_dd && (q->conv & CONV_NOERROR))
		return "conv=noerror must read exactly as dd does";
	if ((q->conv & CONV_NOERROR) && request_is_hashed(q) && way_is_whole(q))
		return "conv=noerror may replace data that is hashed";
	if ((q->iflags | q->oflags) & FLAG_NOCACHE)
		return "nocache drops the cache record by record";
	return NULL;
}

// The same from what was found.
static const char *
reason_found(const struct plan_sides *s, const struct plan *plan)
{
	const enum facts_kind src = s->src->kind;
	const enum facts_kind dst = s->dst->kind;

	if (s->refused->src.offsets || (!facts_has_offsets(s->src) &&
					src != FACTS_ZERO && !way_can_feed(s)))
		return "the source is not seekable";
	if (s->refused->dst.offsets ||
	    (!facts_has_offsets(s->dst) && dst != FACTS_NULL))
		return "the destination is not seekable";
	if (s->dst->is_append)
		return "the destination is opened for appending";
	if (s->dst->has_messages)
		return "messages are written to the destination, too";
	if (is_same_storage(s->src, s->dst))
		return "source and destination are the same file or device";
	if (is_misaligned(s->src, plan->src_off) ||
	    is_misaligned(s->dst, plan->dst_off))
		return "an offset is not a multiple of the server's blocks";
	if (is_misaligned_as_dd(s, plan))
		return "O_DIRECT with records that are not whole sectors";
	return NULL;
}

bool
way_can_splice(const struct plan_sides *s)
{
	const struct request *q = s->q;
	const unsigned flags = FLAG_DIRECT | FLAG_NOCACHE | FLAG_SYNC |
			       FLAG_DSYNC | FLAG_NONBLOCK;

	return facts_has_offsets(s->src) && !facts_is_export(s->src) &&
	       s->dst->is_pipe && !q->is_dd && q->io == REQUEST_IO_AUTO &&
	       q->ibs == q->obs && q->conv == 0 && !request_is_hashed(q) &&
	       !request_reads_dst(q) && q->rate == 0 &&
	       !((q->iflags | q->oflags) & flags);
}

bool
way_can_feed(const struct plan_sides *s)
{
	const struct request *q = s->q;
	const bool is_direct = facts_is_device(s->dst) ||
			       (q->oflags & FLAG_DIRECT) ||
			       q->io == REQUEST_IO_AIO;
	// What a decoder gives is never short; and tee= knows no records.
	const bool is_full = (q->iflags & FLAG_FULLBLOCK) ||
			     s->src->unpacked != 0 || q->nr_tees > 0;
	const bool is_gain = is_direct && q->io != REQUEST_IO_INLINE &&
			     s->dst->dio_align > 0 && !s->refused->dst.direct;

	// A packet pipe drops what is read too short. conv=sync pads the record
	// at the end.
	return facts_is_stream(s->src) && s->src->is_flow &&
	       !s->src->is_direct && !q->is_dd && is_full &&
	       !(q->conv & (CONV_SYNC | CONV_NOERROR)) &&
	       (is_gain || q->nr_tees > 0);
}

const char *
way_record_reason(const struct plan_sides *s, const struct plan *plan)
{
	const char *reason = reason_asked(s->q);

	return reason != NULL ? reason : reason_found(s, plan);
}

#define NO_LIMIT round_down(INT64_MAX, PLAN_ALIGN)

// What the destination has room for, at most.
static uint64_t
room_of(const struct facts *dst, uint64_t off)
{
	const uint64_t most = facts_is_device(dst)
				      ? dst->size
				      : min_u64(dst->max_size, NO_LIMIT / 2);

	return most > off ? most - off : 0;
}

// The bytes that can be copied by offset, as far as can be known now.
static uint64_t
stretch_len(const struct plan_sides *s, const struct plan *plan)
{
	const struct request *q = s->q;
	const uint64_t room = room_of(s->dst, plan->dst_off);
	uint64_t len = NO_LIMIT;

	if (plan->src_off == UINT64_MAX || plan->dst_off == UINT64_MAX)
		return 0; // the record engine words the refusal
	if (facts_has_offsets(s->src) || s->src->is_mapped)
		len = s->src->size > plan->src_off
			      ? s->src->size - plan->src_off
			      : 0;
	len = min_u64(len, plan->count_len);
	// A record that does not fit is read as a whole by whoever is told so.
	if (way_can_feed(s) && len > room)
		len = round_down(room, plan->unit);
	if (facts_is_device(s->dst))
		len = min_u64(len, room);
	if (plan->dst_off >= NO_LIMIT || len >= NO_LIMIT - plan->dst_off)
		return 0; // without an end there is no stretch
	// The last short record is padded, or written without O_DIRECT, by
	// whoever does records.
	if ((q->conv & CONV_SYNC) || (q->is_dd && is_direct_asked(q)))
		len = round_down(len, plan->unit);
	return len;
}

const char *
way_measure(struct plan *plan, const struct plan_sides *s)
{
	const struct request *q = s->q;
	uint64_t end;

	plan->unit = lcm(q->ibs, q->obs);
	if (q->ibs != q->obs && plan->unit > PLAN_UNIT_MAX)
		return "ibs= and obs= have no common multiple within 64 MiB";
	plan->src_off = s->src->kind == FACTS_ZERO
				? 0
				: rest_off(s->rest,
					   request_src_off(q, s->src->pos));
	plan->dst_off = s->dst->kind == FACTS_NULL
				? 0
				: rest_off(s->rest,
					   request_dst_off(q, s->dst->pos));
	plan->count_len = rest_count_len(s->rest, q);
	plan->len = stretch_len(s, plan);
	if (plan->len < (sides_need_no_least(s) ? 1 : PLAN_BULK_MIN))
		return "less than 128 KiB, or of unknown length";
	if (__builtin_add_overflow(plan->dst_off, plan->len, &end) ||
	    (s->dst->kind == FACTS_FILE && end > s->dst->max_size))
		return "the file would exceed the size limit";
	return NULL;
}
