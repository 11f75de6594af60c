// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "kinds.h"

#include <stddef.h>

#include "look.h"
#include "nbd_side.h"
#include "open.h"

// The first that has the name; what is left is a file.
static const struct side_kind kinds[] = {
#ifdef HAVE_LIBNBD
	{nbd_side_is_export, nbd_side_open_src, nbd_side_open_dst,
	 nbd_side_look_src, nbd_side_look_dst, nbd_side_foresee},
#endif
	{NULL, open_src, open_dst, look_src, look_dst, look_foresee},
};

const struct side_kind *
kinds_find(const char *name, bool is_dd)
{
	const struct side_kind *kind = kinds;

	while (kind->has_name != NULL && (is_dd || !kind->has_name(name)))
		kind++;
	return kind;
}
