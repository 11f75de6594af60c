// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers in files of ours: little-endian, at any address.

#pragma once

#include <stddef.h>
#include <stdint.h>

static inline void
little_put(unsigned char *at, size_t size, uint64_t value)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

static inline uint64_t
little_get(const unsigned char *at, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)at[i] << 8 * i;
	return value;
}
