// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Digests and counts, as the last object has them.

#pragma once

#ifdef HAVE_JANSSON
#include "element.h"
#include "journal.h"

struct aio_counters;

// Those of a copy of which nothing is missing.
json_t *figures_digests(const struct journal *j);
json_t *figures_expected(const struct journal *j);
// The one that is followed.
json_t *figures_bmap(const struct journal *j);
json_t *figures_records(const struct stats *s);
// As number nr of the maps has it, for so many bytes.
json_t *figures_map(const struct journal *j, unsigned nr, uint64_t reached);
// Those of tee=, and the first; null without it.
enum figures_maps { FIGURES_NO_MAPS, FIGURES_MAPS };
json_t *figures_destinations(const struct journal *j, enum figures_maps maps);
json_t *figures_zeros(const struct stats_zeros *z);
json_t *figures_engine(const struct aio_counters *c);
#endif
