// SPDX-License-Identifier: GPL-3.0-or-later
//
// What sysfs knows of a block device: which others are built upon it, what it
// is called, and, with libblkid, what it holds. Devices are numbers here, as
// fstat gives them; paths are only looked up to be shown. A device without a
// number is 0.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct facts;

// The first thing that could not be looked at.
struct disk_unseen {
	char path[64];
	int error;                  // positive errno; 0: all was seen
};

enum { DISK_STACK_MAX = 256, DISK_CONTENTS_MAX = 8, DISK_NAME_MAX = 64 };

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
	uint64_t file_from, file_to; // the bytes that count of it
	dev_t own;                  // the loop device itself, over it
	bool is_blind;              // no sysfs: loop devices only, by /dev
	struct disk_unseen unseen;
};

struct disk_content {
	char type[32];              // file system or table, "" if unknown
	char label[128];            // "" if there is none
};

struct disk_identity {
	char model[128];            // or the file under a loop device, or ""
	bool is_loop;               // it is the file
	char serial[64];            // or ""
	struct disk_content contents[DISK_CONTENTS_MAX];
	size_t nr_contents;         // the device, and those of its partitions
};                                  // that hold something known

void disk_unseen_note(struct disk_unseen *unseen, const char *path, int error);

void disk_stack_init(struct disk_stack *stack, dev_t dev);
// The loop devices over a regular file, and what is upon them: nr is 0 where
// there are none.
void disk_stack_init_file(struct disk_stack *stack, const struct facts *file);
bool disk_stack_has(const struct disk_stack *stack, dev_t dev);
bool disk_stack_is_file(const struct disk_stack *stack, uint64_t dev,
			uint64_t ino);

// The disk of a partition; any other device is its own.
dev_t disk_whole(dev_t dev);

// "/dev/sda1", or "259:1" for what has no name, in buf.
char *disk_name(dev_t dev, char *buf, size_t size);

// The model and the serial alone: nothing is read of the device itself.
void disk_identify_model(struct disk_identity *ret, dev_t dev);

// stack: of the device. Reads the first and last blocks; without libblkid
// nothing is found in them.
void disk_identify(struct disk_identity *ret, const struct disk_stack *stack);
