// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// verify=only with a manifest and no source: whether the destination is still
// what was written to it, by the digests that were kept then. Nothing but the
// destination is read.

#pragma once

#include "transfer.h"

enum transfer_verdict attest_run(struct transfer *transfer);
// As far as plan=yes goes. *old: the destination.
enum transfer_verdict attest_preview(struct transfer *transfer,
				     struct facts *old);
