// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "lazy.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int
lazy_load(const char *soname, const struct lazy_symbol *symbols,
	  size_t nr_symbols)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL)
		return -ENOENT;
	for (size_t i = 0; i < nr_symbols; i++) {
		void *symbol = dlsym(library, symbols[i].name);

		if (symbol == NULL)
			return -ENOENT;
		// C has no cast from object to function pointer.
		memcpy(symbols[i].ret, &symbol, sizeof(symbol));
	}
	return 0;
}
