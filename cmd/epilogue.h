// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The lines behind the statistics.

#pragma once

struct options;
struct stats;
struct transfer;

// What update= has touched, and what the manifest has spared.
void epilogue_counts(const struct options *options, const struct transfer *t,
		     const struct stats *s);

// What is true of a good copy. Who watches it being read back, or a device
// being written, waits for these words.
void epilogue_good(const struct options *options, const struct transfer *t,
		   const struct stats *s);

// How to take up a copy that a signal has ended.
void epilogue_interrupted(const struct options *options,
			  const struct transfer *t);
