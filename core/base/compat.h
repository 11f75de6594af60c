// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What C libraries have had for a few years only, or do not have at all: glibc
// 2.31 lacks the names, musl also renameat2 and some words of statx. Include
// config.h first.

#pragma once

#include <stdio.h>
#include <sys/stat.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

#ifndef STATX_ATTR_IMMUTABLE
#define STATX_ATTR_IMMUTABLE 0x10
#define STATX_ATTR_APPEND 0x20
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

#ifndef HAVE_RENAMEAT2
#define renameat2 compat_renameat2
#endif
#ifndef HAVE_SIGABBREV_NP
#define sigabbrev_np compat_signal_name
#endif
#ifndef HAVE_STRERRORNAME_NP
#define strerrorname_np compat_errno_name
#endif

int compat_renameat2(int old_dir, const char *old_path, int new_dir,
		     const char *new_path, unsigned flags);

// "ENOENT" and "INT"; NULL: there is no such number.
const char *compat_errno_name(int error);
const char *compat_signal_name(int signo);
