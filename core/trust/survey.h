// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// verify=only with a block map and no source: whether the destination has what
// the map says of its image. Each range with a digest is read and has to have
// it; what is in none is not looked at, since the map says nothing of it.

#pragma once

#include "differ.h"
#include "ranges.h"
#include "readback.h"

struct guide;
struct side;

struct survey {
	const struct env *env;     // bytes, left_out and unchecked
	const struct guide *guide; // open
	const struct side *dst;
	struct side *back;         // of its open_back; gets the ranges, until
	                           // survey_done
	struct differ *differ;     // FAILURE_DIFFERS, from its start
	struct ranges found;       // ours: what is read, with its digests
	struct readback readback;  // likewise
};

// 0: all of it is there. -EBADMSG: it is not, each range told; those that touch
// are one. -ECANCELED: a signal. Another -errno: it could not be read, told.
int survey_run(struct survey *survey);

void survey_done(struct survey *survey);
