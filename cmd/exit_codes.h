// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// All exit statuses, in the order of EXIT STATUS in the manual.

#pragma once

enum exit_code {
	EXIT_CODE_OK = 0,      // everything asked for was done
	EXIT_CODE_FAILURE = 1, // usage, open, read or write error
	EXIT_CODE_INCOMPLETE = 2, // not all could be read, but had to be
	EXIT_CODE_VERIFY = 3,  // what is on the destination differs
	EXIT_CODE_SOURCE = 4,  // the source is not the expected one, or changed
	EXIT_CODE_REFUSED = 5, // by a safety check; nothing was written
};
