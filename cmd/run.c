// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base.h"
#include "beyond.h"
#include "clock.h"
#include "durability.h"
#include "epilogue.h"
#include "expect.h"
#include "journal.h"
#include "legs.h"
#include "message.h"
#include "obmap.h"
#include "outcome.h"
#include "quote.h"
#include "refusal.h"
#include "signals.h"
#include "targets.h"
#include "unpack.h"
#include "warning.h"
#include "wording.h"

#define DIFFER_MAX 20 // ranges that are told one by one

static void
print_stats(struct run *run)
{
	char records[REPORT_TEXT_MAX], transfer[REPORT_TEXT_MAX];
	char text[2 * REPORT_TEXT_MAX + 2];
	const struct stats stats = durability_stats(&run->transfer);

	if (run->options.level == REPORT_NONE)
		return;
	message_close_line();
	report_records(records, sizeof(records), &stats);
	report_transfer(transfer, sizeof(transfer), &stats, clock_ns(),
			REPORT_EXACT_SECONDS);
	const bool has_transfer = run->options.level == REPORT_ALL;
	snprintf(text, sizeof(text), "%s%s%s", records,
		 has_transfer ? transfer : "", has_transfer ? "\n" : "");
	message_text(text);
}

// Whoever gives the same command again sees that it goes on.
static void
tell_before(struct run *run)
{
	const struct stats_rescue *rescue = &run->stats.rescue;
	char *map, *text = NULL;

	if (rescue->before == 0 || run->is_before_told ||
	    run->options.level != REPORT_ALL)
		return;
	run->is_before_told = true;
	map = quote_name_always(run->options.request.map);
	if (map != NULL && asprintf(&text,
				    "%" PRIu64 " of %" PRIu64
				    " bytes are there already (map %s)",
				    rescue->before, rescue->len, map) > 0)
		message_line(text);
	free(text);
	free(map);
}

static void
tell_unexpected(const struct run *run, const struct event *f)
{
	const struct transfer_side src = transfer_src(&run->transfer);

	const struct expect_found found = {
		.name = f->name,
		.hasher = transfer_hasher(&run->transfer),
		.packed_hasher = transfer_packed_hasher(&run->transfer)};

	expect_tell(&found, &run->options.request, src.facts, src.start);
}

static void
tell(struct run *run, const struct event *f)
{
	switch (f->kind) {
	case FAILURE_REFUSED:
		refusal_tell(f);
		return;
	case NOTICE_SRC_LIVE:
	case NOTICE_UNCHECKED:
		refusal_warn(f);
		return;
	case NOTICE_SKIP_PAST_END:
		if (run->options.request.is_dd)
			wording_tell(f);
		else if (!run->is_skip_told)
			beyond_tell_skip(&run->options, f);
		run->is_skip_told = true;
		return;
	case NOTICE_SEEK_ODD:
		beyond_tell_seek(&run->options);
		return;
	case FAILURE_FORMAT:
	case FAILURE_DECODER:
	case FAILURE_DECODE:
		unpack_tell(f);
		return;
	case FAILURE_UNEXPECTED:
		tell_unexpected(run, f);
		return;
	default:
		if (!warning_tell(f))
			wording_tell(f);
	}
}

static void
enter(struct run *run, enum stats_phase phase)
{
	run->progress.bar.on_device = durability_on_device(&run->transfer);
	progress_enter(&run->progress, phase, clock_ns());
}

static void on_notice(void *ctx, const struct event *f);

static void
warn_beyond(struct run *run)
{
	const struct transfer_side src = transfer_src(&run->transfer);
	const struct transfer_side dst = transfer_dst(&run->transfer);
	const char *name = src.name ? src.name : "standard input";

	if (beyond_source(&run->options, &src))
		on_notice(run, &(struct event){.kind = NOTICE_SKIP_PAST_END,
					       .name = name,
					       .len = src.facts->size});
	if (beyond_is_odd_seek(&run->options))
		on_notice(run, &(struct event){.kind = NOTICE_SEEK_ODD,
					       .name = dst.name});
}

// A read that has failed since what was read could not be decoded. Where both
// is, is known at the decoder alone.
static struct event
decoded(const struct run *run, const struct event *f)
{
	const struct packed_state packed = transfer_packed(&run->transfer);
	struct event event = *f;

	if (f->kind != FAILURE_READ || packed.error == 0 ||
	    packed.error != f->error)
		return event;
	event.kind = FAILURE_DECODE;
	event.fault = packed.format;
	event.off = packed.in;
	event.len = packed.out;
	return event;
}

