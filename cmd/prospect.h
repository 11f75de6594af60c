// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// plan=yes: what a copy would do, and to which destinations.

#pragma once

#include "transfer.h"

struct run;

// All that it prints. The verdict is that of the copy, where not several
// destinations are at fault.
enum transfer_verdict prospect_run(struct run *run);
