// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parse, copy, report, exit.

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "describe.h"
#include "exit_codes.h"
#include "hooks.h"
#include "message.h"
#include "options.h"
#include "progress.h"
#include "refusal.h"
#include "signals.h"
#include "sums.h"
#include "transfer.h"

struct run {
	struct options options;
	struct stats stats;
	struct progress progress;
	struct transfer transfer;
	struct sums sums;
};

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
on_notice(void *ctx, const struct failure *f)
{
	struct run *run = ctx;
	const bool is_quiet = run->options.level == REPORT_NONE;

	if (f->phase == NOTICE_SYNCING) {
		if (run->transfer.request.conv & (CONV_FSYNC | CONV_FDATASYNC))
			progress_syncing(&run->progress);
		return;
	}
	if (f->phase == FAILURE_REFUSED) {
		refusal_tell(f);
		return;
	}
	if (f->phase == NOTICE_SRC_LIVE) {
		if (!is_quiet)
			refusal_warn(f);
		return;
	}
	if (f->phase == FAILURE_UNEXPECTED) {
		sums_tell_unexpected(&run->options.request.expected,
				     run->transfer.digest, f->name);
		return;
	}
	if (f->phase != NOTICE_COUNTS && !(failure_is_notice(f) && is_quiet))
		message_failure(f);
	if (f->phase == NOTICE_COUNTS || f->phase == NOTICE_READ_SKIPPED)
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
static void
die_of_signal(struct run *run)
{
	const int signo = signals_fatal();

	if (signo == SIGINT || !run->options.request.is_dd)
		print_stats(run);
	signals_raise(signo);
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

static enum exit_code
copy(struct run *run)
{
	const struct request *q = &run->options.request;
	struct hooks hooks = {.ctx = run,
			      .notice = on_notice,
			      .must_stop = on_must_stop,
			      .signalled = on_signal};
	struct transfer *transfer = &run->transfer;
	enum transfer_verdict verdict;

	signals_of_ring(&hooks.signals);
	progress_init(&run->progress, run->options.progress, &run->stats);
	hooks.tick_ms = progress_interval_ms(&run->progress);
	if (hooks.tick_ms > 0)
		hooks.tick = on_tick;
	transfer_init(transfer, q, &hooks, &run->stats);
	if (q->plan_only) {
		verdict = transfer_preview(transfer);
		if (verdict == TRANSFER_UNCOUNTED ||
		    describe_plan(&transfer->bulk.plan) < 0)
			return EXIT_CODE_FAILURE;
		return exit_code_of(verdict);
	}
	if (sums_open(&run->sums, run->options.sums, q->dst,
		      run->options.hashes) < 0)
		return EXIT_CODE_FAILURE;
	verdict = transfer_run(transfer);
	progress_done(&run->progress);
	if (run->options.is_engine_shown)
		print_engine(&transfer->bulk.counters);
	if (verdict == TRANSFER_STOPPED)
		die_of_signal(run);
	if (verdict != TRANSFER_UNCOUNTED && verdict != TRANSFER_REFUSED)
		print_stats(run);
	if (verdict == TRANSFER_OK &&
	    sums_write(&run->sums, transfer->digest) < 0)
		verdict = TRANSFER_FAILED;
	transfer_done(transfer);
	// Signals that came while the last call was made.
	if (on_must_stop(run))
		signals_raise(signals_fatal());
	return exit_code_of(verdict);
}

// A closed stderr must stay unwritable: the next descriptor to be opened
// would take its number, and messages would land in the data.
static void
guard_stderr(void)
{
	if (fcntl(STDERR_FILENO, F_GETFD) >= 0 || errno != EBADF)
		return;
	const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fd == STDERR_FILENO)
		return;
	(void)dup2(fd, STDERR_FILENO);
	(void)close(fd); // held nothing
}

int
main(int argc, char **argv)
{
	struct run run = {.stats.start_ns = 0};
	enum exit_code code = EXIT_CODE_FAILURE;

	guard_stderr();
	// Only what messages need: each category is a file to open and map.
	setlocale(LC_CTYPE, "");
	setlocale(LC_NUMERIC, "");
	setlocale(LC_MESSAGES, "");
	message_init(argv[0]);
	switch (options_parse(&run.options, argc, argv)) {
	case OPTIONS_SHOWN:
		code = EXIT_CODE_OK;
		break;
	case OPTIONS_WRONG:
		break;
	case OPTIONS_RUN:
		signals_init(run.options.request.is_dd);
		code = copy(&run);
		break;
	}
	return message_has_failed() ? EXIT_CODE_FAILURE : code;
}
