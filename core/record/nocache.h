// SPDX-FileCopyrightText: 2026 the aiodd authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// iflag=nocache and oflag=nocache: as the copy goes on, the pages behind it
// are given back. Advice, so a refusal matters only to who asks for it.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct nocache {
	int fd;
	uint64_t pending;   // bytes passed that were not advised yet
};

// len more bytes are through, up to the offset end.
void nocache_pass(struct nocache *nocache, uint64_t end, uint64_t len);

enum nocache_rest {
	NOCACHE_PENDING,    // what was passed, and no more
	NOCACHE_TO_EOF,     // and all that follows in the file
};

// The last of it. 0, or the -errno of posix_fadvise.
int nocache_finish(struct nocache *nocache, uint64_t end,
		   enum nocache_rest rest);
