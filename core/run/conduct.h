// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A whole run: open, probe, check, what can be copied in bulk, the rest record
// by record, sync, judge, close.

#pragma once

#include "transfer.h"

// The digests of a run that copied all stay until transfer_done.
enum transfer_verdict conduct_run(struct transfer *transfer);
