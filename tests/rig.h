// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the tests on real descriptors stand on: hooks that keep what they are
// told, files without a name, and descriptors 0 and 1 put back at the end.

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "side.h"
#include "event.h"
#include "hooks.h"
#include "request.h"

enum { RIG_TOLD_MAX = 64 };

struct rig {
	struct hooks hooks;
	struct event told[RIG_TOLD_MAX];
	unsigned nr_told;
	bool must_stop;
	int saved[2];
};

extern struct rig rig;

// What all clocks say, in ns. 0: the real time.
extern _Atomic uint64_t rig_clock_ns;

// Fixtures.
void rig_open(void);
void rig_close(void);

// A new directory becomes the working one; the old one again, and all that is
// in the new one is removed.
void rig_enter_dir(void);
void rig_leave_dir(void);

// A file on a disk that is gone when the descriptor is closed.
int rig_file(const void *bytes, size_t len);
// Bytes that do not repeat soon.
int rig_pattern_file(size_t len);

// A path that leads to a descriptor. Good until the next but one call.
const char *rig_path(int fd);

// The read end of a pipe that gives "ab", "cdef", "g" and "hij", one a read,
// then ends.
int rig_packets(void);

struct side rig_side(int fd);
// bs=: records of bs bytes to the end, written as they are read.
struct request rig_request(uint64_t bs);

// What an emulator may not have: a comment says what is left out without it.
bool rig_has_aio(void);
bool rig_reads_itself(void); // by /proc/self/mem

off_t rig_size(int fd);
// From the start, whatever the offset.
void rig_check_file(int fd, const void *want, size_t len);
void rig_check_same(int fd, int want_fd);

// Exactly one thing of this kind was told: it.
const struct event *rig_told(enum event_kind kind);
unsigned rig_count_told(enum event_kind kind);
