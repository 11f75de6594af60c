// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "course.h"

#include <errno.h>

#include "base.h"
#include "env.h"
#include "hasher.h"
#include "output.h"
#include "serial_holes.h"
#include "splice.h"
#include "stretch.h"

// A ring takes some 30 ms to set up and to take down, and reads as far ahead as
// it is long: a stretch that gets not even so far does not pay.
#define NEAR_LEN (64 * MIB)
#define PASS_MIN (64 * KIB)

// The ring takes no block of ibs, but dd that cannot have one copies nothing.
static enum bulk_verdict
run_stretches(struct bulk *b)
{
	if (b->request->is_dd && !blocks_can_be_had(b->request))
		return BULK_RECORDS;
	return stretch_run(b);
}

static void
go_on(struct course *c)
{
	const struct bulk *b = c->bulk;
	struct serial *serial = &c->serial;

	serial->ended_in_hole = b->rest.done > 0 && !b->plan.is_compared &&
				(serial->is_sparse || b->request->keeps_holes ||
				 b->plan.holes >= PLAN_HOLES_KEEP);
	record_go_on(&c->record, &b->rest);
}

static void
open_records(struct course *c)
{
	const struct bulk *b = c->bulk;
	struct serial *serial = &c->serial;

	serial_init(serial, b->env, b->request, b->src, b->dst);
	serial->hold = b->out->hold;
	if (b->plan.is_compared) {
		// A record of zeros is compared like the others.
		serial->is_sparse = false;
		serial->recheck.back = &b->out->back;
		serial->recheck.differ = b->differ;
	}
	serial->leaves_gaps = b->src->ranges != NULL &&
			      b->request->zeros != REQUEST_ZEROS_WRITE &&
			      !b->plan.is_compared && b->env->manifest == NULL;
	serial->throttle.writeback = b->out->writeback;
	serial->clear = b->clear->side != NULL && !b->plan.is_compared
				? b->clear
				: NULL;
	record_init(&c->record, serial);
}

// 0 or -errno.
static int
position_both(struct course *c)
{
	const int r = record_skip(&c->record);

	return r < 0 ? r : record_seek(&c->record);
}

static bool
is_fed(struct bulk *b)
{
	bulk_plan(b);
	return b->plan.way == PLAN_BULK && b->plan.src.method == PLAN_FEED;
}

// The ring takes a stream from where it stands: what skip= leaves out is read
// before.
static int
place_stream(struct course *c)
{
	open_records(c);
	const int r = position_both(c);
	if (r == 0)
		course_done(c); // up to the end of the stretch
	c->bulk->rest.is_placed = r == 0;
	return r;
}

// All that is left.
static int
run_records(struct course *c)
{
	const struct bulk *b = c->bulk;
	struct record *record = &c->record;
	int r = b->rest.is_placed ? 0 : position_both(c);

	if (r < 0)
		return r;
	if (!record_has_next(record))
		return b->rest.done > 0 ? record_finish(record) : 0;
	if (b->plan.way == PLAN_SPLICE) {
		r = splice_run(&c->serial);
		record->intake.nr_records = b->env->stats->in_full;
	}
	return r < 0 ? r : record_run(record);
}

static int
finish(struct course *c, enum bulk_verdict verdict)
{
	if (verdict == BULK_DONE)
		return record_finish(&c->record);
	return verdict < BULK_FAILED ? run_records(c) : -EIO;
}

// Where a stretch may begin.
static uint64_t
pass_end(const struct course *c)
{
	const struct bulk *b = c->bulk;
	const uint64_t ibs = b->request->ibs;
	const uint64_t nr = c->record.intake.nr_records + c->pass_len / ibs + 1;

	return round_up(nr, b->plan.resume_unit / ibs);
}

// Record by record past what could not be read. 1: a stretch may go on, else as
// record_run.
static int
go_round(struct course *c)
{
	struct record *record = &c->record;
	struct bulk *b = c->bulk;
	int r;

	// An area in hand is told at its end, and only once.
	do {
		r = record_run_to(record, pass_end(c));
	} while (r > 0 && record->intake.salvage.bad.len > 0);
	throttle_flush(&c->serial.throttle, b->dst->fd);
	if (r > 0)
		r = serial_holes_clear(&c->serial) < 0 ? -EIO : r;
	if (r > 0 && b->env->hasher != NULL)
		hasher_flush(b->env->hasher);
	b->rest.done = b->env->stats->bytes;
	b->rest.is_within = false;
	return r;
}

// Every record was whole: a source that changes meanwhile may give a short one,
// and what is behind that is where only the records know.
static bool
can_resume(const struct course *c)
{
	const struct record *record = &c->record;

	return record->reblock.fill == 0 &&
	       c->bulk->rest.done ==
		       record->intake.nr_records * c->bulk->request->ibs;
}

// Another stretch. Where it meets the next obstacle soon, its start cost more
// than it gained: the records go twice as far then.
static enum bulk_verdict
resume(struct course *c)
{
	struct bulk *b = c->bulk;
	const uint64_t from = b->rest.done;
	const enum bulk_verdict verdict = stretch_resume(b);

	if (b->rest.done - from >= NEAR_LEN)
		c->pass_len = 0;
	else
		c->pass_len = max_u64(2 * c->pass_len, PASS_MIN);
	serial_go_on(&c->serial);
	go_on(c);
	return verdict;
}

int
course_run(struct course *c, struct bulk *bulk)
{
	int r = 1;

	*c = (struct course){.bulk = bulk};
	if (facts_is_stream(&bulk->src->facts) && is_fed(bulk)) {
		const int placed = place_stream(c);

		if (placed < 0)
			return placed;
	}
	enum bulk_verdict verdict = run_stretches(bulk);
	open_records(c);
	go_on(c);
	while (verdict == BULK_OBSTACLE && (r = go_round(c)) > 0)
		verdict = can_resume(c) ? resume(c) : BULK_RECORDS;
	if (r > 0)
		r = finish(c, verdict);
	// What was done keeps its size, whatever has ended it.
	if (r < 0 && serial_holes_end(&c->serial) == 0 &&
	    verdict == BULK_STOPPED)
		return -ECANCELED;
	return r;
}

void
course_done(struct course *c)
{
	record_done(&c->record);
	recheck_done(&c->serial.recheck);
}
