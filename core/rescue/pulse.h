// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// How a source answers: how long its reads take, and whether it is there at
// all. A disk that was unplugged fails each read at once, and none of that says
// anything of its sectors: so now and then one that was good is read again, and
// if it cannot be, what was noted since is taken back. Pure.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "map.h"

#define PULSE_LATENCIES 64
#define PULSE_FAILED_MAX 64

struct pulse {
	uint64_t latencies[PULSE_LATENCIES]; // of the last good reads
	uint64_t nr_good;
	bool has_good;
	uint64_t good_off;       // where the last one began
	unsigned nr_failed;      // since then
	unsigned next_probe;     // when so many have failed
	struct map_span was[PULSE_FAILED_MAX]; // what the map had of those that
	unsigned nr_was;         // have failed since it was surely there
};

void pulse_init(struct pulse *pulse);
// What an earlier run could read begins there.
void pulse_remember(struct pulse *pulse, uint64_t off);

void pulse_good(struct pulse *pulse, uint64_t off, uint64_t ns);
// was: what the map had of what could not be read. Before that it was one span.
void pulse_failed(struct pulse *pulse, struct map_span was);

// A read that is out for so long is overdue.
uint64_t pulse_overdue_ns(const struct pulse *pulse);

// good_off is to be read again, before anything else.
bool pulse_wants_probe(const struct pulse *pulse);
// It has been, and it could.
void pulse_probed(struct pulse *pulse);

// An error that says that the source is gone.
bool pulse_is_gone(int error);
// It was gone, at the latest since it was surely there: the map says of that
// what it said then. It has room.
void pulse_take_back(struct pulse *pulse, struct map *map);
