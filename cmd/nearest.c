// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base.h"

#define WORD_MAX 32

static bool
is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

// Damerau-Levenshtein: cost[i][k] is the distance between the first i letters
// of a and the first k of b.
unsigned
nearest_distance(const char *a, size_t len, const char *b)
{
	const size_t other = strlen(b);
	uint64_t cost[WORD_MAX + 1][WORD_MAX + 1];

	if (len > WORD_MAX || other > WORD_MAX)
		return NEAREST_MAX + 1;
	for (size_t i = 0; i <= len; i++)
		cost[i][0] = i;
	for (size_t k = 0; k <= other; k++)
		cost[0][k] = k;
	for (size_t i = 1; i <= len; i++) {
		for (size_t k = 1; k <= other; k++) {
			uint64_t *c = &cost[i][k];

			*c = cost[i - 1][k - 1] + !is_same(a[i - 1], b[k - 1]);
			*c = min_u64(*c, cost[i - 1][k] + 1);
			*c = min_u64(*c, cost[i][k - 1] + 1);
			if (i > 1 && k > 1 && is_same(a[i - 1], b[k - 2]) &&
			    is_same(a[i - 2], b[k - 1]))
				*c = min_u64(*c, cost[i - 2][k - 2] + 1);
		}
	}
	return (unsigned)min_u64(cost[len][other], NEAREST_MAX + 1);
}

void
nearest_init(struct nearest *n, const char *text, size_t len)
{
	*n = (struct nearest){
		.text = text,
		.len = len,
		.limit = (unsigned)min_u64(NEAREST_MAX, len / 2) + 1,
	};
}

void
nearest_offer(struct nearest *n, const char *word)
{
	const unsigned distance = nearest_distance(n->text, n->len, word);

	if (distance >= n->limit)
		return;
	n->best = word;
	n->limit = distance;
}
