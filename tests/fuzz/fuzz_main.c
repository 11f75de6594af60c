// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The fuzz targets without a fuzzer: a short run over inputs that a seed
// makes, for make check. AIODD_SEED and AIODD_INPUTS override.

#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"

#define INPUT_MAX 600

static uint64_t
env_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

int
main(void)
{
	uint64_t state = env_number("AIODD_SEED", 20261122) | 1;
	const uint64_t nr = env_number("AIODD_INPUTS", 20000);
	unsigned char input[INPUT_MAX];
	FILE *tap = fdopen(dup(STDOUT_FILENO), "w");
	const int null = open("/dev/null", O_WRONLY);

	// What the target says is not of interest, that it ends is.
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	for (uint64_t i = 0; i < nr; i++) {
		const size_t len = next_random(&state) % INPUT_MAX;

		for (size_t k = 0; k < len; k++)
			input[k] = (unsigned char)(next_random(&state) >> 32);
		fuzz_shape(input, len);
		LLVMFuzzerTestOneInput(input, len);
	}
	fprintf(tap, "ok 1 - %" PRIu64 " inputs\n1..1\n", nr);
	return fclose(tap) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
