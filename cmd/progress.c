// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base.h"
#include "clock.h"
#include "message.h"
#include "units.h"

#define BAR_MS 200
#define RATE_NS (5 * SECOND_NS) // what the rate remembers
#define BAR_FRAME 8             // "100% [" and "] "
#define BAR_MIN 4
#define ETA_MAX (99.0 * 3600)   // seconds; beyond that it is a guess
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

	return progress->phase == STATS_VERIFYING ? s->verified : s->bytes;
}

static uint64_t
bytes_total(const struct progress *progress)
{
	const struct stats *s = progress->stats;

	return progress->phase == STATS_VERIFYING
		       ? s->bytes
		       : max_u64(s->bytes_total, s->bytes);
}

// The mean of the last seconds, or of the phase while it is younger. A page
// cache takes bytes by fits and starts.
static void
update_rate(struct progress *progress, uint64_t now)
{
	const uint64_t bytes = bytes_done(progress);
	const uint64_t start = max_u64(progress->phase_ns,
				       progress->stats->start_ns);
	const uint64_t since = max_u64(progress->last_ns, start);
	const double ns = (double)(now - since);

	if (now <= since || bytes < progress->last_bytes)
		return;
	const double age = (double)min_u64(now - start, RATE_NS);
	const double weight = ns < age ? ns / age : 1;
	const double rate = (double)(bytes - progress->last_bytes) / ns *
			    (double)SECOND_NS;

	progress->rate += (rate - progress->rate) * weight;
	progress->last_ns = now;
	progress->last_bytes = bytes;
}

// "ETA 1:02:03", or how long it has been when the end is not known.
static void
format_time(const struct progress *progress, uint64_t now, char *buf,
	    size_t size)
{
	static const char *const words[] = {
		[STATS_COPYING] = "",
		[STATS_FLUSHING] = "flushing ",
		[STATS_VERIFYING] = "verifying ",
	};
	const uint64_t done = bytes_done(progress);
	const uint64_t total = bytes_total(progress);
	const double left = (double)(total - done);
	const bool has_eta = done < total && progress->rate > left / ETA_MAX;
	uint64_t seconds = (now - progress->stats->start_ns) / SECOND_NS;

	if (has_eta)
		seconds = (uint64_t)(left / progress->rate) + 1;
	snprintf(buf, size, "%s%s%" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
		 words[progress->phase], has_eta ? "ETA " : "", seconds / 3600,
		 seconds / 60 % 60, seconds % 60);
}

// " (1.1 GiB on disk)" where that is another number.
static void
format_on_disk(const struct progress *progress, char *buf, size_t size)
{
	const uint64_t on_device = progress->on_device;
	char bytes[UNITS_TEXT_MAX];

	buf[0] = '\0';
	if (progress->phase == STATS_VERIFYING || on_device == 0 ||
	    on_device >= bytes_done(progress))
		return;
	units_format_iec(bytes, sizeof(bytes), on_device);
	snprintf(buf, size, " (%s on disk)", bytes);
}

static void
format_bar(char *buf, int columns, uint64_t done, uint64_t total)
{
	const int full = (int)((double)columns * (double)done / (double)total);

	for (int i = 0; i < columns; i++)
		buf[i] = i < full ? '=' : i == full ? '>' : ' ';
	buf[columns] = '\0';
}

// Percent and bar before the text, where there is room for them.
static int
format_line(const struct progress *progress, char *buf, size_t size,
	    const char *text)
{
	const uint64_t done = bytes_done(progress);
	const uint64_t total = bytes_total(progress);
	const int room = terminal_columns() - 1 - BAR_FRAME - (int)strlen(text);
	char bar[LINE_MAX_COLUMNS + 1];

	if (progress->stats->bytes_total == 0 || room < BAR_MIN)
		return snprintf(buf, size, "%s", text);
	format_bar(bar, room, done, total);
	return snprintf(buf, size, "%3u%% [%s] %s",
			(unsigned)((double)done * 100 / (double)total), bar,
			text);
}

static void
draw_bar(struct progress *progress, uint64_t now)
{
	const int columns = terminal_columns() - 1;
	char line[LINE_MAX_COLUMNS + 64], text[LINE_MAX_COLUMNS];
	char bytes[UNITS_TEXT_MAX], on_disk[UNITS_TEXT_MAX + 16];
	char rate[UNITS_TEXT_MAX], time[48];

	units_format_iec(bytes, sizeof(bytes), bytes_done(progress));
	units_format_rate(rate, sizeof(rate), (uint64_t)progress->rate,
			  SECOND_NS);
	format_time(progress, now, time, sizeof(time));
	format_on_disk(progress, on_disk, sizeof(on_disk));
	int length = snprintf(text, sizeof(text), "%s%s  %s  %s", bytes,
			      on_disk, rate, time);
	// The bar comes first.
	if (length > columns - BAR_FRAME - BAR_MIN)
		snprintf(text, sizeof(text), "%s  %s  %s", bytes, rate, time);
	length = format_line(progress, line, sizeof(line), text);
	if (length > columns) {
		length = columns;
		line[columns] = '\0';
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
progress_enter(struct progress *progress, enum stats_phase phase)
{
	char text[REPORT_TEXT_MAX];

	progress->phase = phase;
	progress->phase_ns = progress->last_ns = clock_ns();
	progress->last_bytes = bytes_done(progress);
	progress->rate = 0;
	if (phase != STATS_FLUSHING ||
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

	progress->phase = STATS_COPYING;
	progress->rate = now > s->start_ns ? (double)s->bytes *
						     (double)SECOND_NS /
						     (double)(now - s->start_ns)
					   : 0;
	if (progress->kind == OPTIONS_BAR && message_has_open_line())
		draw_bar(progress, now);
	message_close_line();
}
