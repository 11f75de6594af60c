// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "lazy.h"

#ifdef ENABLE_DLOPEN
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int
lazy_load(const char *soname, const char *names, void *functions)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
	char *next = functions;

	if (library == NULL)
		return -ENOENT;
	for (; *names != '\0'; names += strlen(names) + 1) {
		void *symbol = dlsym(library, names);

		if (symbol == NULL)
			return -ENOENT;
		// C has no cast from object to function pointer.
		next = mempcpy(next, &symbol, sizeof(symbol));
	}
	return 0;
}
#endif
