// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The side that is an NBD server's export, by its address, or by the command
// that starts the server. It has no descriptor: an engine of its own carries
// out what is asked of it.

#pragma once

#include <stdbool.h>

struct hooks;
struct request;
struct side;

// The name is the address of an export, or the command of a server between
// brackets. NULL, a descriptor, is neither.
bool nbd_side_is_export(const char *name);
bool nbd_side_is_command(const char *name);

// False: libnbd was left out of this build, and so is all that follows.
bool nbd_side_is_available(void);

// As struct side_kind has them. A look connects, and finds the facts.
int nbd_side_open_src(struct side *side, const struct request *q,
		      const struct hooks *h);
int nbd_side_open_dst(struct side *side, const struct request *q,
		      const struct hooks *h);
int nbd_side_look_src(struct side *side, const struct request *q,
		      const struct hooks *h);
int nbd_side_look_dst(struct side *side, const struct request *q,
		      const struct hooks *h);
int nbd_side_foresee(struct side *side, const char *name, unsigned flags,
		     const struct hooks *h);
