// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// dd's own calls, one each, on the descriptor of a side as it is: the
// operations of what is behind one.

#pragma once

#include "side.h"

// As struct side_ops has them.
ssize_t bare_read(const struct side *side, void *buf, size_t len);
ssize_t bare_write(const struct side *side, const void *buf, size_t len);
int64_t bare_seek(const struct side *side, int64_t off, int whence);
int bare_get_size(const struct side *side, uint64_t *ret);
int bare_set_size(const struct side *side, uint64_t size);
