// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A fuzz target: aborts on what must not be.

#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Make random bytes into something that gets past the first check more
// often: for the run without a fuzzer, which does not learn.
void fuzz_shape(uint8_t *data, size_t size);
