// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "run.h"

#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "message.h"
#include "refusal.h"
#include "signals.h"

static void
print_stats(struct run *run)
{
	char records[REPORT_TEXT_MAX], transfer[REPORT_TEXT_MAX];
	char text[2 * REPORT_TEXT_MAX + 2];

	if (run->options.level == REPORT_NONE)
		return;
	message_close_line();
	report_records(records, sizeof(records), &run->stats);
	report_transfer(transfer, sizeof(transfer), &run->stats, clock_ns(),
			REPORT_EXACT_SECONDS);
	const bool has_transfer = run->options.level == REPORT_ALL;
	snprintf(text, sizeof(text), "%s%s%s", records,
		 has_transfer ? transfer : "", has_transfer ? "\n" : "");
	message_text(text);
}

static void
tell(struct run *run, const struct failure *f)
{
	switch (f->phase) {
	case FAILURE_REFUSED:
		refusal_tell(f);
		return;
	case NOTICE_SRC_LIVE:
		refusal_warn(f);
		return;
	case FAILURE_UNEXPECTED:
		sums_tell_unexpected(&run->options.request.expected,
				     run->transfer.digest, f->name);
		return;
	default:
		message_failure(f);
	}
}

static void
on_notice(void *ctx, const struct failure *f)
{
	struct run *run = ctx;
	const bool is_quiet = run->options.level == REPORT_NONE;

	switch (f->phase) {
	case NOTICE_PROBED:
	case NOTICE_PLANNED:
	case NOTICE_VERIFYING:
		return;
	case NOTICE_SYNCING:
		if (run->transfer.request.conv & (CONV_FSYNC | CONV_FDATASYNC))
			progress_syncing(&run->progress);
		return;
	case NOTICE_COUNTS:
		print_stats(run);
		return;
	default:
		break;
	}
	if (!failure_is_notice(f) || !is_quiet)
		tell(run, f);
	if (f->phase == NOTICE_READ_SKIPPED)
		print_stats(run);
}

static bool
on_must_stop(void *ctx)
{
	while (signals_take_info())
		print_stats(ctx);
	return signals_fatal() != 0;
}

static void
on_signal(void *ctx, int signo)
{
	(void)ctx;
	signals_note(signo);
}

static void
on_tick(void *ctx)
{
	struct run *run = ctx;

	progress_tick(&run->progress);
}

int
run_open(struct run *run)
{
	const struct options *options = &run->options;

	run->hooks = (struct hooks){.ctx = run,
				    .notice = on_notice,
				    .must_stop = on_must_stop,
				    .signalled = on_signal};
	signals_of_ring(&run->hooks.signals);
	progress_init(&run->progress, options->progress, &run->stats);
	run->hooks.tick_ms = progress_interval_ms(&run->progress);
	if (run->hooks.tick_ms > 0)
		run->hooks.tick = on_tick;
	if (options->request.plan_only)
		return 0;
	return sums_open(&run->sums, options->sums, options->request.dst,
			 options->hashes);
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
	return verdict != TRANSFER_UNCOUNTED && verdict != TRANSFER_REFUSED;
}

enum transfer_verdict
run_tell(struct run *run, enum transfer_verdict verdict)
{
	progress_done(&run->progress);
	if (run->options.is_engine_shown)
		print_engine(&run->transfer.bulk.counters);
	if (has_stats(run, verdict))
		print_stats(run);
	if (verdict == TRANSFER_OK &&
	    sums_write(&run->sums, run->transfer.digest) < 0)
		return TRANSFER_FAILED;
	return verdict;
}

static enum exit_code
exit_code_of(enum transfer_verdict verdict)
{
	switch (verdict) {
	case TRANSFER_OK:
		return EXIT_CODE_OK;
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

enum exit_code
run_end(struct run *run, enum transfer_verdict verdict)
{
	// Also one that came while the last call was made.
	if (on_must_stop(run))
		signals_raise(signals_fatal());
	transfer_done(&run->transfer);
	return exit_code_of(verdict);
}
