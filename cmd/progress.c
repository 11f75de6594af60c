// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "message.h"
#include "units.h"

#define SECOND_NS UINT64_C(1000000000)
#define BAR_MS 200
#define LINE_MAX_COLUMNS 255

void
progress_init(struct progress *progress, enum options_progress kind,
	      const struct stats *stats)
{
	if (kind == OPTIONS_BAR && !isatty(STDERR_FILENO))
		kind = OPTIONS_NO_PROGRESS;
	*progress = (struct progress){.kind = kind, .stats = stats};
}

unsigned
progress_interval_ms(const struct progress *progress)
{
	return progress->kind == OPTIONS_NO_PROGRESS ? 0 : BAR_MS;
}

// Over the line that stands there, blanks over what was longer.
static void
draw(struct progress *progress, const char *text, int columns)
{
	char line[2 * LINE_MAX_COLUMNS];
	const int rest = message_has_open_line() && progress->shown > columns
				 ? progress->shown - columns
				 : 0;

	snprintf(line, sizeof(line), "\r%s%*s", text, rest, "");
	message_open_line(line);
	progress->shown = columns;
	progress->shown_bytes = progress->stats->bytes;
}

static void
draw_transfer(struct progress *progress, uint64_t now)
{
	char text[REPORT_TEXT_MAX];
	const size_t length = report_transfer(text, sizeof(text),
					      progress->stats, now,
					      REPORT_WHOLE_SECONDS);

	draw(progress, text, (int)length);
}

static int
terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col < LINE_MAX_COLUMNS ? size.ws_col : LINE_MAX_COLUMNS;
}

// What the phase is counting.
static uint64_t
bytes_done(const struct progress *progress)
{
	const struct stats *s = progress->stats;

	return progress->phase == PROGRESS_VERIFYING ? s->verified : s->bytes;
}

static uint64_t
bytes_total(const struct progress *progress)
{
	const struct stats *s = progress->stats;

	return progress->phase == PROGRESS_VERIFYING
		       ? s->bytes
		       : max_u64(s->bytes_total, s->bytes);
}

// New figures count a third: steady, but no older than a second or two.
static void
update_rate(struct progress *progress, uint64_t now)
{
	const uint64_t bytes = bytes_done(progress);
	const uint64_t since = max_u64(progress->last_ns,
				       progress->stats->start_ns);
	const double seconds = (double)(now - since) / (double)SECOND_NS;

	if (seconds <= 0 || bytes < progress->last_bytes)
		return;
	const double rate = (double)(bytes - progress->last_bytes) / seconds;

	progress->rate = progress->rate > 0
				 ? progress->rate * 2 / 3 + rate / 3
				 : rate;
	progress->last_ns = now;
	progress->last_bytes = bytes;
}

// "ETA 1:02:03", or how long it has been when the end is not known.
static void
format_time(const struct progress *progress, uint64_t now, char *buf,
	    size_t size)
{
	static const char *const words[] = {
		[PROGRESS_COPYING] = "",
		[PROGRESS_FLUSHING] = "flushing ",
		[PROGRESS_VERIFYING] = "verifying ",
	};
	const uint64_t done = bytes_done(progress);
	const uint64_t total = bytes_total(progress);
	const bool has_eta = done < total && progress->rate > 0;
	uint64_t seconds = (now - progress->stats->start_ns) / SECOND_NS;

	if (has_eta)
		seconds = (uint64_t)((double)(total - done) / progress->rate) +
			  1;
	snprintf(buf, size, "%s%s%" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
		 words[progress->phase], has_eta ? "ETA " : "", seconds / 3600,
		 seconds / 60 % 60, seconds % 60);
}

