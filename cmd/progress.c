// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "progress.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "message.h"
#include "quote.h"

#define BAR_MS 200
#define RATE_NS (5 * SECOND_NS) // what the rate remembers
#define RATE_STEP_NS (SECOND_NS / 10) // less is no time to measure in
#define ECHO_COLUMNS 2          // "^C", behind the line

void
progress_init(struct progress *progress, enum options_progress kind,
	      const struct stats *stats, const char *name)
{
	if (kind == OPTIONS_BAR && !isatty(STDERR_FILENO))
		kind = OPTIONS_NO_PROGRESS;
	*progress = (struct progress){.kind = kind, .bar.stats = stats};
	if (name != NULL && quote_is_printable(name))
		progress->bar.name = name;
}

unsigned
progress_interval_ms(const struct progress *progress)
{
	return progress->kind == OPTIONS_NO_PROGRESS ? 0 : BAR_MS;
}

// Over the line that stands there, blanks over what was longer, up to so many
// columns.
static void
draw(struct progress *progress, const char *text, int columns, int most)
{
	char line[BAR_TEXT_MAX + BAR_COLUMNS_MAX];
	const int end = progress->shown < most ? progress->shown : most;
	const int rest = message_has_open_line() && end > columns
				 ? end - columns
				 : 0;

	snprintf(line, sizeof(line), "\r%s%*s", text, rest, "");
	message_open_line(line);
	progress->shown = columns;
	progress->shown_bytes = progress->bar.stats->bytes;
}

static void
draw_transfer(struct progress *progress, uint64_t now)
{
	char text[REPORT_TEXT_MAX];
	const struct stats *s = progress->bar.stats;
	const size_t length =
		progress->bar.phase == STATS_VERIFYING
			? report_verified(text, sizeof(text), s, now)
			: report_transfer(text, sizeof(text), s, now,
					  REPORT_WHOLE_SECONDS);

	draw(progress, text, (int)length, INT_MAX);
}

static int
terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col < BAR_COLUMNS_MAX ? size.ws_col : BAR_COLUMNS_MAX;
}

// What the phase is measured by.
static uint64_t
bytes_moved(const struct progress *progress)
{
	const struct bar *bar = &progress->bar;

	return bar->phase == STATS_FLUSHING ? bar->on_device
					    : stats_moved(bar->stats);
}

// The mean of the last seconds, or of the phase while it is younger. A page
// cache takes bytes by fits and starts.
static void
update_rate(struct progress *progress, uint64_t now)
{
	const uint64_t moved = bytes_moved(progress);
	const uint64_t last = min_u64(progress->last_moved, moved);
	const uint64_t start = max_u64(progress->phase_ns,
				       progress->bar.stats->start_ns);
	const uint64_t since = max_u64(progress->last_ns, start);
	const double ns = (double)(now - since);

	if (now < since + RATE_STEP_NS)
		return;
	const double age = (double)min_u64(now - start, RATE_NS);
	const double weight = ns < age ? ns / age : 1;
	const double rate = (double)(moved - last) / ns * (double)SECOND_NS;

	progress->bar.rate += (rate - progress->bar.rate) * weight;
	progress->last_ns = now;
	progress->last_moved = moved;
}

uint64_t
progress_rate(struct progress *progress, uint64_t now_ns)
{
	update_rate(progress, now_ns);
	return (uint64_t)progress->bar.rate;
}

// What is not in the foreground leaves the terminal to what is.
static bool
is_in_background(void)
{
	const pid_t foreground = tcgetpgrp(STDERR_FILENO);

	return foreground > 0 && foreground != getpgrp();
}

static void
draw_bar(struct progress *progress, uint64_t now)
{
	const int columns = terminal_columns();
	char line[BAR_TEXT_MAX];

	if (is_in_background())
		return;
	const int width = bar_format(&progress->bar, now,
				     columns - ECHO_COLUMNS, line);
	draw(progress, line, width, columns);
}

void
progress_tick(struct progress *progress, uint64_t now_ns)
{
	if (progress->due_ns == 0)
		progress->due_ns = progress->bar.stats->start_ns +
				   (progress->kind == OPTIONS_BAR ? 0
								  : SECOND_NS);
	if (now_ns < progress->due_ns)
		return;
	if (progress->kind == OPTIONS_PROGRESS) {
		draw_transfer(progress, now_ns);
		progress->due_ns += SECOND_NS;
	} else if (progress->bar.stats->bytes > 0) {
		update_rate(progress, now_ns);
		draw_bar(progress, now_ns);
		progress->due_ns = now_ns + BAR_MS * (SECOND_NS / 1000);
	}
}

void
progress_enter(struct progress *progress, enum stats_phase phase,
	       uint64_t now_ns)
{
	char text[REPORT_TEXT_MAX];

	progress->bar.phase = phase;
	progress->phase_ns = progress->last_ns = now_ns;
	progress->last_moved = bytes_moved(progress);
	progress->bar.rate = 0;
	if (phase != STATS_FLUSHING ||
	    progress->kind != OPTIONS_PROGRESS || !message_has_open_line() ||
	    progress->shown_bytes == progress->bar.stats->bytes)
		return;
	// dd prints it right behind the open line.
	report_transfer(text, sizeof(text), progress->bar.stats, now_ns,
			REPORT_EXACT_SECONDS);
	message_open_line(text);
	message_close_line();
	message_open_line("");
}

void
progress_stop(struct progress *progress, uint64_t now_ns)
{
	if (progress->bar.is_stopping)
		return;
	progress->bar.is_stopping = true;
	progress->shown += ECHO_COLUMNS;
	if (progress->kind == OPTIONS_BAR && message_has_open_line())
		draw_bar(progress, now_ns);
}

void
progress_done(struct progress *progress, uint64_t now_ns)
{
	const struct stats *s = progress->bar.stats;
	const uint64_t ns = stats_copy_ns(s, now_ns);

	progress->bar.is_done = true;
	progress->bar.phase = STATS_COPYING;
	progress->bar.rate = ns > 0 ? (double)(s->bytes - s->skipped) *
					      (double)SECOND_NS / (double)ns
				    : 0;
	if (progress->kind == OPTIONS_BAR && message_has_open_line())
		draw_bar(progress, s->start_ns + ns);
	message_close_line();
}
