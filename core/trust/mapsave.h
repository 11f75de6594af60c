// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// How a file of ours gets a new text: as a whole, or not at all, also where the
// power fails.

#pragma once

#include <stddef.h>

struct ours;

// Ours from now on, synced, and locked before it has the name; the file is made
// if there is none. -ESTALE, -EEXIST: the name is that of somebody else's file.
// 0 or -errno, and the old one is there.
int mapsave_replace(struct ours *ours, const char *text, size_t len);

// Remove what runs that were killed in it have left beside: only what begins
// with these words. The file is ours, so none of them is at it.
void mapsave_sweep(const struct ours *ours, const char *words);
