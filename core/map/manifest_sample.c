// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "manifest_sample.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base.h"
#include "manifest.h"

#define SAMPLE_ENDS 4	// ranges in a MiB
#define SEARCH_MAX 1024 // ranges passed over in search of a known one

// The first known range from there on. UINT64_MAX: none is near.
static uint64_t
find_known(const struct manifest *m, uint64_t nr)
{
	for (int i = 0; i < SEARCH_MAX; i++)
		if (manifest_has(m, nr + (uint64_t)i) > 0)
			return nr + (uint64_t)i;
	return UINT64_MAX;
}

// Those at both ends come first.
static uint64_t
choose_range(const struct manifest *m, int i)
{
	const uint64_t nr = manifest_nr(m);
	uint64_t random;

	if (i < SAMPLE_ENDS)
		return (uint64_t)i;
	if (i < 2 * SAMPLE_ENDS)
		return max_u64(nr, SAMPLE_ENDS) - SAMPLE_ENDS +
		       (uint64_t)i % SAMPLE_ENDS;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint64_t)i * nr / MANIFEST_SAMPLE_NR;
	return find_known(m, random % nr);
}

int
manifest_sample(const struct manifest *m,
		int (*read)(void *ctx, void *buf, size_t len, uint64_t off),
		void *ctx)
{
	unsigned char *buf = aligned_alloc(4096, MANIFEST_RANGE);
	int r = buf != NULL ? 0 : -ENOMEM;

	for (int i = 0;
	     r == 0 && m->len > 0 && i < 2 * SAMPLE_ENDS + MANIFEST_SAMPLE_NR;
	     i++) {
		const uint64_t nr = choose_range(m, i);
		const size_t len = manifest_has(m, nr);
		const uint64_t off = nr * MANIFEST_RANGE;

		if (len == 0)
			continue;
		r = read(ctx, buf, len, off);
		if (r == 0 && manifest_ask(m, off, len, buf) != MANIFEST_SAME)
			r = -EBADMSG;
	}
	free(buf);
	return r;
}
