// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// verify=only without a source: whether the destination is still what was
// written to it, by the digests that a manifest has kept since, or what a block
// map says of its image. Nothing but the destination is read.

#pragma once

#include "transfer.h"

enum transfer_verdict attest_run(struct transfer *transfer);
// As far as plan=yes goes. *old: the destination.
enum transfer_verdict attest_preview(struct transfer *transfer,
				     struct facts *old);
