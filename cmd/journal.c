// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "journal.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "durability.h"
#include "mapkeep.h"
#include "refusal.h"
#include "topic.h"

#define TICK_NS (JOURNAL_TICK_MS * (uint64_t)1000000)

struct journal *
journal_new(const struct request *request, const struct transfer *transfer,
	    const struct stats *stats, char *const *argv)
{
	struct journal *j = calloc(1, sizeof(*j));
	const unsigned nr_tees = request->nr_tees;

	if (j == NULL)
		return NULL;
	j->nr_maps = nr_tees > 0 ? 1 + 1 + nr_tees : 1;
	j->maps = calloc(j->nr_maps, sizeof(*j->maps));
	if (j->maps == NULL) {
		free(j);
		return NULL;
	}
	for (unsigned i = 0; i < j->nr_maps; i++)
		cells_init(&j->maps[i]);
	j->request = request;
	j->transfer = transfer;
	j->stats = stats;
	j->argv = argv;
	j->time = time(NULL);
	j->sample_ns = TICK_NS;
	return j;
}

static void
event_done(struct journal_event *event)
{
	// They are copies.
	free((void *)(uintptr_t)event->name);
	free((void *)(uintptr_t)event->text);
}

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	for (size_t i = 0; i < j->nr_events; i++)
		event_done(&j->events[i]);
	for (size_t i = 0; i < j->nr_conclusions; i++)
		free(j->conclusions[i]);
	free(j->maps);
	free(j);
}

uint64_t
journal_time(const struct journal *j, uint64_t now_ns)
{
	const uint64_t start_ns = j->stats->start_ns;

	return start_ns > 0 && now_ns > start_ns ? now_ns - start_ns : 0;
}

// Every second one stays, and the last one of each phase; from now on there
// are half as many.
static void
thin_out(struct journal *j)
{
	const struct journal_sample *s = j->samples;
	size_t nr = 0;

	for (size_t i = 0; i < j->nr_samples; i++)
		if (i % 2 == 0 || (i + 1 < j->nr_samples &&
				   s[i].phase != s[i + 1].phase))
			j->samples[nr++] = s[i];
	j->nr_samples = nr;
	j->sample_ns *= 2;
}

static void
add_sample(struct journal *j, uint64_t ns)
{
	if (j->nr_samples == JOURNAL_SAMPLES_MAX)
		thin_out(j);
	j->samples[j->nr_samples++] = (struct journal_sample){
		.ns = ns,
		.phase = j->phase,
		.bytes = journal_bytes(j),
		.moved = stats_moved(j->stats),
		.on_device = durability_on_device(j->transfer),
	};
}

void
journal_sample(struct journal *j, uint64_t now_ns)
{
	const uint64_t ns = journal_time(j, now_ns);

	if (ns < j->due_ns)
		return;
	add_sample(j, ns);
	j->due_ns = ns + j->sample_ns;
}

static void
enter(struct journal *j, enum stats_phase phase, uint64_t ns)
{
	add_sample(j, ns);
	// One that was left out took no time.
	for (unsigned i = j->phase + 1; i <= phase; i++)
		j->began_ns[i] = ns;
	j->phase = phase;
}

static void
take_side(struct journal_side *ret, struct transfer_side side)
{
	ret->facts = *side.facts;
	ret->off = side.facts->is_append ? side.facts->size : side.start;
	if (side.facts->rdev != 0)
		disk_identify_model(&ret->disk, side.facts->rdev);
}

static void
take_sides(struct journal *j)
{
	take_side(&j->src, transfer_src(j->transfer));
	take_side(&j->dst, transfer_dst(j->transfer));
	j->is_probed = true;
}

// Bytes of the copy that destination dst has otherwise than written.
static void
mark(struct journal *j, unsigned dst, uint64_t off, uint64_t len, size_t kind)
{
	if (off < j->dst.off)
		return; // seek= left it out
	if (dst == 0 || kind == offsetof(struct cells_cell, bad))
		cells_mark(&j->maps[0], off - j->dst.off, len, kind);
	if (j->nr_maps > 1)
		cells_mark(&j->maps[1 + dst], off - j->dst.off, len, kind);
}

// Ranges that touch are one.
static void
add_bad(struct journal *j, const struct journal_bad *bad)
{
	struct journal_bad *last = j->nr_bad > 0 ? &j->bad[j->nr_bad - 1]
						 : NULL;

	if (last != NULL && last->dst == bad->dst &&
	    last->is_unread == bad->is_unread && last->state == bad->state &&
	    last->off + last->len == bad->off)
		last->len += bad->len;
	else if (j->nr_bad < JOURNAL_BAD_MAX)
		j->bad[j->nr_bad++] = *bad;
	else
		j->nr_bad_lost++;
}

static void
add_bad_bytes(struct journal *j, const struct journal_bad *bad)
{
	mark(j, bad->dst, bad->off, bad->len, offsetof(struct cells_cell, bad));
	add_bad(j, bad);
}

void
journal_span(struct journal *j, unsigned dst, enum hooks_span what,
	     uint64_t off, uint64_t len)
{
	static const struct {
		size_t member;
		const char *state; // that is bad
	} kinds[] = {
		[HOOKS_HOLE] = {offsetof(struct cells_cell, hole), NULL},
		[HOOKS_SAME] = {offsetof(struct cells_cell, same), NULL},
		[HOOKS_UNTRIED] = {offsetof(struct cells_cell, untried),
				   "untried"},
		[HOOKS_FAILED] = {offsetof(struct cells_cell, failed),
				  "failed"},
		[HOOKS_BAD] = {offsetof(struct cells_cell, bad), "bad"},
	};

	mark(j, dst, off, len, kinds[what].member);
	if (kinds[what].state != NULL)
		add_bad(j, &(struct journal_bad){.is_unread = true,
						 .off = off,
						 .len = len,
						 .wrote = -1,
						 .found = -1,
						 .state = kinds[what].state});
}