static void
on_notice(void *ctx, const struct event *given)
{
	struct run *run = ctx;
	const bool is_quiet = run->options.level == REPORT_NONE;
	const struct event event = decoded(run, given), *f = &event;

	// A report is of the plan for the first destination.
	if (f->dst > 0 &&
	    (f->kind == NOTICE_PROBED || f->kind == NOTICE_PLANNED))
		return;
	if (run->publish.journal != NULL)
		journal_note(run->publish.journal, f, clock_ns());
	switch (f->kind) {
	case NOTICE_PROBED:
		if (!run->options.request.is_dd)
			warn_beyond(run);
		return;
	case NOTICE_WRITE_PIECES:
		if (run->options.request.is_dd)
			return; // dd writes no larger ones
		break;
	case NOTICE_VERIFYING:
		enter(run, STATS_VERIFYING);
		return;
	case NOTICE_PLANNED:
		if (run->options.is_json)
			publish_start(&run->publish);
		tell_before(run);
		return;
	case NOTICE_SYNCING:
		if (durability_is_asked(&run->transfer))
			enter(run, STATS_FLUSHING);
		return;
	case NOTICE_COUNTS:
		print_stats(run);
		return;
	case FAILURE_DIFFERS:
	case FAILURE_OTHER:
		if (++run->nr_differ[f->dst] > DIFFER_MAX)
			return;
		break;
	default:
		break;
	}
	run->publish.is_mute = event_is_notice(f) && is_quiet;
	if (run->publish.journal != NULL) {
		journal_about(run->publish.journal, f);
		tell(run, f);
		journal_about(run->publish.journal, NULL);
	} else if (!run->publish.is_mute) {
		tell(run, f);
	}
	run->publish.is_mute = false;
	if (f->kind == NOTICE_READ_SKIPPED)
		print_stats(run);
}

static bool
on_must_stop(void *ctx)
{
	struct run *run = ctx;

	while (signals_take_info()) {
		if (run->options.is_json)
			publish_progress(&run->publish, &run->progress);
		else
			print_stats(run);
	}
	if (signals_fatal() == 0)
		return false;
	progress_stop(&run->progress, clock_ns());
	return true;
}

static void
on_signal(void *ctx, int signo)
{
	(void)ctx;
	signals_take(signo);
}

static void
look_at_source(struct run *run)
{
	const struct packed_state packed = transfer_packed(&run->transfer);

	if (packed.format == 0)
		return; // or it is closed, and all of it was seen
	run->stats.packed = packed.in;
	run->stats.packed_total =
		transfer_src(&run->transfer).facts->packed_size;
}

static void
on_tick(void *ctx)
{
	struct run *run = ctx;
	const uint64_t now = clock_ns();

	look_at_source(run);
	run->progress.bar.on_device = durability_on_device(&run->transfer);
	if (progress_interval_ms(&run->progress) > 0)
		progress_tick(&run->progress, now);
	publish_tick(&run->publish, &run->progress, now);
}

static void
on_span(void *ctx, unsigned dst, enum hooks_span what, uint64_t off,
	uint64_t len)
{
	struct run *run = ctx;

	journal_span(run->publish.journal, dst, what, off, len);
}

static int
open_sums(struct run *run)
{
	const struct options *options = &run->options;
	const bool has_sums = options->sums != NULL || !options->is_json;
	const int r = sums_open(&run->sums, options->sums, &options->request,
				has_sums ? options->hashes : 0);

	run->sums.is_as = options->as != NULL;
	if (options->as != NULL)
		run->sums.name = options->as;
	return r;
}

// Each would replace the other.
static int
check_exports(const struct run *run)
{
	const struct {
		const char *name;
		const struct export *export;
	} all[] = {{"report=", &run->publish.export},
		   {"sums=", &run->sums.export},
		   {"obmap=", &run->obmap}};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		for (size_t j = i + 1; j < ARRAY_LEN(all); j++)
			if (export_is_same(all[i].export, all[j].export)) {
				message_error(0, "%s and %s name the same file",
					      all[i].name, all[j].name);
				return -EINVAL;
			}
	return 0;
}

int
run_open(struct run *run, char *const *argv)
{
	const struct options *options = &run->options;

	if (options->request.commit == REQUEST_COMMIT_RENAME ||
	    options->report != NULL || options->sums != NULL ||
	    options->request.obmap != NULL)
		signals_catch_others();
	run->sums.export.fd = run->obmap.fd = -1;
	run->hooks = (struct hooks){.ctx = run,
				    .notice = on_notice,
				    .message_fd = STDERR_FILENO,
				    .must_stop = on_must_stop,
				    .signalled = on_signal};
	signals_of_ring(&run->hooks.signals);
	progress_init(&run->progress, options->progress, &run->stats,
		      options->request.dst);
	run->hooks.tick_ms = progress_interval_ms(&run->progress);
	if (run->hooks.tick_ms > 0)
		run->hooks.tick = on_tick;
	int r = publish_open(&run->publish, options, &run->transfer,
			     &run->stats, argv);
	if (run->publish.journal != NULL) {
		run->hooks.span = on_span;
		run->hooks.tick = on_tick;
		run->hooks.tick_ms = JOURNAL_TICK_MS;
	}
	if (r == 0)
		r = open_sums(run);
	if (r == 0)
		r = obmap_open(&run->obmap, &options->request);
	return r < 0 ? r : check_exports(run);
}

