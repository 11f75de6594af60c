// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "kinds.h"

#include <string.h>

#include "look.h"
#include "open.h"

// The first whose prefix it has; what is left is a file.
static const struct side_kind kinds[] = {
	{"", open_src, open_dst, look_src, look_dst, look_foresee},
};

static bool
is_of(const struct side_kind *kind, const char *name)
{
	return strncmp(name, kind->prefix, strlen(kind->prefix)) == 0;
}

const struct side_kind *
kinds_find(const char *name, bool is_dd)
{
	const struct side_kind *kind = kinds;

	while (!is_of(kind, is_dd || name == NULL ? "" : name))
		kind++; // up to the files, which have no prefix
	return kind;
}
