// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "legs_close.h"

#include <errno.h>

#include "base.h"
#include "event.h"
#include "hooks.h"
#include "judge.h"
#include "legs.h"

static void
sync_leg(struct leg *leg)
{
	unsigned conv = output_syncs(leg->out);

	if (leg->verdict != TRANSFER_OK)
		return;
	if (leg->bulk->needs_fsync)
		conv |= CONV_FSYNC;
	const int r = output_sync(leg->out, conv);
	if (r == -ECANCELED)
		leg->verdict = TRANSFER_STOPPED;
	else if (r < 0 || leg->out->side.close_error < 0)
		leg->verdict = TRANSFER_FAILED;
}

static void
judge_leg(struct transfer *t, struct leg *leg)
{
	struct judge judge = transfer_judge(t, leg->out, &leg->env);
	struct stats *stats = t->env.stats;

	if (leg->verdict != TRANSFER_OK)
		return;
	leg->verdict = transfer_judged(judge_dst(&judge));
	verify_done(&judge.verify);
	leg->out->is_synced = judge.is_synced;
	leg->stats.verified = stats->verified;
	stats->verified_others += stats->verified;
	stats->verified = 0;
}

static void
judge_all(struct transfer *t, bool has_changed)
{
	struct legs *legs = t->legs;
	struct judge judge = transfer_judge(t, &t->out, &t->env);
	const int r = judge_src(&judge, has_changed);

	outline_end(&t->outline, t->env.stats->bytes);
	legs_set_all(legs, transfer_judged(r));
	uint64_t verified = UINT64_MAX;
	for (unsigned i = 0; i < legs->nr; i++) {
		struct leg *leg = &legs->all[i];

		judge_leg(t, leg);
		t->env.stats->differing += leg->stats.differing;
		t->env.stats->nr_differing += leg->stats.nr_differing;
		verified = min_u64(verified, leg->stats.verified);
	}
	t->env.stats->verified = verified;
	t->env.stats->verified_others -= verified;
}

// It is there, or what is there is kept.
static void
close_leg(struct transfer *t, struct leg *leg)
{
	struct output *out = leg->out;

	if (leg->is_stalled)
		return;
	if (leg != &t->legs->all[0]) {
		bulk_done(leg->bulk);
		bulk_add_counters(&t->bulk, &leg->bulk->counters);
	}
	if (request_reads_dst(&leg->asked))
		side_close_extra(&out->back);
	if (leg->verdict == TRANSFER_OK)
		output_read_table(out);
	safety_done(&out->safety);
	const int r = out->side.ops->close(&out->side);
	if (r < 0) {
		side_tell(&out->side, t->env.hooks, FAILURE_CLOSE_DST, -r);
		leg->verdict = TRANSFER_FAILED;
	} else {
		out->is_closed = true;
	}
}

static void
rename_leg(struct leg *leg)
{
	if (leg->verdict == TRANSFER_OK) {
		const int r = output_rename(leg->out);

		if (r < 0)
			leg->verdict = r == -ECANCELED ? TRANSFER_STOPPED
						       : TRANSFER_FAILED;
	}
	commit_done(&leg->out->commit);
}

static void
close_all(struct transfer *t, struct aio *reading)
{
	struct legs *legs = t->legs;

	if (!legs->all[0].is_stalled)
		bulk_done(&t->bulk);
	aio_done(reading);
	bulk_add_counters(&t->bulk, &reading->counters);
	const int r = t->src.ops->close(&t->src);
	if (r < 0) {
		side_tell(&t->src, t->env.hooks, FAILURE_CLOSE_SRC, -r);
		legs_set_all(legs, TRANSFER_FAILED);
	}
	for (unsigned i = 0; i < legs->nr; i++) {
		close_leg(t, &legs->all[i]);
		rename_leg(&legs->all[i]);
	}
}

void
legs_close_all(struct transfer *t, struct aio *reading)
{
	const struct judge judge = transfer_judge(t, &t->out, &t->env);
	// Told before the sync, which can take long.
	const bool has_changed = judge_has_changed(&judge);

	hooks_tell(t->env.hooks, (struct event){.kind = NOTICE_SYNCING});
	for (unsigned i = 0; i < t->legs->nr; i++)
		sync_leg(&t->legs->all[i]);
	judge_all(t, has_changed);
	close_all(t, reading);
}
