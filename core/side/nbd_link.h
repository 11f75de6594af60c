// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The connections to the export of an NBD server: made, asked what it is like,
// and handed to an engine.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct hooks;

// What the server says of the export, and is not to change.
struct nbd_link_info {
	uint64_t size;
	uint64_t block;          // requests are whole ones of these; 1: any
	uint64_t most;           // bytes of a request
	bool is_read_only;
	bool can_flush;
	bool can_write_through;
	bool can_zero;
	bool can_tell_holes;
	bool is_shared;          // several connections see the same
};

struct nbd_link {
	const char *address;     // borrowed
	char **command;          // the server is to be started, NULL: it is not
	bool is_piped;           // and talks by its standard input and output
	unsigned wanted;         // connections; 0: as many as are useful
	bool is_durable;         // each write is to be
	bool is_flushed;         // now and then
	uint64_t until_ns;       // nobody waits longer; 0: for ever
	bool is_read;            // holes are of interest
};

// *engine: NULL, and made; or renewed, to an export of which *info says the
// same. 0, -errno, -ESTALE: it does not; or -ECANCELED: a signal.
int nbd_link_open(const struct nbd_link *link, const struct hooks *h,
		  struct engine **engine, struct nbd_link_info *info);
