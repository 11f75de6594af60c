// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "clock.h"


struct suffix {
	char letter;
	unsigned unit;
	unsigned power;
};

static const struct suffix suffixes[] = {
	{'c', 1, 1},	{'w', 2, 1},	 {'b', 512, 1},	 {'k', 1024, 1},
	{'K', 1024, 1}, {'M', 1024, 2},	 {'G', 1024, 3}, {'T', 1024, 4},
	{'P', 1024, 5}, {'E', 1024, 6},	 {'Z', 1024, 7}, {'Y', 1024, 8},
	{'R', 1024, 9}, {'Q', 1024, 10},
};

struct scale {
	unsigned base;
	char units[11][4];
};

static const struct scale scale_si = {
	1000,
	{"B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB", "RB", "QB"},
};

static const struct scale scale_iec = {
	1024,
	{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB", "RiB",
	 "QiB"},
};

// Sticks at the top, so that a factor of 0 that comes later still wins.
static uint64_t
multiply(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t
add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const struct suffix *
find_suffix(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (suffixes[i].letter == letter)
			return &suffixes[i];
	return NULL;
}

static uint64_t
take_digits(const char **text)
{
	uint64_t value = 0;

	for (; is_digit(**text); ++*text)
		value = add(multiply(value, 10), (uint64_t)(**text - '0'));
	return value;
}

static uint64_t
take_suffix(const char **text, uint64_t value)
{
	const char *p = *text;
	const struct suffix *s = find_suffix(*p);
	unsigned unit;

	if (!s)
		return value;
	unit = s->unit;
	p++;
	if (unit == 1024 && (*p == 'B' || *p == 'D')) {
		unit = 1000;
		p++;
	} else if (unit == 1024 && p[0] == 'i' && p[1] == 'B') {
		p += 2;
	}
	for (unsigned i = 0; i < s->power; i++)
		value = multiply(value, unit);
	*text = p;
	return value;
}

// Blanks and a sign are for digits only: a lone suffix, which means 1 of it,
// has to be the first character.
static int
take_factor(const char **text, uint64_t *ret)
{
	const char *p = *text + strspn(*text, " \t\n\v\f\r");
	uint64_t value = 1;

	if (*p == '+')
		p++;
	if (is_digit(*p))
		value = take_digits(&p);
	else if (find_suffix(**text))
		p = *text;
	else
		return -EINVAL;
	value = take_suffix(&p, value);
	if (*p == 'B' && p[-1] != 'B')
		p++;
	*text = p;
	*ret = value;
	return 0;
}

int
units_parse(const char *text, struct units_number *ret)
{
	struct units_number n = {.value = 1};
	uint64_t factor;
	int r;

	n.is_bytes = strchr(text, 'B') != NULL;
	for (const char *p = text;; p++) {
		if (p[0] == '0' && p[1] == 'x')
			n.has_zero_factor = true;
		r = take_factor(&p, &factor);
		if (r < 0)
			return r;
		n.value = multiply(n.value, factor);
		if (*p == 'x')
			continue;
		// dd does not look behind a number that is too large.
		if (*p != '\0' && factor <= INT64_MAX)
			return -EINVAL;
		break;
	}
	if (n.value > INT64_MAX)
		return -EOVERFLOW;
	*ret = n;
	return 0;
}

// rest < whole unit. The whole number nearest to n + rest/unit.
static uint64_t
round_half_even(uint64_t n, uint64_t rest, uint64_t unit)
{
	uint64_t missing = unit - rest;

	if (rest > missing || (rest == missing && n % 2 != 0))
		n++;
	return n;
}

// How a number is shown: in units of so much, and whether with a decimal.
struct form {
	uint64_t unit;
	size_t power;
	bool has_tenth;
};

static uint64_t
in_tenths(uint64_t n, uint64_t unit)
{
	const uint64_t rest = n % unit * 10; // fits

	return round_half_even(n / unit * 10 + rest / unit, rest % unit, unit);
}

// That of n/d: the unit stays at most n.
static struct form
form_of(uint64_t n, uint64_t d, const struct scale *scale)
{
	struct form form = {.unit = d};

	for (; n / form.unit >= scale->base; form.power++)
		form.unit *= scale->base;
	if (round_half_even(n / form.unit, n % form.unit, form.unit) ==
	    scale->base) {
		form.unit *= scale->base;
		form.power++;
	}
	form.has_tenth = form.power > 0 && in_tenths(n, form.unit) < 100;
	return form;
}

static void
put_number(char *buf, size_t size, uint64_t n, const struct form *form)
{
	if (form->has_tenth)
		(void)snprintf(buf, size, "%.1f",
			       (double)in_tenths(n, form->unit) / 10);
	else
		(void)snprintf(buf, size, "%" PRIu64,
			       round_half_even(n / form->unit, n % form->unit,
					       form->unit));
}

// Formats n/d in integers only.
static void
format_ratio(char *buf, size_t size, uint64_t n, uint64_t d,
	     const struct scale *scale)
{
	const struct form form = form_of(n, d, scale);
	char number[UNITS_TEXT_MAX / 2];

	put_number(number, sizeof(number), n, &form);
	(void)snprintf(buf, size, "%s %s", number, scale->units[form.power]);
}

// The way of a rate that is no simple ratio: never below kB, one decimal as
// long as two digits stand before it, no carry into the next unit.
static void
format_float(char *buf, size_t size, long double value)
{
	size_t power = 1;
	long double unit = scale_si.base;
	int len;

	for (; unit * scale_si.base <= value; power++)
		unit *= scale_si.base;
	value /= unit;
	len = snprintf(buf, size, "%.1Lf", value);
	if (len > 0 && strspn(buf, "0123456789") > 2)
		len = snprintf(buf, size, "%.0Lf", value * 10 / 10);
	if (len > 0 && (size_t)len < size)
		(void)snprintf(buf + len, size - (size_t)len, " %s",
			       scale_si.units[power]);
}

// dd takes the exact way where one of SECOND_NS and ns divides the other, and
// it shows: 500 bytes in 1 s are "500 B/s", in 0.999 s "0.5 kB/s".
static void
format_per_second(char *buf, size_t size, uint64_t bytes, uint64_t ns)
{
	uint64_t n;

	if (SECOND_NS % ns == 0 &&
	    !__builtin_mul_overflow(bytes, SECOND_NS / ns, &n))
		format_ratio(buf, size, n, 1, &scale_si);
	else if (ns % SECOND_NS == 0 && bytes <= UINT64_MAX / 10)
		format_ratio(buf, size, bytes, ns / SECOND_NS, &scale_si);
	else
		format_float(buf, size,
			     (long double)bytes * ((long double)SECOND_NS /
						   (long double)ns));
}

char *
units_format_si(char *buf, size_t size, uint64_t bytes)
{
	format_ratio(buf, size, bytes, 1, &scale_si);
	return buf;
}

char *
units_format_iec(char *buf, size_t size, uint64_t bytes)
{
	format_ratio(buf, size, bytes, 1, &scale_iec);
	return buf;
}

char *
units_format_part(char *buf, size_t size, uint64_t part, uint64_t whole)
{
	const struct form form = form_of(whole, 1, &scale_iec);
	char done[UNITS_TEXT_MAX / 2], all[UNITS_TEXT_MAX / 2];

	put_number(done, sizeof(done), part, &form);
	put_number(all, sizeof(all), whole, &form);
	(void)snprintf(buf, size, "%s/%s %s", done, all,
		       scale_iec.units[form.power]);
	return buf;
}

char *
units_format_rate(char *buf, size_t size, uint64_t bytes, uint64_t ns)
{
	char text[UNITS_TEXT_MAX - 2] = "Infinity B";

	if (ns > 0)
		format_per_second(text, sizeof(text), bytes, ns);
	(void)snprintf(buf, size, "%s/s", text);
	return buf;
}
