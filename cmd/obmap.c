// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "obmap.h"

#include <stdlib.h>

#include "bmap.h"
#include "message.h"
#include "transfer.h"

int
obmap_open(struct export *e, const struct request *q)
{
	return export_open(e, "obmap", q->obmap, q,
			   q->plan_only ? EXPORT_LOOK : EXPORT_WRITE);
}

int
obmap_write(struct export *e, const struct transfer *t)
{
	char *text;
	size_t len;

	if (e->path == NULL)
		return 0;
	int r = bmap_print(&text, &len, &t->outline.ranges);
	if (r < 0) {
		message_error(-r, "obmap=");
		return r;
	}
	r = export_write(e, text);
	free(text);
	return r;
}
