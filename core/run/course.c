// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "course.h"

#include <errno.h>

#include "env.h"
#include "splice.h"
#include "stretch.h"

// The ring takes no block of ibs, but dd that cannot have one copies nothing.
static enum bulk_verdict
run_stretches(struct bulk *b)
{
	if (b->request->is_dd && !record_can_alloc(b->request))
		return BULK_RECORDS;
	return stretch_run(b);
}

static void
open_records(struct course *c)
{
	const struct bulk *b = c->bulk;
	struct serial *serial = &c->serial;

	serial_init(serial, b->env, b->request, b->src, b->dst);
	serial->hold = b->hold;
	serial->throttle.writeback = b->writeback;
	serial->ended_in_hole = b->rest.done > 0 &&
				(serial->is_sparse || b->request->keeps_holes);
	record_init(&c->record, serial);
	record_go_on(&c->record, &b->rest);
}

// 0 or -errno.
static int
position_both(struct course *c)
{
	const int r = record_skip(&c->record);

	return r < 0 ? r : record_seek(&c->record);
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
		record->nr_records = b->env->stats->in_full;
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

int
course_run(struct course *c, struct bulk *bulk)
{
	c->bulk = bulk;
	const enum bulk_verdict verdict = run_stretches(bulk);
	open_records(c);
	const int r = finish(c, verdict);
	// What was done keeps its size, whatever has ended it.
	if (r < 0 && serial_end_hole(&c->serial) == 0 &&
	    verdict == BULK_STOPPED)
		return -ECANCELED;
	return r;
}

void
course_done(struct course *c)
{
	record_done(&c->record);
}