// "1.2 GiB", and how much of it is on the device where that is another number.
static void
format_done(const struct progress *progress, char *buf, size_t size)
{
	const uint64_t done = bytes_done(progress);
	const uint64_t on_device = progress->on_device;
	char bytes[UNITS_TEXT_MAX], out[UNITS_TEXT_MAX];

	units_format_iec(bytes, sizeof(bytes), done);
	units_format_iec(out, sizeof(out), on_device);
	if (progress->phase == PROGRESS_VERIFYING || on_device == 0 ||
	    on_device >= done)
		snprintf(buf, size, "%s", bytes);
	else
		snprintf(buf, size, "%s (%s on disk)", bytes, out);
}

static void
format_bar(char *buf, int columns, uint64_t done, uint64_t total)
{
	const int full = (int)((double)columns * (double)done / (double)total);

	for (int i = 0; i < columns; i++)
		buf[i] = i < full ? '=' : i == full ? '>' : ' ';
	buf[columns] = '\0';
}

static void
draw_bar(struct progress *progress, uint64_t now)
{
	const uint64_t done = bytes_done(progress);
	const uint64_t total = bytes_total(progress);
	char line[LINE_MAX_COLUMNS + 64], bar[LINE_MAX_COLUMNS + 1];
	char bytes[2 * UNITS_TEXT_MAX + 16], rate[UNITS_TEXT_MAX], time[48];
	const int columns = terminal_columns() - 1;
	int length;

	format_done(progress, bytes, sizeof(bytes));
	units_format_rate(rate, sizeof(rate), (uint64_t)progress->rate,
			  SECOND_NS);
	format_time(progress, now, time, sizeof(time));
	const int room = columns - 8 -
			 snprintf(line, sizeof(line), " %s  %s  %s", bytes,
				  rate, time);
	if (progress->stats->bytes_total == 0 || room < 4) {
		length = snprintf(line, sizeof(line), "%s  %s  %s", bytes, rate,
				  time);
	} else {
		format_bar(bar, room, done, total);
		length = snprintf(line, sizeof(line), "%3u%% [%s] %s  %s  %s",
				  (unsigned)((double)done * 100 /
					     (double)total),
				  bar, bytes, rate, time);
	}
	draw(progress, line, length);
}

void
progress_tick(void *ctx)
{
	struct progress *progress = ctx;
	const uint64_t now = clock_ns();

	if (progress->due_ns == 0)
		progress->due_ns = progress->stats->start_ns +
				   (progress->kind == OPTIONS_BAR ? 0
								  : SECOND_NS);
	if (now < progress->due_ns)
		return;
	if (progress->kind == OPTIONS_PROGRESS) {
		draw_transfer(progress, now);
		progress->due_ns += SECOND_NS;
	} else if (progress->stats->bytes > 0) {
		update_rate(progress, now);
		draw_bar(progress, now);
		progress->due_ns = now + BAR_MS * (SECOND_NS / 1000);
	}
}

void
progress_enter(struct progress *progress, enum progress_phase phase)
{
	char text[REPORT_TEXT_MAX];

	progress->phase = phase;
	progress->last_ns = clock_ns();
	progress->last_bytes = bytes_done(progress);
	progress->rate = 0;
	if (phase != PROGRESS_FLUSHING ||
	    progress->kind != OPTIONS_PROGRESS || !message_has_open_line() ||
	    progress->shown_bytes == progress->stats->bytes)
		return;
	// dd prints it right behind the open line.
	report_transfer(text, sizeof(text), progress->stats, clock_ns(),
			REPORT_EXACT_SECONDS);
	message_open_line(text);
	message_close_line();
	message_open_line("");
}

void
progress_done(struct progress *progress)
{
	const struct stats *s = progress->stats;
	const uint64_t now = clock_ns();

	progress->phase = PROGRESS_COPYING;
	progress->rate = now > s->start_ns ? (double)s->bytes *
						     (double)SECOND_NS /
						     (double)(now - s->start_ns)
					   : 0;
	if (progress->kind == OPTIONS_BAR && message_has_open_line())
		draw_bar(progress, now);
	message_close_line();
}
