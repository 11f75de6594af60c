// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// page.html, which the build makes a C source of: what stands before and
// behind the place of the report.

#pragma once

extern const char page_head[];
extern const char page_tail[];
