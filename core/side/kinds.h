// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which kind of side a name means, and how one is opened: a row for each kind.

#pragma once

#include <stdbool.h>

struct hooks;
struct request;
struct side;

struct side_kind {
	// It is of this kind. NULL: all names are.
	bool (*has_name)(const char *name);
	// Open it, or find out what that would say, without doing it. The side
	// has its operations then. 0, -errno, told, or -ECANCELED: a signal.
	int (*open_src)(struct side *side, const struct request *q,
			const struct hooks *h);
	int (*open_dst)(struct side *side, const struct request *q,
			const struct hooks *h);
	int (*look_src)(struct side *side, const struct request *q,
			const struct hooks *h);
	int (*look_dst)(struct side *side, const struct request *q,
			const struct hooks *h);
	// After a look: the facts as a probe would find them. name: NULL: of
	// the descriptor. flags: FLAG_*, to open it with. 0 or -errno, told.
	int (*foresee)(struct side *side, const char *name, unsigned flags,
		       const struct hooks *h);
};

// name: NULL: a descriptor that was given. As dd all are files.
const struct side_kind *kinds_find(const char *name, bool is_dd);
