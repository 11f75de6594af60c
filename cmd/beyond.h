// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Under SRC DST nobody has chosen a block size, and skip=20M is 5 TiB. Warnings
// of skip= and seek= that were probably meant in bytes; for aiodd only.

#pragma once

#include <stdbool.h>

struct event;
struct options;
struct transfer_side;

// Both sides are known: skip= leads past the end of the source.
bool beyond_source(const struct options *options,
		   const struct transfer_side *src);
// NOTICE_SKIP_PAST_END in our words.
void beyond_tell_skip(const struct options *options, const struct event *f);
// seek= is in blocks of a size that was not given, and its number has a suffix.
// The destination can be any size, so there is no end to measure it by.
bool beyond_is_odd_seek(const struct options *options);
void beyond_tell_seek(const struct options *options);
