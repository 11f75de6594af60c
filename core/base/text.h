// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Text that grows. Whoever makes some asks only at the end whether there was
// memory for all of it.

#pragma once

#include <stdbool.h>
#include <stddef.h>

// {0}: empty.
struct text {
	char *buf;             // malloc'd
	size_t len;
	size_t room;
	bool is_lost;          // there was no memory
};

void text_put(struct text *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

// All of it, which is the caller's then. 0, or -ENOMEM: nothing is.
int text_take(struct text *text, char **ret, size_t *ret_len);
