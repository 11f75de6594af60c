// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "report.h"

#include <inttypes.h>
#include <stdio.h>

#include "units.h"

// snprintf() fails only for texts longer than INT_MAX.
static size_t
text_len(int printed)
{
	return printed < 0 ? 0 : (size_t)printed;
}

size_t
report_records(char *buf, size_t size, const struct stats *s)
{
	char truncated[64] = "";

	if (s->truncated > 0)
		(void)snprintf(truncated, sizeof(truncated),
			       "%" PRIu64 " truncated record%s\n", s->truncated,
			       s->truncated == 1 ? "" : "s");
	return text_len(snprintf(buf, size,
				 "%" PRIu64 "+%" PRIu64 " records in\n"
				 "%" PRIu64 "+%" PRIu64 " records out\n%s",
				 s->in_full, s->in_partial, s->out_full,
				 s->out_partial, truncated));
}

// "10000 bytes (10 kB, 9.8 KiB)". A size that would only repeat the number is
// left out.
static void
format_bytes(char *buf, size_t size, uint64_t bytes)
{
	char si[UNITS_TEXT_MAX];
	char iec[UNITS_TEXT_MAX];

	units_format_si(si, sizeof(si), bytes);
	units_format_iec(iec, sizeof(iec), bytes);
	if (bytes < 1000)
		(void)snprintf(buf, size, "%" PRIu64 " byte%s", bytes,
			       bytes == 1 ? "" : "s");
	else if (bytes < 1024)
		(void)snprintf(buf, size, "%" PRIu64 " bytes (%s)", bytes, si);
	else
		(void)snprintf(buf, size, "%" PRIu64 " bytes (%s, %s)", bytes,
			       si, iec);
}

static size_t
format_transfer(char *buf, size_t size, uint64_t bytes, const char *done,
		uint64_t ns, enum report_seconds how)
{
	const double seconds = (double)ns / 1e9;
	char count[2 * UNITS_TEXT_MAX + 32];
	char rate[UNITS_TEXT_MAX];
	char time[32];

	format_bytes(count, sizeof(count), bytes);
	units_format_rate(rate, sizeof(rate), bytes, ns);
	if (how == REPORT_WHOLE_SECONDS)
		(void)snprintf(time, sizeof(time), "%.0f s", seconds);
	else
		(void)snprintf(time, sizeof(time), "%g s", seconds);
	return text_len(snprintf(buf, size, "%s %s, %s, %s", count, done, time,
				 rate));
}

size_t
report_transfer(char *buf, size_t size, const struct stats *s, uint64_t now_ns,
		enum report_seconds how)
{
	return format_transfer(buf, size, s->bytes,
			       s->is_comparison ? "compared" : "copied",
			       stats_copy_ns(s, now_ns), how);
}

size_t
report_verified(char *buf, size_t size, const struct stats *s,
		uint64_t now_ns)
{
	const uint64_t ns = now_ns > s->copied_ns ? now_ns - s->copied_ns : 0;

	return format_transfer(buf, size, s->verified, "verified", ns,
			       REPORT_WHOLE_SECONDS);
}
