// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Most of a file into a pipe, without a byte of it passing through us: the
// pipe gets the pages that the page cache has. What is left, for whatever
// reason, is for the record engine, which also meets the errors: splice does
// not tell of which side they are.

#pragma once

#include "serial.h"

// From where the descriptors stand. Whole records, unless the source ends or
// fails within one; the statistics have what was done. 0, -ECANCELED, or
// another -errno, told.
int splice_run(struct serial *serial);