static void
print_engine(const struct aio_counters *c)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "engine: submitted=%" PRIu64 " announced=%" PRIu64
		 " reaped=%" PRIu64 " inline=%" PRIu64 " stalls=%" PRIu64
		 " longest_ms=%" PRIu64 "\n",
		 c->submitted, c->announced, c->reaped, c->inlined, c->stalls,
		 c->longest_ns / 1000000);
	message_text(text);
}

// A signal other than dd's own SIGINT ends dd without a word.
static bool
has_stats(const struct run *run, enum transfer_verdict verdict)
{
	if (verdict == TRANSFER_STOPPED)
		return signals_fatal() == SIGINT ||
		       !run->options.request.is_dd;
	// A source that is not what was expected, before anything was begun.
	if (verdict == TRANSFER_UNEXPECTED && run->stats.start_ns == 0)
		return false;
	return verdict != TRANSFER_UNCOUNTED && verdict != TRANSFER_REFUSED;
}

static enum exit_code
exit_code_of(const struct run *run, enum transfer_verdict verdict)
{
	switch (verdict) {
	case TRANSFER_OK:
		return EXIT_CODE_OK;
	case TRANSFER_INCOMPLETE:
		return request_is_trusted(&run->options.request) ||
				       request_is_attested(
					       &run->options.request)
			       ? EXIT_CODE_INCOMPLETE
			       : EXIT_CODE_OK;
	case TRANSFER_DIFFERS:
		return EXIT_CODE_VERIFY;
	case TRANSFER_UNEXPECTED:
		return EXIT_CODE_SOURCE;
	case TRANSFER_REFUSED:
		return EXIT_CODE_REFUSED;
	default:
		return EXIT_CODE_FAILURE;
	}
}

static void
tell_more_differ(struct run *run)
{
	for (unsigned i = 0; i < ARRAY_LEN(run->nr_differ); i++) {
		const struct transfer *t = &run->transfer;
		const uint64_t nr = run->nr_differ[i];

		if (nr <= DIFFER_MAX)
			continue;
		on_notice(run,
			  &(struct event){.kind = FAILURE_MORE_DIFFER,
					  .dst = i,
					  .name = i == 0 ? transfer_dst(t).name
							 : targets_name(t, i),
					  .len = nr - DIFFER_MAX});
	}
}

// 0 or -errno, told.
static int
tell_sums(struct run *run)
{
	if (run->options.is_expect_signed)
		on_notice(run, &(struct event){.kind = NOTICE_SIGNED,
					       .name = run->options.expect});
	const int r = sums_write(&run->sums, transfer_hasher(&run->transfer));
	return r < 0 ? r : obmap_write(&run->obmap, &run->transfer);
}

enum transfer_verdict
run_tell(struct run *run, enum transfer_verdict verdict)
{
	look_at_source(run);
	run->progress.bar.on_device = durability_on_device(&run->transfer);
	progress_done(&run->progress, clock_ns());
	tell_more_differ(run);
	if (run->options.is_engine_shown && !run->options.is_json)
		print_engine(transfer_counters(&run->transfer));
	if (has_stats(run, verdict)) {
		print_stats(run);
		epilogue_counts(&run->options, &run->transfer, &run->stats);
	}
	const bool is_good = exit_code_of(run, verdict) == EXIT_CODE_OK;
	const int r = is_good ? tell_sums(run) : 0;
	if (run->publish.journal != NULL)
		journal_conclude(run->publish.journal);
	if (run->transfer.legs == NULL)
		outcome_tell(&run->transfer, verdict);
	else
		targets_conclude(&run->options, &run->transfer);
	return r < 0 ? TRANSFER_FAILED : verdict;
}

enum exit_code
run_end(struct run *run, enum transfer_verdict verdict)
{
	// Also one that came while the last call was made.
	const int signo = on_must_stop(run) ? signals_fatal() : 0;
	enum exit_code code = exit_code_of(run, verdict);

	sums_done(&run->sums);
	export_close(&run->obmap);
	if (run->publish.journal != NULL)
		code = publish_end(&run->publish, code, signo);
	if (signo != 0) {
		epilogue_interrupted(&run->options, &run->transfer);
		transfer_leave(&run->transfer);
		legs_leave(&run->transfer);
		signals_raise(signo);
	}
	if (verdict == TRANSFER_OK && code == EXIT_CODE_OK &&
	    !message_has_failed())
		epilogue_good(&run->options, &run->transfer, &run->stats);
	legs_free(&run->transfer);
	transfer_done(&run->transfer);
	journal_free(run->publish.journal);
	return code;
}
