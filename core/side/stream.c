// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "stream.h"

#include <errno.h>
#include <stdlib.h>

#include "feeder.h"
#include "tap.h"

int
stream_feed(struct side *side, uint64_t pos)
{
	struct tap *tap = malloc(sizeof(*tap));
	int r = tap != NULL ? tap_init(tap, side->fd) : -ENOMEM;

	if (r < 0) {
		free(tap);
		return r;
	}
	side->engine = feeder_new(tap_fill(tap), pos);
	side->own = tap;
	return side->engine != NULL ? 0 : -EAGAIN;
}

// The thread is the last one that reads.
int
stream_close(struct side *side)
{
	engine_free(side->engine);
	side->engine = NULL;
	if (side->own != NULL)
		tap_done(side->own);
	free(side->own);
	side->own = NULL;
	return side_close(side);
}
