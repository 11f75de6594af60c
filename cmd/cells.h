// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A map of a destination, of fixed size: its cells grow as the copy does.
// Offsets are from where the copy begins.

#pragma once

#include <stddef.h>
#include <stdint.h>

enum { CELLS_MAX = 512 };

// Bytes of each that were not plainly written.
struct cells_cell {
	uint64_t hole;
	uint64_t same;
	uint64_t bad;
	uint64_t untried;
	uint64_t failed;
};

struct cells {
	uint64_t len;            // of a cell
	struct cells_cell all[CELLS_MAX];
};

void cells_init(struct cells *cells);

// It covers at least so many bytes.
void cells_stretch(struct cells *cells, uint64_t len);

// How many there are then.
size_t cells_nr(const struct cells *cells, uint64_t len);

// kind: the offset of a member of struct cells_cell.
void cells_mark(struct cells *cells, uint64_t off, uint64_t len, size_t kind);

// Cell i of a copy of which so many bytes were reached. All are bytes, and
// make at most the length of a cell.
struct cells_area {
	uint64_t done;
	uint64_t same;
	uint64_t hole;
	uint64_t bad;
	uint64_t untried;
	uint64_t failed;
};
struct cells_area cells_area(const struct cells *cells, size_t i,
			     uint64_t reached);
