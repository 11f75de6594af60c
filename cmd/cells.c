// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include "config.h"

#include "cells.h"

#include <string.h>

#include "base.h"

#define CELL_MIN ((uint64_t)4096)

void
cells_init(struct cells *cells)
{
	*cells = (struct cells){.len = CELL_MIN};
}

static void
double_cells(struct cells *cells)
{
	for (size_t i = 0; i < CELLS_MAX / 2; i++) {
		const struct cells_cell *a = &cells->all[2 * i], *b = a + 1;

		cells->all[i] = (struct cells_cell){
			a->hole + b->hole, a->same + b->same, a->bad + b->bad,
			a->untried + b->untried, a->failed + b->failed};
	}
	memset(&cells->all[CELLS_MAX / 2], 0, sizeof(cells->all) / 2);
	cells->len *= 2;
}

void
cells_stretch(struct cells *cells, uint64_t len)
{
	while (len > CELLS_MAX * cells->len)
		double_cells(cells);
}

size_t
cells_nr(const struct cells *cells, uint64_t len)
{
	return (size_t)((len + cells->len - 1) / cells->len);
}

void
cells_mark(struct cells *cells, uint64_t off, uint64_t len, size_t kind)
{
	const uint64_t end = off + len;

	cells_stretch(cells, end);
	while (off < end) {
		struct cells_cell *cell = &cells->all[off / cells->len];
		const uint64_t part = min_u64(end - off,
					      cells->len - off % cells->len);

		*(uint64_t *)(void *)((char *)cell + kind) += part;
		off += part;
	}
}

// So much of what is left.
static uint64_t
take(uint64_t len, uint64_t *left)
{
	const uint64_t part = min_u64(len, *left);

	*left -= part;
	return part;
}

struct cells_area
cells_area(const struct cells *cells, size_t i, uint64_t reached)
{
	const struct cells_cell *cell = &cells->all[i];
	const uint64_t start = i * cells->len;
	uint64_t left = reached > start ? min_u64(reached - start, cells->len)
					: 0;
	struct cells_area area = {.bad = take(cell->bad, &left)};

	area.untried = take(cell->untried, &left);
	area.failed = take(cell->failed, &left);
	area.hole = take(cell->hole, &left);
	area.same = take(cell->same, &left);
	area.done = left;
	return area;
}
