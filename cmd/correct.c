// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "correct.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base.h"
#include "units.h"

#define DIGITS_MAX 18

static const char letters[] = "KMGTPEZYRQ";

struct written {
	uint64_t digits;       // those after the point, too
	uint64_t scale;        // 10 for each of these
	unsigned power;        // of the unit
	enum { PLAIN, BINARY, DECIMAL } kind;
};

static const char *
skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

// NULL: there is none, or it is too long.
static const char *
take_digits(const char *p, struct written *w)
{
	size_t nr = 0;

	*w = (struct written){.scale = 1};
	for (bool is_after = false;; p++) {
		if (isdigit((unsigned char)*p)) {
			w->digits = w->digits * 10 + (uint64_t)(*p - '0');
			w->scale *= is_after ? 10 : 1;
			nr++;
		} else if (!is_after && nr > 0 && (*p == '.' || *p == ',') &&
			   isdigit((unsigned char)p[1])) {
			is_after = true;
		} else {
			break;
		}
		if (nr > DIGITS_MAX)
			return NULL;
	}
	return nr > 0 ? p : NULL;
}

static bool
is_ending(const char *p, bool has_power)
{
	static const char *const endings[] = {
		"byte", "bytes", "b", "bs", "b/s", "bps",
	};

	for (size_t i = 0; i < (has_power ? ARRAY_LEN(endings) : 2); i++)
		if (strcasecmp(p, endings[i]) == 0)
			return true;
	return false;
}

// Any case, a plural, a second.
static bool
take_suffix(const char *p, struct written *w)
{
	const char up = (char)toupper((unsigned char)*p);
	const char *letter = up != '\0' ? strchr(letters, up) : NULL;

	if (letter != NULL) {
		w->power = (unsigned)(letter - letters) + 1;
		p++;
	}
	if (w->power > 0 && tolower((unsigned char)*p) == 'i') {
		w->kind = BINARY;
		p++;
	}
	if (*p == '\0' || (w->power > 0 && strcasecmp(p, "/s") == 0))
		return true;
	if (w->kind == PLAIN)
		w->kind = DECIMAL;
	return is_ending(p, w->power > 0);
}

// A separator of thousands is taken for none: it could be a point as well.
static bool
read_number(const char *text, struct written *w)
{
	const char *p = take_digits(skip_blanks(text), w);

	if (p == NULL || !take_suffix(skip_blanks(p), w))
		return false;
	return w->power > 0 || w->scale == 1;
}

// The whole number of the largest unit that has one: "1536M" for 1.5G. end:
// what follows its letter.
static bool
write_number(char *buf, size_t size, const struct written *w, unsigned base,
	     const char *end)
{
	uint64_t n = w->digits;
	unsigned power = w->power;

	for (; n % w->scale != 0; power--)
		if (power == 0 || __builtin_mul_overflow(n, base, &n))
			return false;
	n /= w->scale;
	if (power == 0)
		snprintf(buf, size, "%" PRIu64 "%s", n,
			 w->kind == PLAIN ? "" : "B");
	else
		snprintf(buf, size, "%" PRIu64 "%c%s", n,
			 base == 1000 && power == 1 ? 'k' : letters[power - 1],
			 end);
	return true;
}

char *
correct_amount(uint64_t bytes)
{
	uint64_t unit = 1, rest = 0;
	unsigned power = 0;
	char *text, tenth[3] = ".0";

	for (; bytes / unit >= 1024; power++)
		unit *= 1024;
	// The largest that has no more than one decimal.
	for (; power > 0; power--, unit /= 1024) {
		rest = bytes % unit;
		if (rest * 10 % unit == 0)
			break;
	}
	if (power == 0) {
		if (asprintf(&text, "%" PRIu64 " byte%s", bytes,
			     bytes == 1 ? "" : "s") < 0)
			text = NULL;
		return text;
	}
	tenth[1] = (char)('0' + rest * 10 / unit);
	if (asprintf(&text, "%" PRIu64 "%s %ciB", bytes / unit,
		     rest > 0 ? tenth : "", letters[power - 1]) < 0)
		text = NULL;
	return text;
}

// "4M is 4 MiB"; NULL: it would be refused.
static char *
explain(const char *text, const struct correct_bounds *bounds)
{
	char *line = NULL, *amount = NULL;
	struct units_number n;

	if (units_parse(text, &n) < 0 || n.value < bounds->min ||
	    n.value > bounds->max)
		return NULL;
	if (!bounds->is_blocks && !n.is_bytes)
		amount = correct_amount(n.value);
	else if (asprintf(&amount, "%" PRIu64 " %s%s", n.value,
			  n.is_bytes ? "byte" : "block",
			  n.value == 1 ? "" : "s") < 0)
		amount = NULL;
	if (amount == NULL || asprintf(&line, "%s is %s", text, amount) < 0)
		line = NULL;
	free(amount);
	return line;
}

static char *
explain_both(char *one, char *other)
{
	char *line = NULL;

	if (one == NULL || other == NULL)
		return one != NULL ? one : other;
	if (asprintf(&line, "%s, %s", one, other) < 0)
		line = NULL;
	free(one);
	free(other);
	return line;
}

char *
correct_number(const char *text, const struct correct_bounds *bounds)
{
	struct written w;
	char one[64], other[64];

	if (!read_number(text, &w))
		return NULL;
	const bool is_decimal = w.kind == DECIMAL && w.power > 0;
	char *first = NULL, *second = NULL;

	if (write_number(one, sizeof(one), &w, is_decimal ? 1000 : 1024,
			 is_decimal ? "B" : ""))
		first = explain(one, bounds);
	if ((is_decimal || (bounds->is_blocks && w.power > 0)) &&
	    write_number(other, sizeof(other), &w, 1024,
			 bounds->is_blocks ? "iB" : ""))
		second = explain(other, bounds);
	return explain_both(first, second);
}

char *
correct_to_bytes(const char *text)
{
	const char last = *text != '\0' ? text[strlen(text) - 1] : '0';
	const bool is_unit = last == 'k' || strchr(letters, last) != NULL;
	char *ret;

	if (asprintf(&ret, "%s%s", text, is_unit ? "iB" : "B") < 0)
		ret = NULL;
	return ret;
}
