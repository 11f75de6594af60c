// SPDX-License-Identifier: GPL-3.0-or-later
//
// Libraries that are loaded when they are first needed. Linked, libcrypto
// alone took 8 ms of each start, twice what a copy of a small file takes.

#pragma once

#include <stddef.h>

struct lazy_symbol {
	const char *name;
	void *ret;         // address of a pointer to the function
};

// Load the library and set all pointers; it stays loaded. 0, or -ENOENT if
// it or one of the symbols is missing.
int lazy_load(const char *soname, const struct lazy_symbol *symbols,
	      size_t nr_symbols);
