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
#define RATE_STEP_NS (SECOND_NS / 10) // less is no time to measure in
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
	const struct stats *s = progress->stats;
	const size_t length =
		progress->phase == STATS_VERIFYING
			? report_verified(text, sizeof(text), s, now)
			: report_transfer(text, sizeof(text), s, now,
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

// What the phase is measured by.
static uint64_t
bytes_moved(const struct progress *progress)
{
	return progress->phase == STATS_FLUSHING ? progress->on_device
						 : stats_moved(progress->stats);
}

// What is still to be moved, if only the source's holes are known.
static uint64_t
bytes_left(const struct progress *progress)
{
	const struct stats *s = progress->stats;
	const uint64_t left = bytes_total(progress) - bytes_done(progress);
	const uint64_t moved = s->bytes - s->skipped;

	if (progress->phase == STATS_VERIFYING || s->moved_total < moved ||
	    s->moved_total == 0)
		return left;
	return min_u64(left, s->moved_total - moved);
}

// The mean of the last seconds, or of the phase while it is younger. A page
// cache takes bytes by fits and starts.
static void
update_rate(struct progress *progress, uint64_t now)
{
	const uint64_t moved = bytes_moved(progress);
	const uint64_t last = min_u64(progress->last_moved, moved);
	const uint64_t start = max_u64(progress->phase_ns,
				       progress->stats->start_ns);
	const uint64_t since = max_u64(progress->last_ns, start);
	const double ns = (double)(now - since);

	if (now < since + RATE_STEP_NS)
		return;
	const double age = (double)min_u64(now - start, RATE_NS);
	const double weight = ns < age ? ns / age : 1;
	const double rate = (double)(moved - last) / ns * (double)SECOND_NS;

	progress->rate += (rate - progress->rate) * weight;
	progress->last_ns = now;
	progress->last_moved = moved;
}

uint64_t
progress_rate(struct progress *progress, uint64_t now_ns)
{
	update_rate(progress, now_ns);
	return (uint64_t)progress->rate;
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
	const double left = (double)bytes_left(progress);
	const bool has_eta = !progress->is_done &&
			     progress->phase != STATS_FLUSHING &&
			     bytes_done(progress) < bytes_total(progress) &&
			     progress->rate > left / ETA_MAX;
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
	    const char *text, int columns)
{
	const uint64_t done = bytes_done(progress);
	const uint64_t total = bytes_total(progress);
	const int room = columns - BAR_FRAME - (int)strlen(text);
	char bar[LINE_MAX_COLUMNS + 1];

	if (progress->stats->bytes_total == 0 || room < BAR_MIN)
		return snprintf(buf, size, "%s", text);
	format_bar(bar, room, done, total);
	return snprintf(buf, size, "%3u%% [%s] %s",
			(unsigned)((double)done * 100 / (double)total), bar,
			text);
}

int
progress_bar(const struct progress *progress, uint64_t now_ns, int columns,
	     char *buf, size_t size)
{
	char text[LINE_MAX_COLUMNS];
	char bytes[UNITS_TEXT_MAX], on_disk[UNITS_TEXT_MAX + 16];
	char rate[UNITS_TEXT_MAX], time[48];

	units_format_iec(bytes, sizeof(bytes), bytes_done(progress));
	units_format_rate(rate, sizeof(rate), (uint64_t)progress->rate,
			  SECOND_NS);
	format_time(progress, now_ns, time, sizeof(time));
	format_on_disk(progress, on_disk, sizeof(on_disk));
	int length = snprintf(text, sizeof(text), "%s%s  %s  %s", bytes,
			      on_disk, rate, time);
	// The bar comes first.
	if (length > columns - BAR_FRAME - BAR_MIN)
		snprintf(text, sizeof(text), "%s  %s  %s", bytes, rate, time);
	length = format_line(progress, buf, size, text, columns);
	if (length <= columns)
		return length;
	buf[columns] = '\0';
	return columns;
}

static void
draw_bar(struct progress *progress, uint64_t now)
{
	char line[LINE_MAX_COLUMNS + 64];

	draw(progress, line,
	     progress_bar(progress, now, terminal_columns() - 1, line,
			  sizeof(line)));
}

void
progress_tick(struct progress *progress, uint64_t now_ns)
{
	if (progress->due_ns == 0)
		progress->due_ns = progress->stats->start_ns +
				   (progress->kind == OPTIONS_BAR ? 0
								  : SECOND_NS);
	if (now_ns < progress->due_ns)
		return;
	if (progress->kind == OPTIONS_PROGRESS) {
		draw_transfer(progress, now_ns);
		progress->due_ns += SECOND_NS;
	} else if (progress->stats->bytes > 0) {
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

	progress->phase = phase;
	progress->phase_ns = progress->last_ns = now_ns;
	progress->last_moved = bytes_moved(progress);
	progress->rate = 0;
	if (phase != STATS_FLUSHING ||
	    progress->kind != OPTIONS_PROGRESS || !message_has_open_line() ||
	    progress->shown_bytes == progress->stats->bytes)
		return;
	// dd prints it right behind the open line.
	report_transfer(text, sizeof(text), progress->stats, now_ns,
			REPORT_EXACT_SECONDS);
	message_open_line(text);
	message_close_line();
	message_open_line("");
}

void
progress_done(struct progress *progress, uint64_t now_ns)
{
	const struct stats *s = progress->stats;
	const uint64_t ns = stats_copy_ns(s, now_ns);

	progress->is_done = true;
	progress->phase = STATS_COPYING;
	progress->rate = ns > 0 ? (double)(s->bytes - s->skipped) *
					  (double)SECOND_NS / (double)ns
				: 0;
	if (progress->kind == OPTIONS_BAR && message_has_open_line())
		draw_bar(progress, s->start_ns + ns);
	message_close_line();
}
