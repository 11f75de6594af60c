// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What holds writes up, one record at a time: rate=, and a page cache that is
// far ahead of the disk. The ring asks pace and writeback itself.

#pragma once

#include <stddef.h>
#include <stdint.h>

struct env;
struct writeback;

struct throttle {
	const struct env *env;
	struct writeback *writeback; // NULL: the page cache takes all
	size_t unpassed;             // bytes that it was not told of
};

// How much of what is left of a record is written at a time: all, or with
// rate= a piece, of whole units.
size_t throttle_len(const struct throttle *throttle, size_t left,
		    uint64_t unit);

// Sleep until so many bytes may be written. 0, or -ECANCELED: a signal.
int throttle_wait(struct throttle *throttle, size_t len);

// So many were written, up to where fd stands. 0, or the -errno with which
// the device has refused some of what came before.
int throttle_pass(struct throttle *throttle, int fd, size_t len);

// fd is about to be moved.
void throttle_flush(struct throttle *throttle, int fd);
