// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a file that takes the place of another has of it: owner, group, mode
// and access control list, as far as we may give them. What cannot be kept
// takes its rights along: nobody may do more with the new file than with the
// old one.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct identity {
	mode_t mode;            // which it gets at the end
	bool is_new;            // there is no other file
	size_t acl_len;         // 0: none
	char acl[4096];
};

struct identity_kept {
	bool owner, group, acl; // acl: also where there was none
};

// What is left of a mode.
mode_t identity_mode(mode_t old, struct identity_kept kept);

// Give fd, which nobody else may open yet, the owner and group of the old
// file, whose path is for its list, and find out what follows from that. We
// can read and write it until identity_give.
void identity_take(struct identity *identity, int fd, const struct stat *old,
		   const char *path);

// The same where there is no old file: it has what it was made with.
void identity_make(struct identity *identity, int fd);

// Everything is written: list and mode. 0 or -errno.
int identity_give(const struct identity *identity, int fd);
