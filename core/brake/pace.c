// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "pace.h"

#include "clock.h"

#define CREDIT_NS (SECOND_NS / 20)

void
pace_init(struct pace *pace, uint64_t rate, uint64_t now_ns)
{
	*pace = (struct pace){.rate = rate, .since_ns = now_ns};
}

// Since the start of the account, so that nothing is lost by rounding.
static uint64_t
pace_due_ns(const struct pace *pace, uint64_t len)
{
	const uint64_t bytes = pace->bytes + len;
	const double rest = (double)(bytes % pace->rate);

	return pace->since_ns + bytes / pace->rate * SECOND_NS +
	       (uint64_t)(rest / (double)pace->rate * (double)SECOND_NS);
}

uint64_t
pace_wait_ns(const struct pace *pace, uint64_t len, uint64_t now_ns)
{
	const uint64_t due_ns = pace_due_ns(pace, len);

	return due_ns > now_ns ? due_ns - now_ns : 0;
}

void
pace_take(struct pace *pace, uint64_t len, uint64_t now_ns)
{
	const uint64_t due_ns = pace_due_ns(pace, len);

	// Whatever was missed before that is not made up for.
	if (now_ns > due_ns + CREDIT_NS)
		pace->since_ns += now_ns - due_ns - CREDIT_NS;
	pace->bytes += len;
}
