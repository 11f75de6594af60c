// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What all parts of a run have in common: what was asked for, whom to tell,
// where to count. It is built before the first of them, and is the same for
// all; what belongs to one side, or to one stretch, has no place here.

#pragma once

struct aio_kernel;
struct hasher;
struct hooks;
struct manifest;
struct pace;
struct request;
struct stats;

struct env {
	const struct request *asked;
	const struct hooks *hooks;
	struct stats *stats;
	struct hasher *hasher;   // of what is written; NULL: nobody wants any
	struct pace *pace;       // NULL: no rate=
	struct manifest *manifest; // of the destination; NULL: there is none
	const struct aio_kernel *kernel;
};
