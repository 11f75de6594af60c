// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a block device is, for whoever is about to overwrite it: its model, and
// with libblkid what it holds.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct disk_stack;

enum { DISK_CONTENTS_MAX = 8 };

struct disk_content {
	char type[32];              // file system or table, "" if unknown
	char label[128];            // "" if there is none
};

struct disk_identity {
	char model[128];            // or the file under a loop device, or ""
	bool is_loop;               // it is the file
	char serial[64];            // or ""
	// The device, and those of its partitions that hold something known.
	struct disk_content contents[DISK_CONTENTS_MAX];
	size_t nr_contents;
	bool is_unread;             // libblkid, which knows, cannot be loaded
};

// The model and the serial alone: nothing is read of the device itself.
void disk_identify_model(struct disk_identity *ret, dev_t dev);

// stack: of the device. Reads the first and last blocks; a build without
// libblkid finds nothing in them.
void disk_identify(struct disk_identity *ret, const struct disk_stack *stack);
