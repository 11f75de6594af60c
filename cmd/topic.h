// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What an event is about, in a word for programs.

#pragma once

#include <stdbool.h>

#include "event.h"

struct topic {
	const char *word;
	bool has_range;   // off and len are bytes of its side
};

const struct topic *topic_of(enum event_kind kind);
