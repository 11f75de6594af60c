// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Cuts off what a destination has behind the place where the copy begins.

#pragma once

#include <stdbool.h>

struct hooks;
struct request;
struct side;

// Whether that is to be done, once it is clear that it may be. As dd, open has
// done it.
bool cut_is_due(const struct request *q);
// That seek= leads to an offset. 0 or -EOVERFLOW, told.
int cut_check(const struct request *q, const struct hooks *h);
// side has its facts, or is that of dd. 0, -errno, told, or -ECANCELED.
int cut_dst(struct side *side, const struct request *q,
	    const struct hooks *h);
