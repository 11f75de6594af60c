// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The side that is behind a descriptor: a file, a disk, a stream.

#pragma once

#include "side.h"

extern const struct side_ops file_ops;

// What is behind fd is not known yet.
void file_init(struct side *side, int fd, const char *name, bool is_dd);
// These are the facts of it; it has the operations of its kind from then on.
void file_set_facts(struct side *side, const struct facts *facts);
