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

// New figures count a third: steady, but no older than a second or two.
static void
update_rate(struct progress *progress, uint64_t now)
{
	const uint64_t bytes = progress->stats->bytes;
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

// " ETA 1:02:03", or how long it has been when the end is not known.
static void
format_time(const struct progress *progress, uint64_t now, char *buf,
	    size_t size)
{
	const struct stats *s = progress->stats;
	const char *word = progress->is_syncing ? "flushing " : "";
	uint64_t seconds = (now - s->start_ns) / SECOND_NS;

	if (s->bytes < s->bytes_total && progress->rate > 0) {
		word = "ETA ";
		seconds = (uint64_t)((double)(s->bytes_total - s->bytes) /
				     progress->rate) + 1;
	}
	snprintf(buf, size, "%s%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, word,
		 seconds / 3600, seconds / 60 % 60, seconds % 60);
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
	const struct stats *s = progress->stats;
	const uint64_t total = max_u64(s->bytes_total, s->bytes);
	char line[LINE_MAX_COLUMNS + 64], bar[LINE_MAX_COLUMNS + 1];
	char bytes[UNITS_TEXT_MAX], rate[UNITS_TEXT_MAX], time[40];
	const int columns = terminal_columns() - 1;
	int length;

	update_rate(progress, now);
	units_format_iec(bytes, sizeof(bytes), s->bytes);
	units_format_rate(rate, sizeof(rate), (uint64_t)progress->rate,
			  SECOND_NS);
	format_time(progress, now, time, sizeof(time));
	const int room = columns - 8 -
			 snprintf(line, sizeof(line), " %s  %s  %s", bytes,
				  rate, time);
	if (s->bytes_total == 0 || room < 4) {
		length = snprintf(line, sizeof(line), "%s  %s  %s", bytes, rate,
				  time);
	} else {
		format_bar(bar, room, s->bytes, total);
		length = snprintf(line, sizeof(line), "%3u%% [%s] %s  %s  %s",
				  (unsigned)((double)s->bytes * 100 /
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
		draw_bar(progress, now);
		progress->due_ns = now + BAR_MS * (SECOND_NS / 1000);
	}
}

void
progress_syncing(struct progress *progress)
{
	char text[REPORT_TEXT_MAX];

	progress->is_syncing = true;
	if (progress->kind != OPTIONS_PROGRESS || !message_has_open_line() ||
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
	if (progress->kind == OPTIONS_BAR && message_has_open_line())
		draw_bar(progress, clock_ns());
	message_close_line();
}
