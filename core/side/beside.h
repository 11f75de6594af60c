// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// A file that is made beside another, to take its name when it is complete.
// Somebody else may be at work in the directory: what counts is the descriptor
// that the file was made with, and nothing is opened by its name again.

#pragma once

#include <stdbool.h>

#include "facts.h"
#include "identity.h"

struct beside {
	char *target;        // the file behind all links; NULL: nothing
	char *temp;          // .NAME.aiodd-XXXXXX in dir; NULL: there is none
	int dir;             // the directory of both
	int fd;              // the new file
	bool has_old;
	struct stat old;     // of target
	struct identity identity;
};

// Find the target of path, and look at it; dir_access: O_RDONLY or O_PATH. Of
// the links in a sticky directory that all may write to, only our own and
// those of its owner are followed, as with fs.protected_symlinks. 0 or -errno;
// beside_done in any case.
int beside_find(struct beside *beside, const char *path, int dir_access);

// The file that has the name now; a stream if there is none.
struct facts beside_old(const struct beside *beside);

// The last part of target, which is in dir.
const char *beside_name(const struct beside *beside);
// Whether fd is the file that has this name.
bool beside_has_name(const struct beside *beside, int fd);
// Whether beside_make may have given this name for the target, and for no other
// one.
bool beside_is_temp(const struct beside *beside, const char *name);

// Whether path leads to the target. A link of /proc has the path as its text,
// and may lead elsewhere: to a file without a name.
bool beside_is_there(const struct beside *beside, const char *path);

// Whether the name can be taken from the old file, as far as that is to be
// seen: 0, -EPERM or -EBUSY.
int beside_check(const struct beside *beside);

// Whether a file can be made there, as far as that is to be seen. 0 or -errno.
int beside_look(const struct beside *beside);

// Make the file, by flags of open. We can read and write it until
// beside_settle, and nobody can who could not read the old one. 0 or -errno.
int beside_make(struct beside *beside, int flags);

// The new file shares the blocks of the old one. -errno, also where there is
// none: it is empty still.
int beside_clone(const struct beside *beside);

// Everything is written: the new file has the rights that it is to have. 0 or
// -errno.
int beside_settle(const struct beside *beside);

// Give it the name; flags: of renameat2, 0 or RENAME_NOREPLACE. -ESTALE: its
// own name is that of another file. 0 or -errno.
int beside_rename(struct beside *beside, unsigned flags);

// Remove what has not got its name. beside_drop: another can be made then.
void beside_drop(struct beside *beside);
void beside_done(struct beside *beside);