// There is padding at the place that the bytes have in the source; without
// conv=sync nothing is written for them where there are no places.
static void
add_unread(struct journal *j, const struct event *f)
{
	const unsigned conv = j->request->conv;
	const bool is_padded = (conv & CONV_SYNC) ||
			       (facts_has_offsets(&j->src.facts) &&
				facts_keeps_place(&j->dst.facts));

	if (is_padded && !(conv & (CONV_BLOCK | CONV_UNBLOCK)) &&
	    f->off >= j->src.off)
		add_bad_bytes(j,
			      &(struct journal_bad){.is_unread = true,
						    .off = j->dst.off + f->off -
							   j->src.off,
						    .len = f->len,
						    .wrote = -1,
						    .found = -1});
}

void
journal_note(struct journal *j, const struct event *f, uint64_t now_ns)
{
	switch (f->kind) {
	case NOTICE_PROBED:
		take_sides(j);
		return;
	case NOTICE_PLANNED:
		j->plan = *transfer_plan(j->transfer);
		j->is_planned = true;
		journal_sample(j, now_ns);
		return;
	case NOTICE_SYNCING:
		enter(j, STATS_FLUSHING, journal_time(j, now_ns));
		return;
	case NOTICE_VERIFYING:
		enter(j, STATS_VERIFYING, journal_time(j, now_ns));
		return;
	case NOTICE_READ_SKIPPED:
		add_unread(j, f);
		return;
	case FAILURE_DIFFERS:
	case FAILURE_OTHER:
		add_bad_bytes(j, &(struct journal_bad){.dst = f->dst,
						       .off = f->off,
						       .len = f->len,
						       .wrote = f->wrote,
						       .found = f->found});
		return;
	default:
		return;
	}
}

void
journal_about(struct journal *j, const struct event *f)
{
	j->about = f;
}

static void
keep(struct journal *j, const struct journal_event *event)
{
	struct journal_event copy = *event;

	if (j->nr_events == JOURNAL_EVENTS_MAX) {
		j->nr_events_lost++;
		return;
	}
	copy.text = strdup(event->text);
	copy.name = event->name != NULL ? strdup(event->name) : NULL;
	if (copy.text == NULL) {
		event_done(&copy);
		j->nr_events_lost++;
		return;
	}
	j->events[j->nr_events++] = copy;
}

void
journal_conclude(struct journal *j)
{
	j->is_concluding = true;
}

static void
keep_conclusion(struct journal *j, const char *text)
{
	char *copy = strdup(text);

	if (copy != NULL && j->nr_conclusions < JOURNAL_CONCLUSIONS_MAX)
		j->conclusions[j->nr_conclusions++] = copy;
	else
		free(copy);
}

void
journal_hear(struct journal *j, const char *text, uint64_t now_ns,
	     struct journal_event *ret)
{
	const struct event *f = j->about;

	*ret = (struct journal_event){.ns = journal_time(j, now_ns),
				      .text = text};
	if (f != NULL) {
		ret->is_warning = event_is_notice(f);
		ret->phase = topic_of(f->kind)->word;
		ret->name = f->name;
		ret->error = f->error;
		ret->has_range = topic_of(f->kind)->has_range;
		ret->off = f->off;
		ret->len = f->len;
		if (f->kind == FAILURE_REFUSED)
			ret->check = refusal_word(f->safety->reason);
		else if (f->kind == FAILURE_MAP &&
			 f->fault >= MAPKEEP_FIRST_REFUSED)
			ret->check = refusal_word(REQUEST_FORCE_MAP);
	}
	keep(j, ret);
	if (j->is_concluding)
		keep_conclusion(j, text);
}

void
journal_end(struct journal *j, int status, int signo, uint64_t now_ns)
{
	j->status = status;
	j->signo = signo;
	j->end_ns = journal_time(j, now_ns);
	if (j->is_ended)
		return;
	j->is_ended = true;
	for (unsigned i = 0; i < j->nr_maps; i++)
		cells_stretch(&j->maps[i], journal_total(j));
	add_sample(j, j->end_ns);
}

bool
journal_phase_ns(const struct journal *j, enum stats_phase phase,
		 uint64_t *ret)
{
	if (j->stats->start_ns == 0 || phase > j->phase)
		return false;
	const uint64_t end = phase == j->phase ? j->end_ns
					       : j->began_ns[phase + 1];
	*ret = end - j->began_ns[phase];
	return true;
}

uint64_t
journal_durable(const struct journal *j)
{
	return durability_durable(j->transfer);
}

uint64_t
journal_bytes(const struct journal *j)
{
	return durability_stats(j->transfer).bytes;
}

uint64_t
journal_total(const struct journal *j)
{
	const uint64_t mapped = j->stats->rescue.len;

	// Where a block map is compared with, most of it may be left out.
	if (j->request->compare == REQUEST_COMPARE_BMAP)
		return j->transfer->guide.bmap.ranges.size;
	return mapped > 0 ? mapped
			  : max_u64(j->stats->bytes_total, journal_bytes(j));
}

uint64_t
journal_reached(const struct journal *j)
{
	const uint64_t mapped = j->stats->rescue.len;

	return mapped > 0 ? mapped : journal_bytes(j) + j->stats->left_out;
}
