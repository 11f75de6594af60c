// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "zero.h"

#include <string.h>

// Zeros at the start and everything equal to what stands 16 bytes before:
// all zeros, at the speed of memcmp.
bool
zero_is_all(const unsigned char *buf, size_t len)
{
	enum { HEAD = 16 };

	for (size_t i = 0; i < len && i < HEAD; i++)
		if (buf[i] != 0)
			return false;
	return len <= HEAD || memcmp(buf, buf + HEAD, len - HEAD) == 0;
}
