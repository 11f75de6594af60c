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
#include "expect.h"
#include "hasher.h"
#include "journal.h"
#include "message.h"
#include "object.h"
#include "outcome.h"
#include "quote.h"
#include "refusal.h"
#include "signals.h"
#include "units.h"
#include "warning.h"

#define DIFFER_MAX 20 // ranges that are told one by one
#define SHOW_NS (UINT64_C(500) * 1000 * 1000)

// An object for whoever reads them; it is lost without memory.
static void
put_object(char *line)
{
	if (line == NULL)
		message_fail();
	else
		message_text(line);
	free(line);
}

// Before all other objects.
static void
put_start(struct run *run)
{
	if (!run->is_started)
		put_object(object_start(run->journal));
	run->is_started = true;
}

static void
put_progress(struct run *run)
{
	const uint64_t now = clock_ns();

	put_start(run);
	put_object(object_progress(run->journal, now,
				   progress_rate(&run->progress, now)));
	run->shown_ns = now;
}

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

static void
tell_unexpected(const struct run *run, const struct event *f)
{
	const struct transfer_side src = transfer_src(&run->transfer);

	expect_tell(f->name, &run->options.request, src.facts, src.start,
		    transfer_hasher(&run->transfer));
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
			message_failure(f);
		else if (!run->is_skip_told)
			beyond_tell_skip(&run->options, f);
		run->is_skip_told = true;
		return;
	case NOTICE_SEEK_ODD:
		beyond_tell_seek(&run->options);
		return;
	case FAILURE_UNEXPECTED:
		tell_unexpected(run, f);
		return;
	default:
		if (!warning_tell(f))
			message_failure(f);
	}
}

