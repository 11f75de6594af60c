// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which block devices are built upon another one.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk.h"

struct facts;

enum { DISK_STACK_MAX = 256 };

// A device and everything that shares bytes with it from above: its
// partitions, or the disk that it is a partition of; LVM, md and dm devices
// and loop devices on any of these, and so on. What is beyond the limit
// counts as not seen.
struct disk_stack {
	dev_t devs[DISK_STACK_MAX]; // the device itself is the first
	size_t nr;
	dev_t serving;              // the first that serves another device,
	dev_t holder;               // this one; 0: there is none
	uint64_t file_dev;          // the file under it, if it is one
	uint64_t file_ino;          // 0: none
	uint64_t file_size;
	bool knows_size;            // and that is what is looked for
	uint64_t file_from, file_to; // the bytes that count of it
	dev_t own;                  // the loop device itself, over it
	bool is_blind;              // no sysfs: loop devices only, by /dev
	struct disk_unseen unseen;
};

void disk_stack_init(struct disk_stack *stack, dev_t dev);
// The loop devices over a regular file, and what is upon them: nr is 0 where
// there are none.
void disk_stack_init_file(struct disk_stack *stack, const struct facts *file);
bool disk_stack_has(const struct disk_stack *stack, dev_t dev);
bool disk_stack_is_file(const struct disk_stack *stack, uint64_t dev,
			uint64_t ino);
