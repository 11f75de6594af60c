// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// How much memory the process may have. A group of processes that takes more
// than its share is killed, so that no allocation ever fails: it has to be
// known before.

#pragma once

#include <stdint.h>

// Of the machine; UINT64_MAX: not known.
uint64_t memory_of_machine(void);

// Of the control groups above the process, v1 and v2, whose "cgroup" and
// "mountinfo" are in proc; UINT64_MAX: there is no limit.
uint64_t memory_of_groups(const char *proc);

// The least of these and of what setrlimit allows. It takes the time of some
// 20 system calls.
uint64_t memory_allowed(void);