static void
on_message(void *ctx, const char *text)
{
	struct run *run = ctx;
	struct journal_event event;

	journal_hear(run->journal, text, clock_ns(), &event);
	if (run->options.is_json) {
		put_start(run);
		put_object(object_event(&event));
	} else if (!run->is_mute) {
		message_line(text);
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

static void
on_notice(void *ctx, const struct event *f)
{
	struct run *run = ctx;
	const bool is_quiet = run->options.level == REPORT_NONE;

	if (run->journal != NULL)
		journal_note(run->journal, f, clock_ns());
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
			put_start(run);
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
		if (++run->nr_differ > DIFFER_MAX)
			return;
		break;
	default:
		break;
	}
	run->is_mute = event_is_notice(f) && is_quiet;
	if (run->journal != NULL) {
		journal_about(run->journal, f);
		tell(run, f);
		journal_about(run->journal, NULL);
	} else if (!run->is_mute) {
		tell(run, f);
	}
	run->is_mute = false;
	if (f->kind == NOTICE_READ_SKIPPED)
		print_stats(run);
}

static bool
on_must_stop(void *ctx)
{
	struct run *run = ctx;

	while (signals_take_info()) {
		if (run->options.is_json)
			put_progress(run);
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
on_tick(void *ctx)
{
	struct run *run = ctx;
	const uint64_t now = clock_ns();
	const uint64_t last = max_u64(run->shown_ns, run->stats.start_ns);

	run->progress.bar.on_device = durability_on_device(&run->transfer);
	if (progress_interval_ms(&run->progress) > 0)
		progress_tick(&run->progress, now);
	if (run->journal == NULL)
		return;
	journal_sample(run->journal, now);
	if (run->options.is_json && now >= last + SHOW_NS)
		put_progress(run);
}

static void
on_span(void *ctx, enum hooks_span what, uint64_t off, uint64_t len)
{
	struct run *run = ctx;

	journal_span(run->journal, what, off, len);
}

// Keep a record of it all, if somebody wants that. 0 or -errno, told.
static int
open_journal(struct run *run, char *const *argv)
{
	const struct options *options = &run->options;

	run->export.fd = -1;
	if (!options->is_json && options->report == NULL)
		return 0;
	const int r = object_load();
	if (r < 0)
		return r;
	run->journal = journal_new(&options->request, &run->transfer,
				   &run->stats, argv);
	if (run->journal == NULL) {
		message_error(ENOMEM, "status=json and report=");
		return -ENOMEM;
	}
	message_divert(on_message, run);
	run->hooks.span = on_span;
	run->hooks.tick = on_tick;
	run->hooks.tick_ms = JOURNAL_TICK_MS;
	return export_open(&run->export, "report", options->report,
			   &options->request, EXPORT_WRITE);
}

static int
open_sums(struct run *run)
{
	const struct options *options = &run->options;
	const bool has_sums = options->sums != NULL || !options->is_json;
	const int r = sums_open(&run->sums, options->sums, &options->request,
				has_sums ? options->hashes : 0);

	if (options->as != NULL)
		run->sums.name = options->as;
	if (r < 0 || !export_is_same(&run->export, &run->sums.export))
		return r;
	message_error(0, "report= and sums= name the same file");
	return -EINVAL;
}

int
run_open(struct run *run, char *const *argv)
{
	const struct options *options = &run->options;

	if (options->request.commit == REQUEST_COMMIT_RENAME ||
	    options->report != NULL || options->sums != NULL)
		signals_catch_others();
	run->sums.export.fd = -1;
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
	const int r = open_journal(run, argv);
	return r < 0 ? r : open_sums(run);
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
	if (run->nr_differ > DIFFER_MAX)
		on_notice(run,
			  &(struct event){
				  .kind = FAILURE_MORE_DIFFER,
				  .name = transfer_dst(&run->transfer).name,
				  .len = run->nr_differ - DIFFER_MAX});
}

// 0 or -errno, told.
static int
tell_sums(struct run *run)
{
	if (run->options.is_expect_signed)
		on_notice(run, &(struct event){.kind = NOTICE_SIGNED,
					       .name = run->options.expect});
	return sums_write(&run->sums, transfer_hasher(&run->transfer));
}

static void
print_bytes(uint64_t nr, const char *one, const char *many)
{
	char *text = NULL;

	if (asprintf(&text, "%" PRIu64 " %s", nr, nr == 1 ? one : many) > 0)
		message_line(text);
	free(text);
}

// What update=yes has touched.
static void
print_update(const struct run *run)
{
	const struct stats *s = &run->stats;
	const uint64_t written = stats_written(s);

	if (run->options.request.compare != REQUEST_COMPARE_UPDATE ||
	    run->options.level != REPORT_ALL)
		return;
	if (!transfer_plan(&run->transfer)->is_compared) {
		print_bytes(written,
			    "byte was written; there was nothing to compare "
			    "it with",
			    "bytes were written; there was nothing to compare "
			    "them with");
		return;
	}
	if (s->unchecked > 0)
		print_bytes(s->unchecked,
			    "byte could not be compared and was written",
			    "bytes could not be compared and were written");
	print_bytes(written - min_u64(written, s->unchecked),
		    "byte was different and was written",
		    "bytes were different and were written");
}

// What the manifest has spared.
static void
print_known(const struct run *run)
{
	const uint64_t known = run->stats.known;
	char *text = NULL;

	if (run->options.request.manifest == NULL ||
	    request_is_attested(&run->options.request) ||
	    run->options.level != REPORT_ALL)
		return;
	if (asprintf(&text, "%" PRIu64 " byte%s known from the manifest",
		     known, known == 1 ? " was" : "s were") > 0)
		message_line(text);
	free(text);
}

enum transfer_verdict
run_tell(struct run *run, enum transfer_verdict verdict)
{
	run->progress.bar.on_device = durability_on_device(&run->transfer);
	progress_done(&run->progress, clock_ns());
	tell_more_differ(run);
	if (run->options.is_engine_shown && !run->options.is_json)
		print_engine(transfer_counters(&run->transfer));
	if (has_stats(run, verdict)) {
		print_stats(run);
		print_update(run);
		print_known(run);
	}
	const bool is_good = exit_code_of(run, verdict) == EXIT_CODE_OK;
	const int r = is_good ? tell_sums(run) : 0;
	if (run->journal != NULL)
		journal_conclude(run->journal);
	outcome_tell(&run->transfer, verdict);
	return r < 0 ? TRANSFER_FAILED : verdict;
}

static int
write_report(struct run *run)
{
	const bool is_page = export_is_page(&run->export);
	const enum object_layout layout = is_page
						  ? OBJECT_COMPACT
						  : OBJECT_INDENTED;
	char *text = object_report(run->journal, layout);
	int r = -ENOMEM;

	if (text != NULL)
		r = is_page ? export_write_page(&run->export, text)
			    : export_write(&run->export, text);
	else
		message_error(ENOMEM, "report=");
	free(text);
	return r;
}

static enum exit_code
end_journal(struct run *run, enum exit_code code, int signo)
{
	if (message_has_failed())
		code = EXIT_CODE_FAILURE;
	journal_end(run->journal, (int)code, signo, clock_ns());
	if (run->export.fd >= 0 && write_report(run) < 0) {
		code = EXIT_CODE_FAILURE;
		journal_end(run->journal, (int)code, signo, clock_ns());
	}
	export_close(&run->export);
	if (run->options.is_json) {
		put_start(run);
		put_object(object_end(run->journal));
	}
	return code;
}

static void
print_of(const char *of, const char *words)
{
	char *name = quote_name_always(of), *text = NULL;

	if (name != NULL && asprintf(&text, "%s %s", name, words) > 0)
		message_line(text);
	free(text);
	free(name);
}

static void
print_expected(const struct run *run)
{
	const struct request *q = &run->options.request;
	const struct transfer_side src = transfer_src(&run->transfer);
	char *name, *subject = NULL, *text = NULL;

	if (q->expected.algs == 0)
		return;
	name = quote_name_always(src.name);
	if (name != NULL)
		subject = expect_subject(name, q, src.facts, src.start);
	if (subject != NULL &&
	    asprintf(&text, "%s has the expected %s", subject,
		     digest_name(hasher_find(transfer_hasher(&run->transfer),
					     q->expected.algs,
					     q->expected.value))) > 0)
		message_line(text);
	free(text);
	free(subject);
	free(name);
}

// Whoever thinks that the disk is now as the source is.
static void
print_untouched(const struct transfer *t)
{
	const uint64_t len = outcome_untouched(t);
	char size[UNITS_TEXT_MAX], *name, *text = NULL;

	if (len == 0)
		return;
	units_format_iec(size, sizeof(size), len);
	name = quote_name_always(transfer_dst(t).name);
	if (name != NULL &&
	    asprintf(&text, "the last %s of %s still hold old data", size,
		     name) > 0)
		message_line(text);
	free(text);
	free(name);
}

// Who watches a copy being read back, or a device being written, waits for
// these words.
static void
print_good_end(const struct run *run)
{
	const struct options *options = &run->options;
	const struct transfer *t = &run->transfer;
	const char *dst = transfer_dst(t).name;

	if (options->level != REPORT_ALL || options->request.plan_only)
		return;
	print_expected(run);
	print_untouched(t);
	if (options->request.verify)
		print_of(dst, "is verified");
	if (request_is_attested(&options->request))
		print_of(dst, "matches the manifest");
	else if (!request_writes(&options->request))
		print_of(dst, run->stats.known > 0
				      ? "matches the source, according to "
					"the manifest"
				      : "matches the source");
	if (!options->request.is_dd && durability_is_safe_to_remove(t))
		print_of(dst, "is safe to remove");
}

// What was hashed, or is to be compared, is only known of this part.
static void
print_go_on(const struct run *run)
{
	const struct request *q = &run->options.request;
	struct outcome_rest rest;
	char count[sizeof(" count=B") + UNITS_TEXT_MAX] = "", *text = NULL;

	if (run->options.level != REPORT_ALL ||
	    !outcome_can_go_on(&run->transfer, &rest))
		return;
	if (rest.count != UINT64_MAX)
		(void)snprintf(count, sizeof(count), " count=%" PRIu64 "B",
			       rest.count);
	if (asprintf(&text,
		     "to go on: skip=%" PRIu64 "B seek=%" PRIu64
		     "B%s conv=notrunc%s",
		     rest.skip, rest.seek, count,
		     request_is_hashed(q) || q->expected.algs != 0
			     ? " (hash=, expect= and verify= are then of the "
			       "rest only)"
			     : "") > 0)
		message_line(text);
	free(text);
}

enum exit_code
run_end(struct run *run, enum transfer_verdict verdict)
{
	// Also one that came while the last call was made.
	const int signo = on_must_stop(run) ? signals_fatal() : 0;
	enum exit_code code = exit_code_of(run, verdict);

	sums_done(&run->sums);
	if (run->journal != NULL)
		code = end_journal(run, code, signo);
	if (signo != 0) {
		print_go_on(run);
		signals_raise(signo);
	}
	if (verdict == TRANSFER_OK && code == EXIT_CODE_OK &&
	    !message_has_failed())
		print_good_end(run);
	transfer_done(&run->transfer);
	journal_free(run->journal);
	return code;
}
